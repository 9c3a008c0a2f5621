/**
 * Traps and returns: delegation, trap entry in M, HS and VS, and mret/sret (privileged manual, "Machine-Level CSRs",
 * "Traps" of the H extension). Relies on HART.pc being the trapped instruction's. A trap costs a tick and retires
 * nothing.
 */
import {
  GVA,
  HART_HEDELEG,
  HART_HIDELEG,
  HART_HSTATUS,
  HART_HTINST,
  HART_HTVAL,
  HART_MCAUSE,
  HART_MEDELEG,
  HART_MEPC,
  HART_MIDELEG,
  HART_MSTATUS,
  HART_MTINST,
  HART_MTVAL,
  HART_MTVAL2,
  HART_MTVEC,
  HART_PC,
  HART_PRIV,
  HART_RESERVED,
  HART_RESYNC,
  HART_SCAUSE,
  HART_SEPC,
  HART_STVAL,
  HART_STVEC,
  HART_TRAPS,
  HART_VIRT,
  HART_VSCAUSE,
  HART_VSEPC,
  HART_VSSTATUS,
  HART_VSTVAL,
  HART_VSTVEC,
  HART_WALK_CAUSE,
  HART_WALK_GPA,
  HART_WALK_IMPLICIT,
  HS_GVA,
  HS_SPV,
  HS_SPVP,
  MACHINE_MOMENT,
  MACHINE_STOP_REQUEST,
  MACHINE_TRAP_MOMENT,
  MACHINE_TRAP_RUN,
  MIE,
  MODE_VIRT,
  MPIE,
  MPP,
  MPP_SHIFT,
  MPRV,
  MPV,
  RESYNC_END_SLICE,
  RESYNC_PC,
  SIE,
  SPIE,
  SPP,
  STUCK_TRAPS,
} from '../layout.gen';
import { logsSteps, stepTraps } from '../pages/steps';
import { modeNow, recordTransition, RETURN } from '../state/events';
import { interruptToTake, NONE } from '../state/interrupts';
import {
  CAUSE_FETCH_ACCESS,
  CAUSE_FETCH_GUEST_PAGE,
  CAUSE_FETCH_PAGE,
  CAUSE_ILLEGAL,
  CAUSE_LOAD_ACCESS,
  CAUSE_LOAD_GUEST_PAGE,
  CAUSE_LOAD_PAGE,
  CAUSE_STORE_ACCESS,
  CAUSE_STORE_GUEST_PAGE,
  CAUSE_STORE_PAGE,
  CAUSE_VIRTUAL_INSTRUCTION,
  FETCH,
  get,
  get32,
  INTERRUPT,
  LOAD,
  M,
  machine,
  machine32,
  now,
  priv,
  S,
  set,
  set32,
  setMachine,
  setMachine32,
  spent,
  U,
  virt,
} from '../state/state';
import { transformedAtPc } from '../translation/transform';
import { updateContexts } from '../code/tlb';
import { ACCESS_FAULT, BY_READ, BY_WRITE, GUEST_PAGE_FAULT } from '../translation/walk';

/** Values of mtinst/htinst for a fault on an implicit 64-bit read or write of a VS-stage page table. */
const IMPLICIT_READ: u32 = 0x3000;
const IMPLICIT_WRITE: u32 = 0x3020;

/** An exception without a guest address. */
export function raise(hart: u32, cause: u64, tval: u64): void {
  takeTrap(hart, cause, tval, 0, 0, false);
}

/** Illegal-instruction exception; tval is the instruction. */
export function raiseIllegal(hart: u32, raw: u64): void {
  raise(hart, CAUSE_ILLEGAL, raw);
}

/** Virtual-instruction exception; tval is the instruction. */
export function raiseVirtual(hart: u32, raw: u64): void {
  raise(hart, CAUSE_VIRTUAL_INSTRUCTION, raw);
}

/**
 * The exception of a failed translation, as HART.walk* describes it. `va` is the first byte that could not be accessed,
 * `offset` its distance from the address of the access, `mode` the access's MODE_* bits.
 */
export function raiseWalk(hart: u32, access: u32, va: u64, offset: u32, mode: u32): void {
  const kind = get32(hart, HART_WALK_CAUSE);
  if (kind == ACCESS_FAULT) return raiseAccess(hart, access, va, offset, mode);
  let cause = access == LOAD ? CAUSE_LOAD_PAGE : access == FETCH ? CAUSE_FETCH_PAGE : CAUSE_STORE_PAGE;
  if (kind == GUEST_PAGE_FAULT) {
    cause = access == LOAD ? CAUSE_LOAD_GUEST_PAGE : access == FETCH ? CAUSE_FETCH_GUEST_PAGE : CAUSE_STORE_GUEST_PAGE;
  }
  const gpa = get(hart, HART_WALK_GPA);
  const implicit = get32(hart, HART_WALK_IMPLICIT);
  const tinst =
    implicit == BY_READ ? IMPLICIT_READ : implicit == BY_WRITE ? IMPLICIT_WRITE : tinstOf(hart, access, offset, cause);
  takeTrap(hart, cause, va, gpa, tinst, (mode & MODE_VIRT) != 0);
}

