/**
 * Decoded code: blocks of slots for pages, the one slot of an instruction that no block may hold, and the only place
 * where either is made and invalidated. A page that has a block carries PAGE_CODE, so that no store to it goes unseen.
 * Relies on whoever stores to such a page calling `undecode`. Does not check that code may be executed.
 */
import {
  HART_HART_ID,
  HART_SINGLE,
  HART_SLOT_BASE,
  MACHINE_BREAK_ADDRESSES_COUNT,
  MACHINE_BREAK_ADDRESSES_HOST,
  MACHINE_BREAK_OFFSETS_HOST,
  MACHINE_BREAKPOINTS_COUNT,
  MACHINE_BREAKPOINTS_HOST,
  MACHINE_BREAKPOINT_HART,
  MACHINE_BREAKPOINT_HOST,
  MACHINE_BREAKPOINT_TICKS,
  MACHINE_PAGE_SLOTS_HOST,
  MACHINE_RAM_BYTES,
  MACHINE_SLOT_POOL_BLOCKS,
  MACHINE_SLOT_POOL_HOST,
  MACHINE_SLOT_POOL_USED,
  MACHINE_STOP_BREAKPOINT,
  OP_BREAKPOINT,
  OP_PAGE_END,
  OP_SINGLE,
  PAGE_BREAKPOINT,
  PAGE_BYTES,
  PAGE_CODE,
  SLOT_BLOCK_BYTES,
  SLOT_BLOCK_CODE,
  SLOT_BYTES,
  SLOT_OP_AND_LENGTH,
  SLOT_RAW,
} from '../layout.gen';
import { decodeInto } from './decode';
import { OFFSET, pageFlags, pageOf, setPageFlags, uncacheWrites } from '../pages/pages';
import { get, machine, machine32, now, set32, setMachine, setMachine32 } from '../state/state';
import { flushTranslations } from './tlb';

const LAST_HALF: u32 = PAGE_BYTES - 2;
const PAGE_END: u32 = OP_PAGE_END | (SLOT_BYTES << 16);
const BREAKPOINT: u32 = OP_BREAKPOINT | (SLOT_BYTES << 16);

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
export function codeOf(block: u32): u32 {
  return load<u32>(block, SLOT_BLOCK_CODE);
}

/** The slot at byte `offset` of the block's page, where execution goes on. */
// @ts-ignore: decorator
@inline
export function enterBlock(hart: u32, block: u32, offset: u32): u32 {
  set32(hart, HART_SLOT_BASE, block);
  return block + offset * (SLOT_BYTES / 2);
}

/** Whether the block may hold the instruction at `offset`: it does not cross the page's end and is no breakpoint. */
export function mayHold(block: u32, offset: u32): bool {
  const code = codeOf(block) + offset;
  return (offset != LAST_HALF || (load<u16>(code) & 3) != 3) && !isBreakpoint(code) && !isBreakOffset(block, offset);
}

/** Fills the undecoded slot `slot` of a block from the block's code page. */
export function decode(hart: u32, slot: u32): void {
  const pool = machine32(MACHINE_SLOT_POOL_HOST);
  const block = slot - (slot - pool) % SLOT_BLOCK_BYTES;
  const offset = (slot - block) / (SLOT_BYTES / 2);
  const code = codeOf(block) + offset;
  const half: u32 = load<u16>(code);
  if (!mayHold(block, offset)) store<u32>(slot, OP_SINGLE | (SLOT_BYTES << 16), SLOT_OP_AND_LENGTH);
  else if ((half & 3) != 3) decodeInto(slot, half);
  else decodeInto(slot, load<u32>(code));
}

/**
 * Decodes an instruction at byte `offset` of its page into HART.single, with a page end after it whatever its length,
 * and returns its slot.
 */
export function decodeSingle(hart: u32, raw: u32, offset: u32): u32 {
  const slot = enterSingle(hart, offset);
  decodeInto(slot, raw);
  return slot;
}

