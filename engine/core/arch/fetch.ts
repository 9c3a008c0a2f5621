/**
 * Instruction fetch: finds or makes the decoded block of the page that pc is in, and decodes singly what no block may
 * hold: an instruction across two pages, or one on a page that PMP splits. Relies on decode.ts for blocks' inner life.
 */
import { C_EBREAK, decodeInto, initBlock } from './decode';
import {
  HART_FETCH_CONTEXT,
  HART_PC,
  HART_SLOT_BASE,
  HART_STRADDLE,
  HART_WALK_PADDR,
  MACHINE_BREAKPOINT_HOST,
  MACHINE_PAGE_SLOTS_HOST,
  MACHINE_SLOT_POOL_BLOCKS,
  MACHINE_SLOT_POOL_HOST,
  MACHINE_SLOT_POOL_USED,
  MODE_QUIET,
  OP_PAGE_END,
  PAGE_BYTES,
  PAGE_CODE,
  SLOT_BLOCK_BYTES,
  SLOT_BLOCK_CODE,
  SLOT_BYTES,
  SLOT_OP_AND_LENGTH,
  TLB_ADDEND,
} from './layout.gen';
import { hostOf, markCode, pageFlags, pageOf, setPageFlags } from './pages';
import { pmpAllows, pmpUniform } from './pmp';
import { FETCH, get, get32, machine32, PRIV_MASK, set32, setMachine32 } from './state';
import { entryOf, fetchMode, fill, flushTranslations, hits } from './tlb';
import { raiseAccess, raiseWalk } from './trap';
import { walk } from './walk';

const OFFSET: u32 = PAGE_BYTES - 1;
const LAST_HALF: u32 = PAGE_BYTES - 2;

/** The slot of the instruction at HART.pc, or 0 after a trap. Sets HART.slotBase. */
export function fetch(hart: u32): u32 {
  const pc = get(hart, HART_PC);
  const offset = <u32>pc & OFFSET;
  const entry = entryOf(hart, pc, FETCH);
  if (hits(entry, pc, get32(hart, HART_FETCH_CONTEXT))) {
    const block = load<u32>(entry, TLB_ADDEND);
    const crosses = offset == LAST_HALF && (load<u16>(load<u32>(block, SLOT_BLOCK_CODE) + LAST_HALF) & 3) == 3;
    if (!crosses) return inBlock(hart, block, offset);
  }
  const host = parcel(hart, pc, 0);
  if (host == 0) return 0;
  if (host == machine32(MACHINE_BREAKPOINT_HOST)) return single(hart, C_EBREAK, offset);
  const paddr = get(hart, HART_WALK_PADDR);
  const half = load<u16>(host);
  const isLong = (half & 3) == 3;
  const uniform = pmpUniform(hart, paddr);
  if (uniform && !(isLong && offset == LAST_HALF)) {
    const block = blockOf(host & ~OFFSET);
    // Making a block may have flushed, so the context is read only now.
    fill(entry, pc, get32(hart, HART_FETCH_CONTEXT), block);
    return inBlock(hart, block, offset);
  }
  let raw: u32 = half;
  if (isLong) {
    const second = parcel(hart, pc + 2, 2);
    if (second == 0) return 0;
    raw |= <u32>load<u16>(second) << 16;
  }
  return single(hart, raw, offset);
}

/** The instruction at HART.pc, which is being executed and hence translates; 0 when it does not. No trap. */
export function instructionAtPc(hart: u32): u32 {
  const pc = get(hart, HART_PC);
  const first = quietParcel(hart, pc);
  if (first == 0) return 0;
  const half: u32 = load<u16>(first);
  if ((half & 3) != 3) return half;
  const second = quietParcel(hart, pc + 2);
  return second == 0 ? 0 : half | (<u32>load<u16>(second) << 16);
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

function quietParcel(hart: u32, va: u64): u32 {
  return walk(hart, va, FETCH, fetchMode(hart) | MODE_QUIET) ? hostOf(get(hart, HART_WALK_PADDR)) : 0;
}

// @ts-ignore: decorator
@inline
function inBlock(hart: u32, block: u32, offset: u32): u32 {
  set32(hart, HART_SLOT_BASE, block);
  return block + offset * (SLOT_BYTES / 2);
}

/** Decodes one instruction into HART.straddle, with a page end after it whatever its length. */
function single(hart: u32, raw: u32, offset: u32): u32 {
  const slot = hart + HART_STRADDLE;
  store<u32>(slot, OP_PAGE_END | (SLOT_BYTES << 16), SLOT_BYTES + SLOT_OP_AND_LENGTH);
  store<u32>(slot, OP_PAGE_END | (SLOT_BYTES << 16), 2 * SLOT_BYTES + SLOT_OP_AND_LENGTH);
  decodeInto(slot, raw);
  set32(hart, HART_SLOT_BASE, slot - offset * (SLOT_BYTES / 2));
  return slot;
}

/** The decoded block of the code page at linear-memory address `codeHost`, made if there is none. */
function blockOf(codeHost: u32): u32 {
  const page = pageOf(codeHost);
  const known = load<u32>(machine32(MACHINE_PAGE_SLOTS_HOST) + page * 4);
  if (known != 0) return known;
  if (machine32(MACHINE_SLOT_POOL_USED) == machine32(MACHINE_SLOT_POOL_BLOCKS)) {
    dropBlocks();
    flushTranslations();
  }
  const used = machine32(MACHINE_SLOT_POOL_USED);
  const block = machine32(MACHINE_SLOT_POOL_HOST) + used * SLOT_BLOCK_BYTES;
  setMachine32(MACHINE_SLOT_POOL_USED, used + 1);
  initBlock(block, codeHost);
  store<u32>(machine32(MACHINE_PAGE_SLOTS_HOST) + page * 4, block);
  markCode(page);
  return block;
}

/** Forgets all decoded code. The caller flushes translations: fetch entries point to blocks. */
export function dropBlocks(): void {
  const used = machine32(MACHINE_SLOT_POOL_USED);
  for (let i: u32 = 0; i < used; i++) {
    const block = machine32(MACHINE_SLOT_POOL_HOST) + i * SLOT_BLOCK_BYTES;
    const page = pageOf(load<u32>(block, SLOT_BLOCK_CODE));
    store<u32>(machine32(MACHINE_PAGE_SLOTS_HOST) + page * 4, 0);
    setPageFlags(page, pageFlags(page) & ~PAGE_CODE);
  }
  setMachine32(MACHINE_SLOT_POOL_USED, 0);
}
