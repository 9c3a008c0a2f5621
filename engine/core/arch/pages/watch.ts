/**
 * Watched ranges of RAM, and the record of the accesses that touch them. Purely an observer: it may end a slice, which
 * no state shows.
 * Relies on pages with watched ranges getting no fast entry in the translation caches, so that each access of a hart
 * comes here, and on `run` stopping when the record is half full. Stores from outside are observed in TypeScript.
 */
import {
  ACCESS_AFTER,
  ACCESS_BEFORE,
  ACCESS_BYTES,
  ACCESS_HART,
  ACCESS_HOST,
  ACCESS_KIND,
  ACCESS_MODE,
  ACCESS_MOMENT,
  ACCESS_PC,
  ACCESS_SIZE_BYTES,
  ACCESS_TICKS,
  ACCESS_VMID,
  HART_BASE,
  HART_HART_ID,
  HART_HGATP,
  HART_PC,
  HART_RESYNC,
  HART_STRIDE,
  HART_TRAPS,
  MACHINE_ACCESSES_CAPACITY,
  MACHINE_ACCESSES_COUNT,
  MACHINE_ACCESSES_HOST,
  MACHINE_CURRENT_HART,
  MACHINE_MOMENT,
  MACHINE_RAM_BYTES,
  MACHINE_STOP_WATCHPOINT,
  MACHINE_WATCHES_COUNT,
  MACHINE_WATCHES_HOST,
  PAGE_BYTES,
  PAGE_WATCH_READS,
  PAGE_WATCH_WRITES,
  RESYNC_END_SLICE,
  WATCH_FROM,
  WATCH_KINDS,
  WATCH_READS,
  WATCH_SIZE_BYTES,
  WATCH_STOPS_READS,
  WATCH_STOPS_WRITES,
  WATCH_TO,
  WATCH_WRITES,
} from '../layout.gen';
import { get, get32, machine, machine32, now, set32, setMachine32, spent } from '../state/state';
import { modeNow } from '../state/events';
import { pageFlags, pageOf, setPageFlags } from './pages';

/** Takes the first `count` ranges at MACHINE.watchesHost as the watched ones. The caller flushes translations. */
export function useWatches(count: u32): void {
  const pages = <u32>machine(MACHINE_RAM_BYTES) / PAGE_BYTES;
  for (let page: u32 = 0; page < pages; page++) {
    setPageFlags(page, pageFlags(page) & ~(PAGE_WATCH_READS | PAGE_WATCH_WRITES));
  }
  for (let i: u32 = 0; i < count; i++) {
    const watch = machine32(MACHINE_WATCHES_HOST) + i * WATCH_SIZE_BYTES;
    const kinds = load<u32>(watch, WATCH_KINDS);
    const flags = (kinds & WATCH_READS ? PAGE_WATCH_READS : 0) | (kinds & WATCH_WRITES ? PAGE_WATCH_WRITES : 0);
    const last = pageOf(load<u32>(watch, WATCH_TO) - 1);
    for (let page = pageOf(load<u32>(watch, WATCH_FROM)); page <= last; page++) {
      setPageFlags(page, pageFlags(page) | flags);
    }
  }
  setMachine32(MACHINE_WATCHES_COUNT, count);
  setMachine32(MACHINE_STOP_WATCHPOINT, 0);
}

/** Whether loads from the page at linear-memory address `host` may be cached. */
// @ts-ignore: decorator
@inline
export function watchesReads(host: u32): bool {
  return machine32(MACHINE_WATCHES_COUNT) != 0 && (pageFlags(pageOf(host)) & PAGE_WATCH_READS) != 0;
}

/** Records a read of `bytes` bytes at `host` if they are watched. Whether they were. */
export function observeRead(host: u32, bytes: u32, value: u64, kind: u32): bool {
  const kinds = kindsOf(host, bytes);
  if (!(kinds & WATCH_READS)) return false;
  recordAccess(host, bytes, value, value, kind, (kinds & WATCH_STOPS_READS) != 0);
  return true;
}

/** Records a write of `bytes` bytes at `host` if they are watched. */
export function observeWrite(host: u32, bytes: u32, before: u64, after: u64, kind: u32): void {
  const kinds = kindsOf(host, bytes);
  if (kinds & WATCH_WRITES) recordAccess(host, bytes, before, after, kind, (kinds & WATCH_STOPS_WRITES) != 0);
}

/** Whether so many accesses wait that `run` stops before the next instruction. */
export function accessesFull(): bool {
  return machine32(MACHINE_ACCESSES_COUNT) > machine32(MACHINE_ACCESSES_CAPACITY) / 2;
}

/** Whether `run` stops before the next instruction because of what has been accessed. */
export function stopsForAccesses(): bool {
  return machine32(MACHINE_STOP_WATCHPOINT) != 0 || accessesFull();
}

/** WATCH_* bits of all ranges that [host, host + bytes) touches. */
function kindsOf(host: u32, bytes: u32): u32 {
  const list = machine32(MACHINE_WATCHES_HOST);
  const count = machine32(MACHINE_WATCHES_COUNT);
  let from: u32 = 0;
  let to = count;
  // The first range that ends behind `host`.
  while (from < to) {
    const middle = (from + to) / 2;
    if (load<u32>(list + middle * WATCH_SIZE_BYTES, WATCH_TO) > host) to = middle;
    else from = middle + 1;
  }
  let kinds: u32 = 0;
  for (; from < count; from++) {
    const watch = list + from * WATCH_SIZE_BYTES;
    if (load<u32>(watch, WATCH_FROM) >= host + bytes) break;
    kinds |= load<u32>(watch, WATCH_KINDS);
  }
  return kinds;
}

function recordAccess(host: u32, bytes: u32, before: u64, after: u64, kind: u32, stops: bool): void {
  const hart = HART_BASE + machine32(MACHINE_CURRENT_HART) * HART_STRIDE;
  const count = machine32(MACHINE_ACCESSES_COUNT);
  if (stops) setMachine32(MACHINE_STOP_WATCHPOINT, 1);
  if (stops || accessesFull()) set32(hart, HART_RESYNC, get32(hart, HART_RESYNC) | RESYNC_END_SLICE);
  const access = machine32(MACHINE_ACCESSES_HOST) + count * ACCESS_SIZE_BYTES;
  // The instruction is paid for already.
  const retired = spent(hart) - get32(hart, HART_TRAPS) - 1;
  store<u64>(access, machine(MACHINE_MOMENT) + <u64>retired, ACCESS_MOMENT);
  store<u64>(access, now(hart) - 1, ACCESS_TICKS);
  store<u64>(access, get(hart, HART_PC), ACCESS_PC);
  store<u64>(access, before, ACCESS_BEFORE);
  store<u64>(access, after, ACCESS_AFTER);
  store<u32>(access, host, ACCESS_HOST);
  store<u32>(access, <u32>(get(hart, HART_HGATP) >> 44) & 0x3fff, ACCESS_VMID);
  store<u8>(access, <u8>kind, ACCESS_KIND);
  store<u8>(access, <u8>bytes, ACCESS_BYTES);
  store<u8>(access, <u8>get(hart, HART_HART_ID), ACCESS_HART);
  store<u8>(access, <u8>modeNow(hart), ACCESS_MODE);
  setMachine32(MACHINE_ACCESSES_COUNT, count + 1);
}
