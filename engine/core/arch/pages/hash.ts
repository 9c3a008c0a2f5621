/**
 * XXH64 in place (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), and the sum of page hashes that digests build on.
 * Relies on ranges lying in linear memory. Checks nothing.
 */
import {
  MACHINE_PAGE_FLAGS_HOST,
  MACHINE_PAGE_HASH_HOST,
  MACHINE_RAM_BYTES,
  MACHINE_RAM_HASH_SUM,
  MACHINE_RAM_HOST,
  MACHINE_SCRATCH_HOST,
  PAGE_BYTES,
  PAGE_DIRTY_CHECKPOINT,
  PAGE_DIRTY_DIGEST,
} from '../layout.gen';
import { uncacheAllWrites } from './pages';
import { machine, machine32, setMachine } from '../state/state';

const P1: u64 = 0x9e3779b185ebca87;
const P2: u64 = 0xc2b2ae3d27d4eb4f;
const P3: u64 = 0x165667b19e3779f9;
const P4: u64 = 0x85ebca77c2b2ae63;
const P5: u64 = 0x27d4eb2f165667c5;

/** XXH64 of a range of linear memory. */
export function xxh64(from: u32, bytes: u32, seed: u64): u64 {
  let at = from;
  const end = from + bytes;
  let h: u64;
  if (bytes >= 32) {
    let a = seed + P1 + P2;
    let b = seed + P2;
    let c = seed;
    let d = seed - P1;
    for (const limit = end - 32; at <= limit; at += 32) {
      a = round(a, load<u64>(at));
      b = round(b, load<u64>(at, 8));
      c = round(c, load<u64>(at, 16));
      d = round(d, load<u64>(at, 24));
    }
    h = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
    h = merged(merged(merged(merged(h, a), b), c), d);
  } else h = seed + P5;
  h += <u64>bytes;
  for (; at + 8 <= end; at += 8) h = rotl(h ^ round(0, load<u64>(at)), 27) * P1 + P4;
  if (at + 4 <= end) {
    h = rotl(h ^ (<u64>load<u32>(at) * P1), 23) * P2 + P3;
    at += 4;
  }
  for (; at < end; at++) h = rotl(h ^ (<u64>load<u8>(at) * P5), 11) * P1;
  return avalanche(h);
}

/** XXH64 of a range with a 32-bit seed, to the first word of scratch. */
export function hashRange(from: u32, bytes: u32, seedLow: u32): void {
  store<u64>(machine32(MACHINE_SCRATCH_HOST), xxh64(from, bytes, seedLow));
}

/** Hashes every page afresh; used once, when all of RAM is zero, so that one hash serves for all. */
export function initialisePageHashes(): void {
  const pages = <u32>(machine(MACHINE_RAM_BYTES) / PAGE_BYTES);
  const hashes = machine32(MACHINE_PAGE_HASH_HOST);
  const zero = xxh64(machine32(MACHINE_RAM_HOST), PAGE_BYTES, 0);
  let sum: u64 = 0;
  for (let page: u32 = 0; page < pages; page++) {
    store<u64>(hashes + page * 8, zero);
    sum += mixPage(page, zero);
  }
  setMachine(MACHINE_RAM_HASH_SUM, sum);
}

/** Rehashes the pages dirty for the digest and clears that flag. */
export function updatePageHashes(): void {
  const flags = machine32(MACHINE_PAGE_FLAGS_HOST);
  const pages = <u32>(machine(MACHINE_RAM_BYTES) / PAGE_BYTES);
  const hashes = machine32(MACHINE_PAGE_HASH_HOST);
  let sum = machine(MACHINE_RAM_HASH_SUM);
  let found = false;
  for (
    let page = nextPage(flags, 0, pages, PAGE_DIRTY_DIGEST);
    page < pages;
    page = nextPage(flags, page + 1, pages, PAGE_DIRTY_DIGEST)
  ) {
    found = true;
    store<u8>(flags + page, load<u8>(flags + page) & ~(<u8>PAGE_DIRTY_DIGEST));
    const hash = xxh64(machine32(MACHINE_RAM_HOST) + page * PAGE_BYTES, PAGE_BYTES, 0);
    sum += mixPage(page, hash) - mixPage(page, load<u64>(hashes + page * 8));
    store<u64>(hashes + page * 8, hash);
  }
  setMachine(MACHINE_RAM_HASH_SUM, sum);
  if (found) uncacheAllWrites();
}

/** Writes the numbers of pages dirty for the checkpoint to `to`, clears that flag, and returns how many there were. */
export function collectDirtyPages(to: u32): u32 {
  const flags = machine32(MACHINE_PAGE_FLAGS_HOST);
  const pages = <u32>(machine(MACHINE_RAM_BYTES) / PAGE_BYTES);
  let count: u32 = 0;
  for (
    let page = nextPage(flags, 0, pages, PAGE_DIRTY_CHECKPOINT);
    page < pages;
    page = nextPage(flags, page + 1, pages, PAGE_DIRTY_CHECKPOINT)
  ) {
    store<u8>(flags + page, load<u8>(flags + page) & ~(<u8>PAGE_DIRTY_CHECKPOINT));
    store<u32>(to + count * 4, page);
    count++;
  }
  if (count != 0) uncacheAllWrites();
  return count;
}

/** First page from `page` on with a flag, or `pages`; eight clean pages are skipped at a time. */
function nextPage(flags: u32, page: u32, pages: u32, flag: u32): u32 {
  const all = 0x0101010101010101 * <u64>flag;
  while (page < pages) {
    if ((page & 7) == 0 && page + 8 <= pages && !(load<u64>(flags + page) & all)) page += 8;
    else if (load<u8>(flags + page) & flag) return page;
    else page++;
  }
  return pages;
}

/** A page's share of the sum: its hash and its place, so that swapped pages change the sum. */
// @ts-ignore: decorator
@inline
export function mixPage(page: u64, hash: u64): u64 {
  return avalanche(hash ^ ((page + 1) * P1));
}

// @ts-ignore: decorator
@inline
function round(lane: u64, input: u64): u64 {
  return rotl(lane + input * P2, 31) * P1;
}

// @ts-ignore: decorator
@inline
function merged(h: u64, lane: u64): u64 {
  return (h ^ round(0, lane)) * P1 + P4;
}

// @ts-ignore: decorator
@inline
function avalanche(hash: u64): u64 {
  let h = hash;
  h = (h ^ (h >> 33)) * P2;
  h = (h ^ (h >> 29)) * P3;
  return h ^ (h >> 32);
}