/** An access fault: PMP, or nothing answers at the physical address. */
export function raiseAccess(hart: u32, access: u32, va: u64, offset: u32, mode: u32): void {
  const cause = access == LOAD ? CAUSE_LOAD_ACCESS : access == FETCH ? CAUSE_FETCH_ACCESS : CAUSE_STORE_ACCESS;
  takeTrap(hart, cause, va, 0, tinstOf(hart, access, offset, cause), (mode & MODE_VIRT) != 0);
}

/** A misaligned address of an atomic instruction. */
export function raiseMisaligned(hart: u32, cause: u64, va: u64, mode: u32): void {
  takeTrap(hart, cause, va, 0, tinstOf(hart, LOAD, 0, cause), (mode & MODE_VIRT) != 0);
}

/** Takes interrupt `number` before the instruction at HART.pc. */
export function takeInterrupt(hart: u32, number: u32): void {
  takeTrap(hart, INTERRUPT | <u64>number, 0, 0, 0, false);
}

/** MRET without its privilege check. */
export function returnFromM(hart: u32): void {
  const mstatus = get(hart, HART_MSTATUS);
  const privilege = <u32>((mstatus & MPP) >> MPP_SHIFT);
  let next = mstatus & ~(MPP | MPV | MIE);
  if (mstatus & MPIE) next |= MIE;
  next |= MPIE;
  if (privilege != M) next &= ~MPRV;
  set(hart, HART_MSTATUS, next);
  returnTo(hart, get(hart, HART_MEPC), privilege, privilege != M && (mstatus & MPV) != 0);
}

/** SRET without its privilege checks: from VS-mode by the VS registers, else by those of HS-mode. */
export function returnFromS(hart: u32): void {
  if (virt(hart)) {
    const vsstatus = get(hart, HART_VSSTATUS);
    set(hart, HART_VSSTATUS, popped(vsstatus));
    returnTo(hart, get(hart, HART_VSEPC), vsstatus & SPP ? S : U, true);
    return;
  }
  const mstatus = get(hart, HART_MSTATUS);
  const hstatus = get(hart, HART_HSTATUS);
  set(hart, HART_MSTATUS, popped(mstatus) & ~MPRV);
  set(hart, HART_HSTATUS, hstatus & ~HS_SPV);
  returnTo(hart, get(hart, HART_SEPC), mstatus & SPP ? S : U, (hstatus & HS_SPV) != 0);
}

/** Where a trap goes: 3 M, 1 HS, 5 VS (as events name modes). */
function targetOf(hart: u32, cause: u64): u32 {
  if (priv(hart) == M) return M;
  const bit = <u64>1 << (cause & 63);
  const isInterrupt = (cause & INTERRUPT) != 0;
  if (!(get(hart, isInterrupt ? HART_MIDELEG : HART_MEDELEG) & bit)) return M;
  if (virt(hart) && get(hart, isInterrupt ? HART_HIDELEG : HART_HEDELEG) & bit) return S | 4;
  return S;
}

function takeTrap(hart: u32, cause: u64, tval: u64, gpa: u64, tinst: u32, guestAddress: bool): void {
  const from = modeNow(hart);
  const pc = get(hart, HART_PC);
  const target = targetOf(hart, cause);
  if (target == M) enterM(hart, cause, tval, gpa, tinst, guestAddress);
  else if (target == S) enterHs(hart, cause, tval, gpa, tinst, guestAddress);
  else enterVs(hart, cause, tval);
  // A reservation of one context must not let another's SC succeed.
  set32(hart, HART_RESERVED, 0);
  updateContexts(hart);
  // Counted first: the event's moment must not take the trapping instruction for a retired one.
  set32(hart, HART_TRAPS, get32(hart, HART_TRAPS) + 1);
  const number = <u32>(cause & 0xffff) | (cause & INTERRUPT ? 0x80000000 : 0);
  recordTransition(hart, from, number, pc, tval, target == (S | 4) ? 0 : gpa);
  if (logsSteps()) stepTraps(hart, from, number, pc, tval, gpa);
  set32(hart, HART_RESYNC, get32(hart, HART_RESYNC) | RESYNC_PC);
  countFruitless(hart);
}

/**
 * Counts traps of all harts since the last retired instruction; at every STUCK_TRAPS of them run() is left to judge.
 */
