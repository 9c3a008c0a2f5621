/**
 * Writes of CSRs: by row of the table, and the rules that no row can say (WARL as QEMU's virt/rv64 7.2 where the manual
 * leaves a choice). No privilege checks.
 */
import {
  ATP_MODE,
  ATP_MODE_SHIFT,
  COUNTER_CY,
  COUNTER_IR,
  CSR_EFFECT_CONTEXTS,
  CSR_EFFECT_INTERRUPTS,
  CSR_WRITE_CYCLE,
  CSR_WRITE_ENVCFG,
  CSR_WRITE_FLOAT,
  CSR_WRITE_HENVCFG,
  CSR_WRITE_HGATP,
  CSR_WRITE_INHIBIT,
  CSR_WRITE_INSTRET,
  CSR_WRITE_MASKED,
  CSR_WRITE_MIP,
  CSR_WRITE_MSTATUS,
  CSR_WRITE_PMP_ADDRESS,
  CSR_WRITE_PMP_CONFIG,
  CSR_WRITE_SATP,
  CSR_WRITE_STATUS,
  CSR_WRITE_VECTOR,
  ENV_CBIE,
  ENV_CBIE_SHIFT,
  ENV_STCE,
  FS,
  HART_CYCLE_OFFSET,
  HART_HENVCFG,
  HART_HGATP,
  HART_HVIP,
  HART_INSTRET,
  HART_MCOUNTINHIBIT,
  HART_MENVCFG,
  HART_PMPADDR,
  HART_PMPCFG,
  HART_TRAPS,
  MIE,
  MPP,
  MPP_SHIFT,
  MPRV,
  MPV,
  MXR,
  SIE,
  STIP,
  SUM,
  VSSIP,
} from '../layout.gen';
import { effectsOf, shiftOf, targetOf, writableOf, writeRuleOf } from './csr-table';
import { markFloatDirty } from '../state/float-state';
import { writePmpAddress, writePmpConfig } from '../pages/pmp';
import { ENV_GATED, get, get32, now, set, spent } from '../state/state';
import { isMode } from '../translation/walk';

/** What loads and stores are translated by, and whether floating point is on. */
const IN_CONTEXTS: u64 = FS | SUM | MXR | MPRV | MPP | MPV;

/** Writes the CSR of a row, and says with CSR_EFFECT_* what else has to follow. */
export function writeCsr(hart: u32, row: u32, value: u64): u32 {
  const writable = writableOf(hart, row);
  const target = targetOf(row);
  const effects = effectsOf(row);
  switch (writeRuleOf(row)) {
    case CSR_WRITE_MASKED:
      merge(hart, target, value << shiftOf(row), writable);
      return effects;
    case CSR_WRITE_STATUS:
      return writeStatus(hart, target, value, writable);
    case CSR_WRITE_MSTATUS:
      // MPP 2 is no privilege level: MPP keeps its value.
      return writeStatus(hart, target, value, (value & MPP) == <u64>2 << MPP_SHIFT ? writable & ~MPP : writable);
    case CSR_WRITE_VECTOR:
      // A vector mode other than direct and vectored is reserved: the write is ignored.
      if ((value & 3) < 2) merge(hart, target, value, writable);
      return effects;
    case CSR_WRITE_SATP:
      // A write with an unsupported mode has no effect at all.
      if (!isMode(value >> ATP_MODE_SHIFT)) return 0;
      set(hart, target, value);
      return CSR_EFFECT_CONTEXTS;
    case CSR_WRITE_HGATP:
      return writeHgatp(hart, value, writable);
    case CSR_WRITE_ENVCFG:
      merge(hart, target, value, environment(value, writable));
      return effects;
    case CSR_WRITE_HENVCFG:
      // Read-only bits keep what they had, for when menvcfg enables them again.
      merge(hart, HART_HENVCFG, value, environment(value, writable & (get(hart, HART_MENVCFG) | ~ENV_GATED)));
      return effects;
    case CSR_WRITE_MIP:
      // STIP belongs to the comparator once Sstc is on; VSSIP is an alias of hvip's.
      merge(hart, target, value, writable & ~(VSSIP | (get(hart, HART_MENVCFG) & ENV_STCE ? STIP : 0)));
      merge(hart, HART_HVIP, value, VSSIP);
      return effects;
    case CSR_WRITE_FLOAT:
      // A reserved rounding mode is kept; instructions that use it are illegal.
      merge(hart, target, value << shiftOf(row), writable);
      markFloatDirty(hart);
      return 0;
    case CSR_WRITE_CYCLE:
      // Kept as a distance from virtual time.
      set(hart, HART_CYCLE_OFFSET, get(hart, HART_MCOUNTINHIBIT) & COUNTER_CY ? value : value - now(hart));
      return 0;
    case CSR_WRITE_INSTRET:
      // Kept without the running slice's; the next instruction reads what was written ("Hardware Performance Monitor").
      set(hart, HART_INSTRET, get(hart, HART_MCOUNTINHIBIT) & COUNTER_IR ? value : value - retired(hart));
      return 0;
    case CSR_WRITE_INHIBIT:
      return writeInhibit(hart, value & writable);
    case CSR_WRITE_PMP_CONFIG:
      writePmpConfig(hart, (target - HART_PMPCFG) / 8, value & writable);
      return effects;
    case CSR_WRITE_PMP_ADDRESS:
      writePmpAddress(hart, (target - HART_PMPADDR) / 8, value & writable);
      return effects;
    default:
      return 0;
  }
}

