/**
 * The ring of observed privilege transitions. Purely an observer: nothing here influences the run.
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
  HART_TRAPS,
  MACHINE_EVENTS_CAPACITY,
  MACHINE_EVENTS_COUNT,
  MACHINE_EVENTS_ENABLED,
  MACHINE_EVENTS_HOST,
  MACHINE_MOMENT,
} from './layout.gen';
import { get, get32, machine, machine32, now, priv, setMachine32, spent, virt } from './state';

/** Cause of an event that is a return. */
export const RETURN: u32 = 0xffff;

/** The hart's mode as an event names it: privilege | V << 2. */
export function modeNow(hart: u32): u32 {
  return priv(hart) | (virt(hart) ? 4 : 0);
}

/** Records a transition that has just happened; `from` is the mode before. */
export function recordTransition(hart: u32, from: u32, cause: u32, pc: u64, tval: u64): void {
  if (!machine32(MACHINE_EVENTS_ENABLED)) return;
  const count = machine32(MACHINE_EVENTS_COUNT);
  if (count >= machine32(MACHINE_EVENTS_CAPACITY)) return;
  const event = machine32(MACHINE_EVENTS_HOST) + count * EVENT_SIZE_BYTES;
  store<u64>(event, machine(MACHINE_MOMENT) + <u64>(spent(hart) - get32(hart, HART_TRAPS)), EVENT_MOMENT);
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
