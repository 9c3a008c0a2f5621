/**
 * Physical pages: where they are in linear memory, their flags, and the one way by which stores reach RAM outside the
 * interpreter's fast path. Keeps decoded code, translations and dirty flags right. Relies on paddr/host being in range.
 *
 * A page's number counts RAM pages from 0, then ROM pages.
 */
import {
  HART_BASE,
  HART_RESERVED,
  HART_RESERVED_ADDR,
  HART_STRIDE,
  MACHINE_HART_COUNT,
  MACHINE_PAGE_FLAGS_HOST,
  MACHINE_PAGE_SLOTS_HOST,
  MACHINE_RAM_BYTES,
  MACHINE_RAM_HOST,
  MACHINE_ROM_HOST,
  MACHINE_TABLE_PAGES_COUNT,
  MACHINE_TABLE_PAGES_HOST,
  MACHINE_TLB_HOST,
  PAGE_BYTES,
  PAGE_CODE,
  PAGE_DIRTY_CHECKPOINT,
  PAGE_DIRTY_DIGEST,
  PAGE_TABLE,
  PAGE_WRITE_CACHED,
  RAM_BASE,
  ROM_BASE,
  ROM_PAGES,
  SLOT_BYTES,
  SLOT_OP_AND_LENGTH,
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_ENTRY_BYTES,
  TLB_HART_BYTES,
  TLB_TAG,
} from './layout.gen';
import { machine, machine32, set32, setMachine32, STORE } from './state';
import { flushTranslations } from './tlb';

export const NO_TAG: u64 = ~0;
const PTE_VALID: u64 = 1;
const DIRTY: u32 = PAGE_DIRTY_CHECKPOINT | PAGE_DIRTY_DIGEST;
const OFFSET: u32 = PAGE_BYTES - 1;

/** Whether all of [paddr, paddr + bytes) is RAM. */
export function isRam(paddr: u64, bytes: u64): bool {
  const offset = paddr - RAM_BASE;
  const size = machine(MACHINE_RAM_BYTES);
  return offset < size && bytes <= size - offset;
}

/** Linear-memory address of a byte in RAM or ROM; 0 when `paddr` is neither. Valid up to the end of its page. */
export function hostOf(paddr: u64): u32 {
  const offset = paddr - RAM_BASE;
  if (offset < machine(MACHINE_RAM_BYTES)) return machine32(MACHINE_RAM_HOST) + <u32>offset;
  const romOffset = paddr - ROM_BASE;
  if (romOffset < ROM_PAGES * PAGE_BYTES) return machine32(MACHINE_ROM_HOST) + <u32>romOffset;
  return 0;
}

/** Number of the page that a linear-memory address of RAM or ROM lies in. */
export function pageOf(host: u32): u32 {
  const offset = host - machine32(MACHINE_RAM_HOST);
  const ramBytes = <u32>machine(MACHINE_RAM_BYTES);
  if (offset < ramBytes) return offset / PAGE_BYTES;
  return ramBytes / PAGE_BYTES + (host - machine32(MACHINE_ROM_HOST)) / PAGE_BYTES;
}

// @ts-ignore: decorator
@inline
export function pageFlags(page: u32): u32 {
  return load<u8>(machine32(MACHINE_PAGE_FLAGS_HOST) + page);
}

// @ts-ignore: decorator
@inline
export function setPageFlags(page: u32, flags: u32): void {
  store<u8>(machine32(MACHINE_PAGE_FLAGS_HOST) + page, flags);
}

/** Whether stores to the page may be cached; marks it so, and dirty. ROM never is. */
export function prepareWriteCaching(page: u32): bool {
  const flags = pageFlags(page);
  if (flags & (PAGE_CODE | PAGE_TABLE)) return false;
  setPageFlags(page, flags | DIRTY | PAGE_WRITE_CACHED);
  return true;
}

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
  if (size == 8) store<u64>(host, value);
  else if (size == 4) store<u32>(host, <u32>value);
  else if (size == 2) store<u16>(host, <u16>value);
  else store<u8>(host, <u8>value);
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

/** Marks the page as one that translations depend on, and takes its cached write translations away. */
export function markTable(page: u32): void {
  const flags = pageFlags(page);
  if (flags & PAGE_TABLE) return;
  const count = machine32(MACHINE_TABLE_PAGES_COUNT);
  store<u32>(machine32(MACHINE_TABLE_PAGES_HOST) + count * 4, page);
  setMachine32(MACHINE_TABLE_PAGES_COUNT, count + 1);
  setPageFlags(page, flags | PAGE_TABLE);
  uncacheWrites(page);
}

/** Marks the page as holding decoded code, and takes its cached write translations away. */
export function markCode(page: u32): void {
  setPageFlags(page, pageFlags(page) | PAGE_CODE);
  uncacheWrites(page);
}

/** After a flush no translation depends on any page: forgets which pages held tables. */
export function forgetTables(): void {
  const list = machine32(MACHINE_TABLE_PAGES_HOST);
  const count = machine32(MACHINE_TABLE_PAGES_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const page = load<u32>(list + i * 4);
    setPageFlags(page, pageFlags(page) & ~PAGE_TABLE);
  }
  setMachine32(MACHINE_TABLE_PAGES_COUNT, 0);
}

/** Removes every cached write translation of every hart, so that the next store to any page is seen. */
export function uncacheAllWrites(): void {
  const harts = machine32(MACHINE_HART_COUNT);
  for (let i: u32 = 0; i < harts; i++) {
    memory.fill(writeCache(i), 0xff, TLB_ENTRIES * TLB_ENTRY_BYTES);
  }
}

/** Removes cached write translations to one page. */
function uncacheWrites(page: u32): void {
  const flags = pageFlags(page);
  if (!(flags & PAGE_WRITE_CACHED)) return;
  setPageFlags(page, flags & ~PAGE_WRITE_CACHED);
  const target = machine32(MACHINE_RAM_HOST) + page * PAGE_BYTES;
  const harts = machine32(MACHINE_HART_COUNT);
  for (let i: u32 = 0; i < harts; i++) {
    const first = writeCache(i);
    const end = first + TLB_ENTRIES * TLB_ENTRY_BYTES;
    for (let entry = first; entry < end; entry += TLB_ENTRY_BYTES) {
      const tag = load<u64>(entry, TLB_TAG);
      if ((<u32>tag & ~OFFSET) + load<u32>(entry, TLB_ADDEND) == target) store<u64>(entry, NO_TAG, TLB_TAG);
    }
  }
}

// @ts-ignore: decorator
@inline
function writeCache(hartNumber: u32): u32 {
  return machine32(MACHINE_TLB_HOST) + hartNumber * TLB_HART_BYTES + STORE * TLB_ENTRIES * TLB_ENTRY_BYTES;
}

/** Un-decodes the slots of instructions that the bytes [offset, offset + bytes) of a page are part of. */
function undecode(page: u32, offset: u32, bytes: u32): void {
  const block = load<u32>(machine32(MACHINE_PAGE_SLOTS_HOST) + page * 4);
  const firstHalf = offset >> 1;
  // A 32-bit instruction may start one half-word earlier.
  let slot = block + (firstHalf == 0 ? 0 : firstHalf - 1) * SLOT_BYTES;
  const last = block + ((offset + bytes - 1) >> 1) * SLOT_BYTES;
  for (; slot <= last; slot += SLOT_BYTES) store<u32>(slot, 0, SLOT_OP_AND_LENGTH);
}
