/**
 * Instruction fetch: translates pc, checks that it may be executed, and finds the slot to go on at. Which instructions no
 * block may hold is decided here: those across two pages, and those on a page that PMP splits.
 */
import { HART_FETCH_CONTEXT, HART_PC, HART_WALK_PADDR, PAGE_BYTES, TLB_ADDEND } from './layout.gen';
import { blockOf, C_EBREAK, crossesEnd, decodeSingle, enterBlock, isBreakpoint } from './code';
import { hostOf, OFFSET } from './pages';
import { pmpAllows, pmpUniform } from './pmp';
import { FETCH, get, get32, PRIV_MASK } from './state';
import { entryOf, fetchMode, fill, hits } from './tlb';
import { raiseAccess, raiseWalk } from './trap';
import { walk } from './walk';

const LAST_HALF: u32 = PAGE_BYTES - 2;

/** The slot of the instruction at HART.pc, or 0 after a trap. Sets HART.slotBase. */
export function fetch(hart: u32): u32 {
  const pc = get(hart, HART_PC);
  const offset = <u32>pc & OFFSET;
  const entry = entryOf(hart, pc, FETCH);
  if (hits(entry, pc, get32(hart, HART_FETCH_CONTEXT))) {
    const block = load<u32>(entry, TLB_ADDEND);
    if (offset != LAST_HALF || !crossesEnd(block)) return enterBlock(hart, block, offset);
  }
  const host = parcel(hart, pc, 0);
  if (host == 0) return 0;
  if (isBreakpoint(host)) return decodeSingle(hart, C_EBREAK, offset);
  const half = load<u16>(host);
  const isLong = (half & 3) == 3;
  const uniform = pmpUniform(hart, get(hart, HART_WALK_PADDR));
  if (uniform && !(isLong && offset == LAST_HALF)) {
    const block = blockOf(host & ~OFFSET);
    // Making a block may have flushed, so the context is read only now.
    fill(entry, pc, get32(hart, HART_FETCH_CONTEXT), block);
    return enterBlock(hart, block, offset);
  }
  let raw: u32 = half;
  if (isLong) {
    const second = parcel(hart, pc + 2, 2);
    if (second == 0) return 0;
    raw |= <u32>load<u16>(second) << 16;
  }
  return decodeSingle(hart, raw, offset);
}

/** Linear-memory address of the two bytes at `va`, executable for the hart; 0 after raising the exception. */
function parcel(hart: u32, va: u64, offset: u32): u32 {
  const mode = fetchMode(hart);
  if (!walk(hart, va, FETCH, mode)) {
    raiseWalk(hart, FETCH, va, offset, mode);
    return 0;
  }
  const paddr = get(hart, HART_WALK_PADDR);
  const host = hostOf(paddr);
  if (host == 0 || !pmpAllows(hart, paddr, 2, FETCH, mode & PRIV_MASK)) {
    raiseAccess(hart, FETCH, va, offset, mode);
    return 0;
  }
  return host;
}
