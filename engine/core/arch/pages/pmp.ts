/**
 * Physical memory protection, 16 entries of 4-byte granularity (privileged manual, "Physical Memory Protection").
 * The ranges of the entries are kept decoded in HART.pmpFrom/pmpTo; whoever changes pmpcfg or pmpaddr calls
 * `decodePmp` and flushes. Does not know about virtual memory.
 */
import { HART_PMPADDR, HART_PMPCFG, HART_PMP_ENTRIES, HART_PMP_FROM, HART_PMP_TO, PAGE_BYTES } from '../layout.gen';
import { FETCH, get, get32, LOAD, M, set, set32 } from '../state/state';

const ENTRIES: u32 = 16;
const R: u32 = 1;
const W: u32 = 2;
const X: u32 = 4;
const LOCKED: u32 = 0x80;
const OFF: u32 = 0;
const TOR: u32 = 1;
const NA4: u32 = 2;

/** Whether an access of privilege `privilege` may touch all of [paddr, paddr + bytes). */
export function pmpAllows(hart: u32, paddr: u64, bytes: u64, access: u32, privilege: u32): bool {
  const last = paddr + bytes - 1;
  const entries = get32(hart, HART_PMP_ENTRIES);
  for (let i: u32 = 0; i < entries; i++) {
    const from = get(hart, HART_PMP_FROM + i * 8);
    const to = get(hart, HART_PMP_TO + i * 8);
    if (to < from || to < paddr || from > last) continue;
    // The lowest-numbered entry that matches any byte decides, and must match all of them.
    if (from > paddr || to < last) return false;
    const cfg = config(hart, i);
    if (privilege == M && !(cfg & LOCKED)) return true;
    const needed = access == LOAD ? R : access == FETCH ? X : W;
    return (cfg & needed) != 0;
  }
  return privilege == M;
}

/** The lowest-numbered entry that matches the byte at `paddr`, which decides over it; ENTRIES when none does. */
export function pmpEntryOf(hart: u32, paddr: u64): u32 {
  const entries = get32(hart, HART_PMP_ENTRIES);
  for (let i: u32 = 0; i < entries; i++) {
    if (get(hart, HART_PMP_FROM + i * 8) <= paddr && paddr <= get(hart, HART_PMP_TO + i * 8)) return i;
  }
  return ENTRIES;
}

/** Whether one rule holds for the whole page around `paddr`, so that a translation to it may be cached. */
export function pmpUniform(hart: u32, paddr: u64): bool {
  const first = paddr & ~<u64>(PAGE_BYTES - 1);
  const last = first + (PAGE_BYTES - 1);
  const entries = get32(hart, HART_PMP_ENTRIES);
  for (let i: u32 = 0; i < entries; i++) {
    const from = get(hart, HART_PMP_FROM + i * 8);
    const to = get(hart, HART_PMP_TO + i * 8);
    if (to < from || to < first || from > last) continue;
    return from <= first && to >= last;
  }
  return true;
}

/** Recomputes the decoded ranges. An entry that matches nothing gets an empty one. */
export function decodePmp(hart: u32): void {
  let entries: u32 = 0;
  for (let i: u32 = 0; i < ENTRIES; i++) {
    const addr = get(hart, HART_PMPADDR + i * 8);
    const mode = (config(hart, i) >> 3) & 3;
    let from: u64 = 1;
    let to: u64 = 0;
    if (mode == TOR) {
      const below = i == 0 ? 0 : get(hart, HART_PMPADDR + (i - 1) * 8);
      if (addr > below) {
        from = below << 2;
        to = (addr << 2) - 1;
      }
    } else if (mode == NA4) {
      from = addr << 2;
      to = from + 3;
    } else if (mode != OFF) {
      // NAPOT: the number of trailing ones gives the size.
      const span = addr ^ (addr + 1);
      from = (addr & ~span) << 2;
      to = from + ((span + 1) << 2) - 1;
    }
    set(hart, HART_PMP_FROM + i * 8, from);
    set(hart, HART_PMP_TO + i * 8, to);
    if (from <= to) entries = i + 1;
  }
  set32(hart, HART_PMP_ENTRIES, entries);
}

/** Writes pmpcfg0 (`word` 0) or pmpcfg2 (`word` 1), bits that it has; locked entries keep their byte. */
export function writePmpConfig(hart: u32, word: u32, value: u64): void {
  for (let i: u32 = 0; i < 8; i++) {
    const entry = word * 8 + i;
    if (config(hart, entry) & LOCKED) continue;
    let byte = <u32>(value >> (i * 8));
    // W without R is reserved; WARL: it reads back as no access.
    if ((byte & (R | W)) == W) byte &= ~W;
    store<u8>(hart + HART_PMPCFG + entry, byte);
  }
  decodePmp(hart);
}

/** Writes pmpaddr`i`, bits that it has, unless it is locked or is the lower bound of a locked TOR entry. */
export function writePmpAddress(hart: u32, i: u32, value: u64): void {
  if (config(hart, i) & LOCKED) return;
  if (i + 1 < ENTRIES) {
    const next = config(hart, i + 1);
    if (next & LOCKED && ((next >> 3) & 3) == TOR) return;
  }
  set(hart, HART_PMPADDR + i * 8, value);
  decodePmp(hart);
}

// @ts-ignore: decorator
@inline
function config(hart: u32, entry: u32): u32 {
  return load<u8>(hart + HART_PMPCFG + entry);
}
