/**
 * Whether floating point is on and marked dirty, and what that and fcsr mean for generated code: HART.floatState and
 * .hostRounding. Privileged manual, "Extension Context Status in mstatus Register"; H extension, "vsstatus".
 * Must be told of every change of fcsr, mstatus.FS, vsstatus.FS and V.
 */
import { FS, HART_FCSR, HART_FLOAT_STATE, HART_HOST_ROUNDING, HART_MSTATUS, HART_VSSTATUS } from '../layout.gen';
import { get, set, set32, virt } from './state';

const ON: u32 = 1;
const DIRTY: u32 = 2;
/** Value of rm that means frm. */
const DYN: u32 = 7;

/** Both levels' FS must be on for a guest. */
export function floatEnabled(hart: u32): bool {
  if (!(get(hart, HART_MSTATUS) & FS)) return false;
  return !virt(hart) || (get(hart, HART_VSSTATUS) & FS) != 0;
}

/** After any change of an f register or of fcsr, by whatever instruction: for a guest, both levels are dirty. */
export function markFloatDirty(hart: u32): void {
  set(hart, HART_MSTATUS, get(hart, HART_MSTATUS) | FS);
  if (virt(hart)) set(hart, HART_VSSTATUS, get(hart, HART_VSSTATUS) | FS);
  updateFloat(hart);
}

/** Recomputes HART.floatState and .hostRounding. */
export function updateFloat(hart: u32): void {
  const mstatus = get(hart, HART_MSTATUS) & FS;
  const vsstatus = virt(hart) ? get(hart, HART_VSSTATUS) & FS : FS;
  const on: u32 = mstatus != 0 && vsstatus != 0 ? ON : 0;
  const dirty: u32 = mstatus == FS && vsstatus == FS ? DIRTY : 0;
  set32(hart, HART_FLOAT_STATE, on | dirty);
  const fcsr = <u32>get(hart, HART_FCSR);
  // Host arithmetic raises no flag: it may stand in once NX, the only one it would raise, is set.
  let rounding: u32 = 0;
  if (dirty != 0 && fcsr & 1) {
    rounding = (1 << 0) | (1 << (8 + 1));
    if (fcsr >> 5 == 0) rounding |= 1 << DYN;
    if (fcsr >> 5 == 1) rounding |= 1 << (8 + DYN);
  }
  set32(hart, HART_HOST_ROUNDING, rounding);
}
