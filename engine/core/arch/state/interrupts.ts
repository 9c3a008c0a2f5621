/**
 * Interrupts: what is pending, which one is taken, and when timers will make one pending (privileged manual,
 * "Machine Interrupt Registers", H-extension "Interrupts", Sstc). Relies on virtual time given by the caller.
 */
import {
  ENV_STCE,
  HART_HENVCFG,
  HART_HIDELEG,
  HART_HTIMEDELTA,
  HART_HVIP,
  HART_LINES,
  HART_MENVCFG,
  HART_MIDELEG,
  HART_MIE,
  HART_MIP,
  HART_MSTATUS,
  HART_MTIMECMP,
  HART_STIMECMP,
  HART_VSSTATUS,
  HART_VSTIMECMP,
  MEIP,
  MIE,
  MSIP,
  MTIP,
  SEIP,
  SIE,
  SSIP,
  STIP,
  TICKS_PER_MTIME,
  VSEIP,
  VSSIP,
  VSTIP,
} from '../layout.gen';
import { get, M, mtimeAt, priv, S, U, virt } from './state';

/** No interrupt; no deadline. */
export const NONE: u32 = 0xffffffff;
export const NEVER: u64 = ~0;

/** mip at the given tick. */
export function pendingAt(hart: u32, ticks: u64): u64 {
  const time = mtimeAt(ticks);
  let mip = get(hart, HART_MIP) | get(hart, HART_HVIP) | (get(hart, HART_LINES) & (MSIP | SEIP | MEIP));
  if (time >= get(hart, HART_MTIMECMP)) mip |= MTIP;
  if (get(hart, HART_MENVCFG) & ENV_STCE) {
    // With Sstc the bit is the comparator and nothing else.
    mip = time >= get(hart, HART_STIMECMP) ? mip | STIP : mip & ~STIP;
    if (get(hart, HART_HENVCFG) & ENV_STCE && time + get(hart, HART_HTIMEDELTA) >= get(hart, HART_VSTIMECMP))
      mip |= VSTIP;
  }
  return mip;
}

/** The interrupt that the hart takes now, as its bit number in mip, or NONE. */
export function interruptToTake(hart: u32, ticks: u64): u32 {
  const mie = get(hart, HART_MIE);
  if (mie == 0) return NONE;
  const pending = pendingAt(hart, ticks) & mie;
  if (pending == 0) return NONE;
  const privilege = priv(hart);
  const isVirtual = virt(hart);
  const mstatus = get(hart, HART_MSTATUS);
  const mideleg = get(hart, HART_MIDELEG);
  const hideleg = get(hart, HART_HIDELEG);
  if (privilege < M || mstatus & MIE) {
    const chosen = highest(pending & ~mideleg);
    if (chosen != NONE) return chosen;
  }
  if (isVirtual || privilege == U || (privilege == S && mstatus & SIE)) {
    const chosen = highest(pending & mideleg & ~hideleg);
    if (chosen != NONE) return chosen;
  }
  if (isVirtual && (privilege == U || get(hart, HART_VSSTATUS) & SIE)) return highest(pending & mideleg & hideleg);
  return NONE;
}

/** Whether WFI has something to go on for: an interrupt pending and enabled in mie, whatever the global enables. */
export function wakes(hart: u32, ticks: u64): bool {
  return (pendingAt(hart, ticks) & get(hart, HART_MIE)) != 0;
}

/** First tick after `ticks` at which a comparator of the hart whose interrupt is in `enabled` becomes pending. */
export function nextTimer(hart: u32, ticks: u64, enabled: u64): u64 {
  const time = ticks / TICKS_PER_MTIME;
  const shown = mtimeAt(ticks);
  let next = NEVER;
  if (enabled & MTIP) next = min(next, reached(time, shown, get(hart, HART_MTIMECMP)));
  if (get(hart, HART_MENVCFG) & ENV_STCE) {
    if (enabled & STIP) next = min(next, reached(time, shown, get(hart, HART_STIMECMP)));
    if (enabled & VSTIP && get(hart, HART_HENVCFG) & ENV_STCE) {
      next = min(next, reached(time, shown + get(hart, HART_HTIMEDELTA), get(hart, HART_VSTIMECMP)));
    }
  }
  return next;
}

/**
 * Tick at which a clock that shows `shown` at `time` (virtual time in units of mtime) reaches `compare`; NEVER when it
 * already has.
 */
function reached(time: u64, shown: u64, compare: u64): u64 {
  if (shown >= compare) return NEVER;
  const wait = compare - shown;
  // Beyond about 292 years of virtual time: not in this run.
  if (wait > NEVER / 2 / TICKS_PER_MTIME || time > NEVER / 2 / TICKS_PER_MTIME) return NEVER;
  return (time + wait) * TICKS_PER_MTIME;
}

/** Highest-priority interrupt of a set: MEI, MSI, MTI, SEI, SSI, STI, VSEI, VSSI, VSTI. */
function highest(set: u64): u32 {
  if (set == 0) return NONE;
  if (set & MEIP) return 11;
  if (set & MSIP) return 3;
  if (set & MTIP) return 7;
  if (set & SEIP) return 9;
  if (set & SSIP) return 1;
  if (set & STIP) return 5;
  if (set & VSEIP) return 10;
  if (set & VSSIP) return 2;
  if (set & VSTIP) return 6;
  return NONE;
}
