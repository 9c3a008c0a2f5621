/**
 * The one way by which stores reach RAM outside the interpreter's fast path. Keeps decoded code, translations, dirty
 * flags and reservations right. Relies on addresses being in range; does not ask whether the access is allowed.
 */
import {
  ACCESS_STORE,
  ACCESS_TABLE_WRITE,
  HART_BASE,
  HART_RESERVED,
  HART_RESERVED_ADDR,
  HART_STRIDE,
  MACHINE_HART_COUNT,
  MACHINE_RAM_HOST,
  PAGE_BYTES,
  PAGE_CODE,
  PAGE_TABLE,
  PAGE_WATCH_WRITES,
  RAM_BASE,
} from '../layout.gen';
import { undecode } from './code';
import { DIRTY, OFFSET, pageFlags, pageOf, setPageFlags } from '../pages/pages';
import { logsSteps, stepWrites } from '../pages/steps';
import { observeWrite } from '../pages/watch';
import { machine32, readHost, set32 } from '../state/state';
import { flushTranslations } from './tlb';

const PTE_VALID: u64 = 1;

/** Stores 1, 2, 4 or 8 bytes that do not leave their RAM page. */
export function storeRam(host: u32, value: u64, size: u32): void {
  const page = pageOf(host);
  const flags = pageFlags(page);
  setPageFlags(page, flags | DIRTY);
  if (flags & PAGE_CODE) undecode(page, host & OFFSET, size);
  const first = host & ~7;
  const second = (host + size - 1) & ~7;
  const before = load<u64>(first);
  const before2 = load<u64>(second);
  const logs = logsSteps();
  const old = logs || flags & PAGE_WATCH_WRITES ? readHost(host, size) : 0;
  if (size == 8) store<u64>(host, value);
  else if (size == 4) store<u32>(host, <u32>value);
  else if (size == 2) store<u16>(host, <u16>value);
  else store<u8>(host, <u8>value);
  if (flags & PAGE_WATCH_WRITES) observeWrite(host, size, old, readHost(host, size), ACCESS_STORE);
  if (logs) stepWrites(host, size, old, readHost(host, size));
  if (!(flags & PAGE_TABLE)) return;
  if ((before & PTE_VALID && before != load<u64>(first)) || (before2 & PTE_VALID && before2 != load<u64>(second))) {
    flushTranslations();
  }
}

/**
 * Sets A and D bits in the page-table entry at `host`, in RAM. No translation is flushed: those cached do without the
 * bits that were clear.
 */
export function updateEntry(host: u32, entry: u64): void {
  const page = pageOf(host);
  const flags = pageFlags(page);
  setPageFlags(page, flags | DIRTY);
  if (flags & PAGE_CODE) undecode(page, host & OFFSET, 8);
  if (flags & PAGE_WATCH_WRITES) observeWrite(host, 8, load<u64>(host), entry, ACCESS_TABLE_WRITE);
  store<u64>(host, entry);
}

/** Copies `bytes` from linear memory at `from` to RAM at `offset` from its start, as a store by a hart would. */
export function storePhysical(offset: u32, from: u32, bytes: u32): void {
  dropReservations(offset, bytes);
  let flush = false;
  while (bytes > 0) {
    const inPage = offset & OFFSET;
    const count = min<u32>(bytes, PAGE_BYTES - inPage);
    const host = machine32(MACHINE_RAM_HOST) + offset;
    const page = offset / PAGE_BYTES;
    const flags = pageFlags(page);
    setPageFlags(page, flags | DIRTY);
    if (flags & PAGE_CODE) undecode(page, inPage, count);
    // Coarser than a hart's store: any change of a table page flushes.
    if (flags & PAGE_TABLE && memory.compare(host, from, count) != 0) flush = true;
    memory.copy(host, from, count);
    offset += count;
    from += count;
    bytes -= count;
  }
  if (flush) flushTranslations();
}

/** A store from outside a hart ends the reservations that it touches (manual, "Load-Reserved/Store-Conditional"). */
function dropReservations(offset: u32, bytes: u32): void {
  const harts = machine32(MACHINE_HART_COUNT);
  for (let i: u32 = 0; i < harts; i++) {
    const hart = HART_BASE + i * HART_STRIDE;
    const reserved = load<u64>(hart, HART_RESERVED_ADDR) - RAM_BASE;
    if (reserved + 8 > <u64>offset && reserved < <u64>offset + bytes) set32(hart, HART_RESERVED, 0);
  }
}

