/**
 * A VM's memory as one number: the contents of all pages that its G-stage tables map, each with its guest-physical
 * place, in any order. Reads tables as they stand, changes nothing, and gives up after a bounded number of leaves, so
 * that tables which point at themselves cost a moment and no more. Relies on page hashes; permissions do not count.
 */
import { MACHINE_MMIO_DATA, MACHINE_PAGE_HASH_HOST, MACHINE_SCRATCH_HOST, PAGE_BYTES, RAM_BASE } from '../layout.gen';
import { mixPage, updatePageHashes } from './hash';
import { hostOf, isRam } from './pages';
import { machine, machine32, setMachine } from '../state/state';

/** hgatp.MODE of Sv39x4; the next two are Sv48x4 and Sv57x4 (manual, "Hypervisor Guest Address Translation"). */
const SV39X4: u32 = 8;
const SV57X4: u32 = 10;
const PPN_MASK: u64 = 0xfffffffffff;
const VALID: u64 = 1;
const LEAF: u64 = 0xe;
const NAPOT: u64 = <u64>1 << 63;
const ENTRIES: u32 = 512;
/** The root table is four pages (manual, "Guest-Page Address Translation"). */
const ROOT_ENTRIES: u32 = 2048;
/** 4 GiB of mapped pages; and as many table entries followed. */
const MAX_PAGES: u32 = 1 << 20;

/** Replaces an hgatp value in MACHINE.mmioData by the digest of that VM's memory; 0 when it names no tables. */
export function hashGuest(): void {
  const hgatp = machine(MACHINE_MMIO_DATA);
  const mode = <u32>(hgatp >> 60);
  if (mode < SV39X4 || mode > SV57X4) return setMachine(MACHINE_MMIO_DATA, 0);
  updatePageHashes();
  store<u32>(machine32(MACHINE_SCRATCH_HOST), MAX_PAGES);
  const root = (hgatp & PPN_MASK & ~3) << 12;
  setMachine(MACHINE_MMIO_DATA, hashTable(root, mode - SV39X4 + 2, 0, ROOT_ENTRIES));
}

function hashTable(table: u64, level: u32, gpaPage: u64, entries: u32): u64 {
  let sum: u64 = 0;
  const pagesEach = <u64>1 << (9 * level);
  for (let i: u32 = 0; i < entries; i++) {
    const at = table + i * 8;
    const host = hostOf(at);
    if (host == 0) return sum;
    const pte = load<u64>(host);
    if (!(pte & VALID)) continue;
    const place = gpaPage + i * pagesEach;
    let page = (pte >> 10) & PPN_MASK;
    // Svnapot: each entry of a 64 KiB range maps the page of its own place.
    if (pte & NAPOT) page = (page & ~15) | (place & 15);
    if (pte & LEAF) sum += hashPages(page, place, pagesEach);
    else if (level != 0 && spend()) sum += hashTable(page << 12, level - 1, place, ENTRIES);
  }
  return sum;
}

function hashPages(page: u64, gpaPage: u64, count: u64): u64 {
  let sum: u64 = 0;
  for (let i: u64 = 0; i < count; i++) {
    const paddr = (page + i) << 12;
    if (!isRam(paddr, PAGE_BYTES) || !spend()) return sum;
    const index = <u32>((paddr - RAM_BASE) / PAGE_BYTES);
    sum += mixPage(gpaPage + i, load<u64>(machine32(MACHINE_PAGE_HASH_HOST) + index * 8));
  }
  return sum;
}

/** Takes one from the budget; false when it is used up. */
function spend(): bool {
  const budget = machine32(MACHINE_SCRATCH_HOST);
  const left = load<u32>(budget);
  if (left == 0) return false;
  store<u32>(budget, left - 1);
  return true;
}