function enterSingle(hart: u32, offset: u32): u32 {
  const slot = hart + HART_SINGLE;
  store<u32>(slot, PAGE_END, SLOT_BYTES + SLOT_OP_AND_LENGTH);
  store<u32>(slot, PAGE_END, 2 * SLOT_BYTES + SLOT_OP_AND_LENGTH);
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

/**
 * Takes the first `count` words at MACHINE.breakpointsHost as the addresses to stop before; they are in RAM. The caller
 * drops blocks, which hold what was decoded without them.
 */
export function useBreakpoints(count: u32): void {
  const pages = <u32>machine(MACHINE_RAM_BYTES) / PAGE_BYTES;
  for (let page: u32 = 0; page < pages; page++) setPageFlags(page, pageFlags(page) & ~PAGE_BREAKPOINT);
  const list = machine32(MACHINE_BREAKPOINTS_HOST);
  for (let i: u32 = 0; i < count; i++) {
    const page = pageOf(load<u32>(list + i * 4));
    setPageFlags(page, pageFlags(page) | PAGE_BREAKPOINT);
  }
  setMachine32(MACHINE_BREAKPOINTS_COUNT, count);
  forgetStop();
}

/**
 * Takes the first `count` words at MACHINE.breakAddressesHost as the virtual addresses to stop before. The caller drops
 * blocks, which hold what was decoded without them.
 */
export function useBreakAddresses(count: u32): void {
  const bits = machine32(MACHINE_BREAK_OFFSETS_HOST);
  memory.fill(bits, 0, PAGE_BYTES / 16);
  const list = machine32(MACHINE_BREAK_ADDRESSES_HOST);
  for (let i: u32 = 0; i < count; i++) {
    const half = (<u32>load<u64>(list + i * 8) & OFFSET) >> 1;
    const byte = bits + (half >> 3);
    store<u8>(byte, <u32>load<u8>(byte) | ((<u32>1) << (half & 7)));
  }
  setMachine32(MACHINE_BREAK_ADDRESSES_COUNT, count);
  forgetStop();
}

/**
 * Whether a virtual address to stop before has this offset in its page, and the block has been executed at the page of
 * one. By which addresses it is executed now a block does not know: an instruction there goes through `fetch` each
 * time.
 */
// @ts-ignore: decorator
@inline
function isBreakOffset(block: u32, offset: u32): bool {
  if (load<u32>(block, SLOT_BLOCK_CODE + SLOT_RAW) == 0) return false;
  const half = offset >> 1;
  return (<u32>load<u8>(machine32(MACHINE_BREAK_OFFSETS_HOST) + (half >> 3)) & ((<u32>1) << (half & 7))) != 0;
}

/**
 * The block is about to be executed at the page of virtual address `pc`: when an address to stop before lies there, its
 * instructions at such offsets are none of the block's from now on.
 */
export function enterAt(block: u32, pc: u64): void {
  const flag = block + SLOT_BLOCK_CODE + SLOT_RAW;
  const page = pc & ~<u64>OFFSET;
  if (machine32(MACHINE_BREAK_ADDRESSES_COUNT) == 0 || load<u32>(flag) != 0) return;
  const next = firstBreakFrom(page);
  if (next == machine32(MACHINE_BREAK_ADDRESSES_COUNT)) return;
  if (load<u64>(machine32(MACHINE_BREAK_ADDRESSES_HOST) + next * 8) - page >= PAGE_BYTES) return;
  store<u32>(flag, 1);
  memory.fill(block, 0, (PAGE_BYTES / 2) * SLOT_BYTES);
}

/** Index of the first address to stop before that is not below `address`; their number when there is none. */
function firstBreakFrom(address: u64): u32 {
  const list = machine32(MACHINE_BREAK_ADDRESSES_HOST);
  let from: u32 = 0;
  let to = machine32(MACHINE_BREAK_ADDRESSES_COUNT);
  while (from < to) {
    const middle = (from + to) / 2;
    if (load<u64>(list + middle * 8) < address) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Whether `run` stops before the instruction at virtual address `pc`. */
function isBreakAddress(pc: u64): bool {
  const at = firstBreakFrom(pc);
  if (at == machine32(MACHINE_BREAK_ADDRESSES_COUNT)) return false;
  return load<u64>(machine32(MACHINE_BREAK_ADDRESSES_HOST) + at * 8) == pc;
}

/** Whether `run` stops before some instructions at all. */
export function stopsSomewhere(): bool {
  return machine32(MACHINE_BREAKPOINTS_COUNT) != 0 || machine32(MACHINE_BREAK_ADDRESSES_COUNT) != 0;
}

/** Whether `run` stops before the instruction at virtual address `pc`, which lies at linear-memory address `host`. */
export function stopsBefore(pc: u64, host: u32): bool {
  return isBreakpoint(host) || isBreakAddress(pc);
}

/** A slot that makes the interpreter leave before the instruction at `offset` of its page. */
export function leavingSlot(hart: u32, offset: u32): u32 {
  const slot = enterSingle(hart, offset);
  store<u32>(slot, BREAKPOINT, SLOT_OP_AND_LENGTH);
  return slot;
}

/** Lets the breakpoint that the machine stands at stop it once more. */
export function forgetStop(): void {
  setMachine(MACHINE_BREAKPOINT_TICKS, ~0);
  setMachine32(MACHINE_STOP_BREAKPOINT, 0);
}

/** Whether it is one of the linear-memory addresses to stop before. */
function isBreakpoint(host: u32): bool {
  if (!(pageFlags(pageOf(host)) & PAGE_BREAKPOINT)) return false;
  const list = machine32(MACHINE_BREAKPOINTS_HOST);
  let from: u32 = 0;
  let to = machine32(MACHINE_BREAKPOINTS_COUNT);
  while (from < to) {
    const middle = (from + to) / 2;
    const at = load<u32>(list + middle * 4);
    if (at == host) return true;
    if (at < host) from = middle + 1;
    else to = middle;
  }
  return false;
}

/**
 * The slot that makes the interpreter leave before the instruction at `host`, or 0 when it has done so at this very
 * position: then the instruction is executed, from HART.single.
 */
export function breakpointSlot(hart: u32, host: u32, offset: u32): u32 {
  const ticks = now(hart);
  if (machine(MACHINE_BREAKPOINT_TICKS) == ticks && machine32(MACHINE_BREAKPOINT_HOST) == host) return 0;
  setMachine(MACHINE_BREAKPOINT_TICKS, ticks);
  setMachine32(MACHINE_BREAKPOINT_HOST, host);
  setMachine32(MACHINE_BREAKPOINT_HART, <u32>get(hart, HART_HART_ID));
  setMachine32(MACHINE_STOP_BREAKPOINT, 1);
  return leavingSlot(hart, offset);
}
