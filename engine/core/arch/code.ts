/**
 * Decoded code: blocks of slots for pages, the one slot of an instruction that no block may hold, and the only place where
 * either is made and invalidated. A page that has a block carries PAGE_CODE, so that no store to it goes unseen.
 * Relies on whoever stores to such a page calling `undecode`. Does not check that code may be executed.
 */
import {
  HART_SLOT_BASE,
  HART_STRADDLE,
  MACHINE_BREAKPOINT_HOST,
  MACHINE_PAGE_SLOTS_HOST,
  MACHINE_SLOT_POOL_BLOCKS,
  MACHINE_SLOT_POOL_HOST,
  MACHINE_SLOT_POOL_USED,
  OP_PAGE_END,
  OP_STRADDLE,
  PAGE_BYTES,
  PAGE_CODE,
  SLOT_BLOCK_BYTES,
  SLOT_BLOCK_CODE,
  SLOT_BYTES,
  SLOT_OP_AND_LENGTH,
} from './layout.gen';
import { decodeInto } from './decode';
import { pageFlags, pageOf, setPageFlags, uncacheWrites } from './pages';
import { machine32, set32, setMachine32 } from './state';
import { flushTranslations } from './tlb';

const LAST_HALF: u32 = PAGE_BYTES - 2;
const PAGE_END: u32 = OP_PAGE_END | (SLOT_BYTES << 16);
/** c.ebreak, which fits over an instruction of any length. */
export const C_EBREAK: u32 = 0x9002;

/** The block of the code page at linear-memory address `codeHost`, made if there is none; making one may flush. */
export function blockOf(codeHost: u32): u32 {
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
  initialise(block, codeHost);
  store<u32>(machine32(MACHINE_PAGE_SLOTS_HOST) + page * 4, block);
  setPageFlags(page, pageFlags(page) | PAGE_CODE);
  uncacheWrites(page);
  return block;
}

/** Every slot undecoded, both sentinels set. */
function initialise(block: u32, codeHost: u32): void {
  memory.fill(block, 0, SLOT_BLOCK_BYTES);
  store<u32>(block + SLOT_BLOCK_CODE - SLOT_BYTES, PAGE_END, SLOT_OP_AND_LENGTH);
  store<u32>(block + SLOT_BLOCK_CODE, PAGE_END, SLOT_OP_AND_LENGTH);
  store<u32>(block, codeHost, SLOT_BLOCK_CODE);
}

/** Linear-memory address of the code page of a block. */
// @ts-ignore: decorator
@inline
function codeOf(block: u32): u32 {
  return load<u32>(block, SLOT_BLOCK_CODE);
}

/** The slot at byte `offset` of the block's page, where execution goes on. */
// @ts-ignore: decorator
@inline
export function enterBlock(hart: u32, block: u32, offset: u32): u32 {
  set32(hart, HART_SLOT_BASE, block);
  return block + offset * (SLOT_BYTES / 2);
}

/** Whether an instruction of the block's page goes on in the next page. */
export function crossesEnd(block: u32): bool {
  return (load<u16>(codeOf(block) + LAST_HALF) & 3) == 3;
}

/** Fills the undecoded slot `slot` of a block from the block's code page. */
export function decode(hart: u32, slot: u32): void {
  const pool = machine32(MACHINE_SLOT_POOL_HOST);
  const block = slot - (slot - pool) % SLOT_BLOCK_BYTES;
  const offset = (slot - block) / (SLOT_BYTES / 2);
  const code = codeOf(block) + offset;
  const half: u32 = load<u16>(code);
  if (isBreakpoint(code)) return decodeInto(slot, C_EBREAK);
  if ((half & 3) != 3) decodeInto(slot, half);
  else if (offset == LAST_HALF) store<u32>(slot, OP_STRADDLE | (SLOT_BYTES << 16), SLOT_OP_AND_LENGTH);
  else decodeInto(slot, load<u32>(code));
}

/**
 * Decodes an instruction at byte `offset` of its page into HART.straddle, with a page end after it whatever its length, and
 * returns its slot.
 */
export function decodeSingle(hart: u32, raw: u32, offset: u32): u32 {
  const slot = hart + HART_STRADDLE;
  store<u32>(slot, PAGE_END, SLOT_BYTES + SLOT_OP_AND_LENGTH);
  store<u32>(slot, PAGE_END, 2 * SLOT_BYTES + SLOT_OP_AND_LENGTH);
  decodeInto(slot, raw);
  set32(hart, HART_SLOT_BASE, slot - offset * (SLOT_BYTES / 2));
  return slot;
}

/** Un-decodes the instructions that the bytes [offset, offset + bytes) are part of. The page carries PAGE_CODE. */
export function undecode(page: u32, offset: u32, bytes: u32): void {
  const block = load<u32>(machine32(MACHINE_PAGE_SLOTS_HOST) + page * 4);
  const firstHalf = offset >> 1;
  // A 32-bit instruction may start one half-word earlier.
  let slot = block + (firstHalf == 0 ? 0 : firstHalf - 1) * SLOT_BYTES;
  const last = block + ((offset + bytes - 1) >> 1) * SLOT_BYTES;
  for (; slot <= last; slot += SLOT_BYTES) store<u32>(slot, 0, SLOT_OP_AND_LENGTH);
}

/** Forgets all decoded code. The caller flushes translations: fetch entries point to blocks. */
export function dropBlocks(): void {
  const used = machine32(MACHINE_SLOT_POOL_USED);
  for (let i: u32 = 0; i < used; i++) {
    const page = pageOf(codeOf(machine32(MACHINE_SLOT_POOL_HOST) + i * SLOT_BLOCK_BYTES));
    store<u32>(machine32(MACHINE_PAGE_SLOTS_HOST) + page * 4, 0);
    setPageFlags(page, pageFlags(page) & ~PAGE_CODE);
  }
  setMachine32(MACHINE_SLOT_POOL_USED, 0);
}

/** Whether the code at linear-memory address `host` is decoded as c.ebreak, whatever memory has. */
// @ts-ignore: decorator
@inline
export function isBreakpoint(host: u32): bool {
  return host == machine32(MACHINE_BREAKPOINT_HOST);
}
