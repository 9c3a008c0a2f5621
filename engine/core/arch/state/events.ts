/**
 * The ring of what is observed (privilege transitions, writes to CSRs), and the count of instructions retired in
 * HS-mode. Purely an observer: nothing here influences the run.
 * Relies on `run` stopping when the ring is half full and never granting a slice longer than the other half.
 */
import {
  EVENT_ARGUMENTS,
  EVENT_CAUSE,
  EVENT_CONTEXT,
  EVENT_FROM,
  EVENT_FURTHER,
  EVENT_HART,
  EVENT_IS_CSR_WRITE,
  EVENT_IS_TRANSITION,
  EVENT_KIND,
  EVENT_MOMENT,
  EVENT_PC,
  EVENT_SIZE_BYTES,
  EVENT_TICKS,
  EVENT_TO,
  EVENT_VALUE,
  EVENT_VMID,
  EVENT_WORK,
  HART_HART_ID,
  HART_HGATP,
  HART_PC,
  HART_RESYNC,
  HART_SSCRATCH,
  HART_TRAPS,
  HART_WORK_TICKS,
  HART_X,
  MACHINE_EVENTS_CAPACITY,
  MACHINE_EVENTS_COUNT,
  MACHINE_EVENTS_ENABLED,
  MACHINE_EVENTS_HOST,
  COUNTS_HS,
  COUNTS_M,
  MACHINE_COUNTED_MODES,
  MACHINE_HYPERVISOR_COUNT,
  MACHINE_MACHINE_COUNT,
  MACHINE_MODE_FROM,
  MACHINE_MOMENT,
  MACHINE_STOP_COUNT,
  MACHINE_STOP_EVENT,
  OBSERVE_OTHER_TRANSITIONS,
  OBSERVE_STOPS,
  OBSERVE_VM_TRANSITIONS,
  RESYNC_END_SLICE,
} from '../layout.gen';
import { get, get32, M, machine, machine32, now, priv, S, set32, setMachine, setMachine32, spent, virt } from './state';

/** Cause of an event that is a return. */
export const RETURN: u32 = 0xffff;

/** The hart's mode as an event names it: privilege | V << 2. */
export function modeNow(hart: u32): u32 {
  return priv(hart) | (virt(hart) ? 4 : 0);
}

/** True when some search wants to stop at an exact count of instructions of a mode, as `modeNow` names it. */
export function stopsByCount(mode: u32): bool {
  if (machine(MACHINE_STOP_COUNT) == ~(<u64>0)) return false;
  const counted = machine32(MACHINE_COUNTED_MODES);
  return (mode == S && (counted & COUNTS_HS) != 0) || (mode == M && (counted & COUNTS_M) != 0);
}

/** What stopCount is compared with. */
export function countedInstructions(): u64 {
  const counted = machine32(MACHINE_COUNTED_MODES);
  const ofHypervisor = counted & COUNTS_HS ? machine(MACHINE_HYPERVISOR_COUNT) : 0;
  return ofHypervisor + (counted & COUNTS_M ? machine(MACHINE_MACHINE_COUNT) : 0);
}

/** Counts a stretch in a mode that ends when `retired` instructions of the slice have retired. */
export function countStretch(mode: u32, retired: u32): void {
  const stretch = <u64>(retired - machine32(MACHINE_MODE_FROM));
  if (mode == S) setMachine(MACHINE_HYPERVISOR_COUNT, machine(MACHINE_HYPERVISOR_COUNT) + stretch);
  else if (mode == M) setMachine(MACHINE_MACHINE_COUNT, machine(MACHINE_MACHINE_COUNT) + stretch);
}

/**
 * Records a transition that has just happened; `from` is the mode before. `gpa`: of a trap that does not go to VS-mode,
 * as mtval2 and htval take it.
 */
export function recordTransition(hart: u32, from: u32, cause: u32, pc: u64, tval: u64, gpa: u64): void {
  const retired = spent(hart) - get32(hart, HART_TRAPS);
  countStretch(from, retired);
  setMachine32(MACHINE_MODE_FROM, retired);
  // The next slice is no longer than what is left to the stop.
  if (stopsByCount(modeNow(hart))) set32(hart, HART_RESYNC, get32(hart, HART_RESYNC) | RESYNC_END_SLICE);
  const isOfVm = ((from ^ modeNow(hart)) & 4) != 0;
  if (!observes(isOfVm ? OBSERVE_VM_TRANSITIONS : OBSERVE_OTHER_TRANSITIONS)) return;
  const event = newEvent(hart, EVENT_IS_TRANSITION, from, cause, pc);
  if (event == FULL) return;
  store<u64>(event, tval, EVENT_VALUE);
  store<u64>(event, gpa, EVENT_FURTHER);
  const first = hart + HART_X + 8 * A0;
  for (let n: u32 = 0; n < 8; n++) store<u64>(event + 8 * n, load<u64>(first + 8 * n), EVENT_ARGUMENTS);
}

/** Whether somebody wants to see what OBSERVE_* names. */
// @ts-ignore: decorator
@inline
export function observes(what: u32): bool {
  return (machine32(MACHINE_EVENTS_ENABLED) & what) != 0;
}

/** Records what the CSR instruction at HART.pc has written: what it read as before, and as it reads now. */
export function recordCsrWrite(hart: u32, number: u32, before: u64, after: u64): void {
  const event = newEvent(hart, EVENT_IS_CSR_WRITE, modeNow(hart), number, get(hart, HART_PC));
  if (event == FULL) return;
  store<u64>(event, before, EVENT_VALUE);
  store<u64>(event, after, EVENT_FURTHER);
}

/** Result of `newEvent` that is no address. `run` sees to it that the ring has room. */
const FULL: u32 = 0;
/** Register that holds the first argument. */
const A0: u32 = 10;

/** Adds an event to the ring, with what all have in common, and returns its address. */
function newEvent(hart: u32, kind: u32, from: u32, cause: u32, pc: u64): u32 {
  const count = machine32(MACHINE_EVENTS_COUNT);
  if (count >= machine32(MACHINE_EVENTS_CAPACITY)) return FULL;
  setMachine32(MACHINE_EVENTS_COUNT, count + 1);
  if (observes(OBSERVE_STOPS)) {
    setMachine32(MACHINE_STOP_EVENT, 1);
    set32(hart, HART_RESYNC, get32(hart, HART_RESYNC) | RESYNC_END_SLICE);
  }
  const event = machine32(MACHINE_EVENTS_HOST) + count * EVENT_SIZE_BYTES;
  store<u64>(event, machine(MACHINE_MOMENT) + <u64>(spent(hart) - get32(hart, HART_TRAPS)), EVENT_MOMENT);
  store<u64>(event, now(hart), EVENT_TICKS);
  store<u64>(event, pc, EVENT_PC);
  store<u64>(event, get(hart, HART_WORK_TICKS) + <u64>spent(hart), EVENT_WORK);
  store<u64>(event, get(hart, HART_SSCRATCH), EVENT_CONTEXT);
  store<u32>(event, cause, EVENT_CAUSE);
  store<u32>(event, <u32>(get(hart, HART_HGATP) >> 44) & 0x3fff, EVENT_VMID);
  store<u8>(event, <u8>kind, EVENT_KIND);
  store<u8>(event, <u8>get(hart, HART_HART_ID), EVENT_HART);
  store<u8>(event, <u8>from, EVENT_FROM);
  store<u8>(event, <u8>modeNow(hart), EVENT_TO);
  return event;
}
