/**
 * Physical pages: where they are in linear memory, their flags, and which stores to them may be cached. Relies on
 * addresses being in range.
 *
 * A page's number counts RAM pages from 0, then ROM pages.
 */
import {
  MACHINE_HART_COUNT,
  MACHINE_PAGE_FLAGS_HOST,
  MACHINE_RAM_BYTES,
  MACHINE_STEPS_ENABLED,
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
  PAGE_WATCH_WRITES,
  PAGE_WRITE_CACHED,
  RAM_BASE,
  ROM_BASE,
  ROM_PAGES,
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_ENTRY_BYTES,
  TLB_HART_BYTES,
  TLB_TAG,
} from '../layout.gen';
import { machine, machine32, setMachine32, STORE } from '../state/state';

export const NO_TAG: u64 = ~0;
/** What a store sets. */
export const DIRTY: u32 = PAGE_DIRTY_CHECKPOINT | PAGE_DIRTY_DIGEST;
/** The offset of an address in its page. */
export const OFFSET: u32 = PAGE_BYTES - 1;

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
  if (flags & (PAGE_CODE | PAGE_TABLE | PAGE_WATCH_WRITES) || machine32(MACHINE_STEPS_ENABLED)) return false;
  setPageFlags(page, flags | DIRTY | PAGE_WRITE_CACHED);
  return true;
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
export function uncacheWrites(page: u32): void {
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