/** mcountinhibit: an inhibited counter holds its value, a running one its distance. */
function writeInhibit(hart: u32, after: u64): u32 {
  const changed = get(hart, HART_MCOUNTINHIBIT) ^ after;
  if (changed & COUNTER_CY) {
    const offset = get(hart, HART_CYCLE_OFFSET);
    set(hart, HART_CYCLE_OFFSET, after & COUNTER_CY ? offset + now(hart) : offset - now(hart));
  }
  if (changed & COUNTER_IR) {
    const instret = get(hart, HART_INSTRET);
    set(hart, HART_INSTRET, after & COUNTER_IR ? instret + retired(hart) : instret - retired(hart));
  }
  set(hart, HART_MCOUNTINHIBIT, after);
  return 0;
}

/** Instructions retired in this slice, the current one included. */
function retired(hart: u32): u64 {
  return <u64>(spent(hart) - get32(hart, HART_TRAPS));
}

/** What a write of an environment register changes: CBIE 2 is reserved, and CBIE keeps its value. */
function environment(value: u64, writable: u64): u64 {
  return (value & ENV_CBIE) == <u64>2 << ENV_CBIE_SHIFT ? writable & ~ENV_CBIE : writable;
}

/** Kernels write status registers at every trap: only bits that change have an effect. */
function writeStatus(hart: u32, field: u32, value: u64, writable: u64): u32 {
  const before = get(hart, field);
  merge(hart, field, value, writable);
  const changed = before ^ get(hart, field);
  return (changed & IN_CONTEXTS ? CSR_EFFECT_CONTEXTS : 0) | (changed & (SIE | MIE) ? CSR_EFFECT_INTERRUPTS : 0);
}

/** hgatp: an unsupported mode leaves the mode alone. */
function writeHgatp(hart: u32, value: u64, writable: u64): u32 {
  merge(hart, HART_HGATP, value, isMode(value >> ATP_MODE_SHIFT) ? writable : writable & ~ATP_MODE);
  return CSR_EFFECT_CONTEXTS;
}

/** Replaces the bits of `writable`. */
// @ts-ignore: decorator
@inline
function merge(hart: u32, field: u32, value: u64, writable: u64): void {
  set(hart, field, (get(hart, field) & ~writable) | (value & writable));
}
