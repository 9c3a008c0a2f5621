/**
 * Privileged instructions and hypervisor loads and stores: privilege checks, and the choice between illegal-instruction
 * and virtual-instruction exceptions (privileged manual, H extension, "Trap Cause Codes" and "WFI in Virtual Operating
 * Modes"). Fences check permissions and do nothing else: the translation caches are coherent.
 */
import {
  HART_HSTATUS,
  HART_MSTATUS,
  HART_RESERVED,
  HART_RESYNC,
  HART_WAITING,
  HS_HU,
  HS_SPVP,
  HS_VTSR,
  HS_VTVM,
  HS_VTW,
  MACHINE_TURN_LEFT,
  MODE_HLVX,
  RESYNC_END_SLICE,
  TSR,
  TVM,
  TW,
} from '../layout.gen';
import { wakes } from '../state/interrupts';
import { loadAs, storeAs } from '../access/memory';
import {
  CAUSE_BREAKPOINT,
  CAUSE_ECALL_M,
  CAUSE_ECALL_S,
  CAUSE_ECALL_U,
  CAUSE_ECALL_VS,
  get,
  get32,
  M,
  now,
  priv,
  S,
  set32,
  setMachine32,
  spent,
  U,
  virt,
} from '../state/state';
import { modeOf } from '../code/tlb';
import { raise, raiseIllegal, raiseVirtual, returnFromM, returnFromS } from '../trap/trap';

/** ECALL: the cause names the mode it comes from. */
export function ecall(hart: u32): u64 {
  const privilege = priv(hart);
  if (privilege == M) raise(hart, CAUSE_ECALL_M, 0);
  else if (privilege == U) raise(hart, CAUSE_ECALL_U, 0);
  else raise(hart, virt(hart) ? CAUSE_ECALL_VS : CAUSE_ECALL_S, 0);
  return 0;
}

/** EBREAK; tval 0 as on QEMU. */
export function ebreak(hart: u32): u64 {
  raise(hart, CAUSE_BREAKPOINT, 0);
  return 0;
}

/** An encoding that is no instruction here: illegal in every mode. */
export function illegal(hart: u32, raw: u64): u64 {
  raiseIllegal(hart, raw);
  return 0;
}

export function mret(hart: u32, raw: u64): u64 {
  if (priv(hart) == M) returnFromM(hart);
  else raiseIllegal(hart, raw);
  return 0;
}

export function sret(hart: u32, raw: u64): u64 {
  const privilege = priv(hart);
  if (virt(hart)) {
    if (privilege == U || get(hart, HART_HSTATUS) & HS_VTSR) raiseVirtual(hart, raw);
    else returnFromS(hart);
  } else if (privilege == U || (privilege == S && get(hart, HART_MSTATUS) & TSR)) raiseIllegal(hart, raw);
  else returnFromS(hart);
  return 0;
}

/** WFI: ends the turn unless an interrupt is pending already. It retires either way. */
export function wfi(hart: u32, raw: u64): u64 {
  const privilege = priv(hart);
  if (privilege != M && get(hart, HART_MSTATUS) & TW) raiseIllegal(hart, raw);
  else if (virt(hart) && (privilege == U || get(hart, HART_HSTATUS) & HS_VTW)) raiseVirtual(hart, raw);
  else if (!virt(hart) && privilege == U) raiseIllegal(hart, raw);
  else if (!wakes(hart, now(hart))) {
    set32(hart, HART_WAITING, 1);
    set32(hart, HART_RESYNC, get32(hart, HART_RESYNC) | RESYNC_END_SLICE);
  }
  return 0;
}

/** SFENCE.W.INVAL, SFENCE.INVAL.IR: nothing to order, but not for user modes; TVM and VTVM do not count here. */
export function sfenceOrder(hart: u32, raw: u64): u64 {
  if (priv(hart) == U) {
    if (virt(hart)) raiseVirtual(hart, raw);
    else raiseIllegal(hart, raw);
  }
  return 0;
}

/**
 * WRS.NTO, WRS.STO: with a reservation held and nothing pending, ends the turn; the next one begins without
 * reservation. The wait is bounded by the other harts' turns, so mstatus.TW and hstatus.VTW never apply.
 */
export function wrs(hart: u32): u64 {
  if (!get32(hart, HART_RESERVED) || wakes(hart, now(hart))) return 0;
  setMachine32(MACHINE_TURN_LEFT, spent(hart));
  set32(hart, HART_RESYNC, get32(hart, HART_RESYNC) | RESYNC_END_SLICE);
  return 0;
}

/** FENCE.I: decoded code is coherent. */
export function fenceI(hart: u32): u64 {
  return 0;
}

export function sfenceVma(hart: u32, address: u64, asid: u64, raw: u64): u64 {
  const privilege = priv(hart);
  if (virt(hart)) {
    if (privilege == U || get(hart, HART_HSTATUS) & HS_VTVM) raiseVirtual(hart, raw);
  } else if (privilege == U || (privilege == S && get(hart, HART_MSTATUS) & TVM)) raiseIllegal(hart, raw);
  return 0;
}

export function hfenceVvma(hart: u32, address: u64, asid: u64, raw: u64): u64 {
  if (virt(hart)) raiseVirtual(hart, raw);
  else if (priv(hart) == U) raiseIllegal(hart, raw);
  return 0;
}

export function hfenceGvma(hart: u32, address: u64, vmid: u64, raw: u64): u64 {
  if (virt(hart)) raiseVirtual(hart, raw);
  else if (priv(hart) == U || (priv(hart) == S && get(hart, HART_MSTATUS) & TVM)) raiseIllegal(hart, raw);
  return 0;
}

/** HLV.* and HLVX.*: a load as the guest of hstatus.SPVP would do it; the value, zero-extended. */
export function hlv(hart: u32, va: u64, bytes: u64, execute: u64, raw: u64): u64 {
  if (!mayAccessGuest(hart, raw)) return 0;
  return loadAs(hart, va, <u32>bytes, guestMode(hart) | (execute ? MODE_HLVX : 0), false);
}

/** HSV.*: a store as the guest of hstatus.SPVP would do it. */
export function hsv(hart: u32, va: u64, value: u64, bytes: u64, raw: u64): u64 {
  if (mayAccessGuest(hart, raw)) storeAs(hart, va, value, <u32>bytes, guestMode(hart), false);
  return 0;
}

/** Hypervisor accesses are for M and HS, and for U when hstatus.HU allows it. */
function mayAccessGuest(hart: u32, raw: u64): bool {
  if (virt(hart)) {
    raiseVirtual(hart, raw);
    return false;
  }
  if (priv(hart) == U && !(get(hart, HART_HSTATUS) & HS_HU)) {
    raiseIllegal(hart, raw);
    return false;
  }
  return true;
}

function guestMode(hart: u32): u32 {
  return modeOf(hart, get(hart, HART_HSTATUS) & HS_SPVP ? S : U, true);
}