function countFruitless(hart: u32): void {
  const moment = machine(MACHINE_MOMENT) + <u64>(spent(hart) - get32(hart, HART_TRAPS));
  const count = machine(MACHINE_TRAP_MOMENT) == moment ? machine32(MACHINE_TRAP_RUN) + 1 : 1;
  setMachine(MACHINE_TRAP_MOMENT, moment);
  setMachine32(MACHINE_TRAP_RUN, count);
  if (count % STUCK_TRAPS != 0) return;
  setMachine32(MACHINE_STOP_REQUEST, 1);
  set32(hart, HART_RESYNC, get32(hart, HART_RESYNC) | RESYNC_END_SLICE);
}

function enterM(hart: u32, cause: u64, tval: u64, gpa: u64, tinst: u32, guestAddress: bool): void {
  const before = get(hart, HART_MSTATUS);
  let mstatus = before & ~(MPP | MPV | GVA | MPIE | MIE);
  mstatus |= <u64>priv(hart) << MPP_SHIFT;
  if (virt(hart)) mstatus |= MPV;
  if (guestAddress) mstatus |= GVA;
  if (before & MIE) mstatus |= MPIE;
  set(hart, HART_MSTATUS, mstatus);
  set(hart, HART_MEPC, get(hart, HART_PC));
  set(hart, HART_MCAUSE, cause);
  set(hart, HART_MTVAL, tval);
  set(hart, HART_MTVAL2, gpa);
  set(hart, HART_MTINST, tinst);
  enter(hart, get(hart, HART_MTVEC), cause, M, 0);
}

function enterHs(hart: u32, cause: u64, tval: u64, gpa: u64, tinst: u32, guestAddress: bool): void {
  let hstatus = get(hart, HART_HSTATUS) & ~(HS_GVA | HS_SPV);
  if (guestAddress) hstatus |= HS_GVA;
  if (virt(hart)) {
    // SPVP keeps its value on traps that do not come from a guest.
    hstatus = (hstatus & ~HS_SPVP) | HS_SPV | (priv(hart) == S ? HS_SPVP : 0);
  }
  set(hart, HART_HSTATUS, hstatus);
  set(hart, HART_MSTATUS, pushed(get(hart, HART_MSTATUS), priv(hart)));
  set(hart, HART_SEPC, get(hart, HART_PC));
  set(hart, HART_SCAUSE, cause);
  set(hart, HART_STVAL, tval);
  set(hart, HART_HTVAL, gpa);
  set(hart, HART_HTINST, tinst);
  enter(hart, get(hart, HART_STVEC), cause, S, 0);
}

function enterVs(hart: u32, cause: u64, tval: u64): void {
  // VS-mode sees its interrupts under the numbers of S-mode, one below.
  const seen = cause & INTERRUPT ? cause - 1 : cause;
  set(hart, HART_VSSTATUS, pushed(get(hart, HART_VSSTATUS), priv(hart)));
  set(hart, HART_VSEPC, get(hart, HART_PC));
  set(hart, HART_VSCAUSE, seen);
  set(hart, HART_VSTVAL, tval);
  enter(hart, get(hart, HART_VSTVEC), seen, S, 1);
}

/** sstatus after a trap from `privilege`. */
function pushed(status: u64, privilege: u32): u64 {
  let next = status & ~(SPP | SPIE | SIE);
  if (privilege == S) next |= SPP;
  if (status & SIE) next |= SPIE;
  return next;
}

/** sstatus after SRET. */
function popped(status: u64): u64 {
  let next = status & ~(SPP | SIE);
  if (status & SPIE) next |= SIE;
  return next | SPIE;
}

function enter(hart: u32, vector: u64, cause: u64, privilege: u32, isVirtual: u32): void {
  let pc = vector & ~3;
  if (vector & 1 && cause & INTERRUPT) pc += 4 * (cause & 63);
  set(hart, HART_PC, pc);
  set32(hart, HART_PRIV, privilege);
  set32(hart, HART_VIRT, isVirtual);
}

function returnTo(hart: u32, pc: u64, privilege: u32, isVirtual: bool): void {
  const from = modeNow(hart);
  set(hart, HART_PC, pc);
  set32(hart, HART_PRIV, privilege);
  set32(hart, HART_VIRT, isVirtual ? 1 : 0);
  set32(hart, HART_RESERVED, 0);
  updateContexts(hart);
  recordTransition(hart, from, RETURN, pc, 0, 0);
  // A pending interrupt that this return enables is taken before the next instruction.
  const end: u32 = interruptToTake(hart, now(hart)) != NONE ? RESYNC_END_SLICE : 0;
  set32(hart, HART_RESYNC, get32(hart, HART_RESYNC) | RESYNC_PC | end);
}

/**
 * mtinst/htinst of a load or store: the instruction transformed as QEMU does; 0 when VS-mode handles it, or for
 * fetches.
 */
function tinstOf(hart: u32, access: u32, offset: u32, cause: u64): u32 {
  if (access == FETCH || targetOf(hart, cause) == (S | 4)) return 0;
  return transformedAtPc(hart, offset);
}
