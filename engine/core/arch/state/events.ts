/**
 * The ring of observed privilege transitions, and the count of instructions retired in HS-mode. Purely an observer:
 * nothing here influences the run.
 * Relies on `run` stopping when the ring is half full and never granting a slice longer than the other half.
 */
import {
  EVENT_CAUSE,
  EVENT_FROM,
  EVENT_HART,
  EVENT_MOMENT,
  EVENT_PC,
  EVENT_SIZE_BYTES,
  EVENT_TICKS,
  EVENT_TO,
  EVENT_TVAL,
  EVENT_VMID,
  HART_HGATP,
  HART_HART_ID,
  HART_RESYNC,
  HART_TRAPS,
  MACHINE_EVENTS_CAPACITY,
  MACHINE_EVENTS_COUNT,
  MACHINE_EVENTS_ENABLED,
  MACHINE_EVENTS_HOST,
  MACHINE_HYPERVISOR_COUNT,
  MACHINE_HYPERVISOR_FROM,
  MACHINE_MOMENT,
  MACHINE_STOP_HYPERVISOR,
  RESYNC_END_SLICE,
} from '../layout.gen';
import { get, get32, machine, machine32, now, priv, S, set32, setMachine, setMachine32, spent, virt } from './state';

/** Cause of an event that is a return. */
export const RETURN: u32 = 0xffff;

/** The hart's mode as an event names it: privilege | V << 2. */
export function modeNow(hart: u32): u32 {
  return priv(hart) | (virt(hart) ? 4 : 0);
}

/** True when some search wants to stop at an exact count of HS-mode instructions. */
export function stopsByHypervisor(): bool {
  return machine(MACHINE_STOP_HYPERVISOR) != ~(<u64>0);
}

/** Counts a stretch in HS-mode that ends when `retired` instructions of the slice have retired. */
export function countHypervisor(retired: u32): void {
  const count = machine(MACHINE_HYPERVISOR_COUNT) + <u64>(retired - machine32(MACHINE_HYPERVISOR_FROM));
  setMachine(MACHINE_HYPERVISOR_COUNT, count);
}

/** Records a transition that has just happened; `from` is the mode before. */
export function recordTransition(hart: u32, from: u32, cause: u32, pc: u64, tval: u64): void {
  const retired = spent(hart) - get32(hart, HART_TRAPS);
  if (from == S) countHypervisor(retired);
  if (modeNow(hart) == S) {
    setMachine32(MACHINE_HYPERVISOR_FROM, retired);
    // The next slice is no longer than what is left to the stop.
    if (stopsByHypervisor()) set32(hart, HART_RESYNC, get32(hart, HART_RESYNC) | RESYNC_END_SLICE);
  }
  const enabled = machine32(MACHINE_EVENTS_ENABLED);
  if (enabled == 0 || (enabled == 2 && ((from ^ modeNow(hart)) & 4) == 0)) return;
  const count = machine32(MACHINE_EVENTS_COUNT);
  if (count >= machine32(MACHINE_EVENTS_CAPACITY)) return;
  const event = machine32(MACHINE_EVENTS_HOST) + count * EVENT_SIZE_BYTES;
  store<u64>(event, machine(MACHINE_MOMENT) + <u64>retired, EVENT_MOMENT);
  store<u64>(event, now(hart), EVENT_TICKS);
  store<u64>(event, pc, EVENT_PC);
  store<u64>(event, tval, EVENT_TVAL);
  store<u32>(event, cause, EVENT_CAUSE);
  store<u8>(event, <u8>get(hart, HART_HART_ID), EVENT_HART);
  store<u8>(event, <u8>from, EVENT_FROM);
  store<u8>(event, <u8>modeNow(hart), EVENT_TO);
  store<u32>(event, <u32>(get(hart, HART_HGATP) >> 44) & 0x3fff, EVENT_VMID);
  setMachine32(MACHINE_EVENTS_COUNT, count + 1);
}
