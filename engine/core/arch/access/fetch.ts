/**
 * Instruction fetch: translates pc, checks that it may be executed, and finds the slot to go on at. An instruction that
 * crosses a page, is a breakpoint, or lies on a page that PMP splits is decoded singly.
 */
import {
  HART_FETCH_CONTEXT,
  HART_PC,
  HART_WALK_PADDR,
  MACHINE_WALK_WATCHED,
  MAX_CONTEXTS,
  MODE_PROBE,
  PAGE_BYTES,
  TLB_ADDEND,
} from '../layout.gen';
import {
  blockOf,
  breakpointSlot,
  codeOf,
  decodeSingle,
  enterAt,
  enterBlock,
  leavingSlot,
  mayHold,
  stopsBefore,
  stopsSomewhere,
} from '../code/code';
import { hostOf, OFFSET } from '../pages/pages';
import { pmpAllows, pmpUniform } from '../pages/pmp';
import { closeStep, logsSteps, openStep, stepsFull } from '../pages/steps';
import { stopsForAccesses } from '../pages/watch';
import { FETCH, get, get32, machine32, PRIV_MASK, set32 } from '../state/state';
import { entryOf, fetchMode, fill, hits, translates } from '../code/tlb';
import { raiseAccess, raiseWalk } from '../trap/trap';
import { walk } from '../translation/walk';

const LAST_HALF: u32 = PAGE_BYTES - 2;
/** A context that nothing is cached in. */
const NO_CONTEXT: u32 = MAX_CONTEXTS << 3;

/** The slot of the instruction at HART.pc, or 0 after a trap. Sets HART.slotBase. */
export function fetch(hart: u32): u32 {
  const pc = get(hart, HART_PC);
  const offset = <u32>pc & OFFSET;
  const entry = entryOf(hart, pc, FETCH);
  if (hits(entry, pc, get32(hart, HART_FETCH_CONTEXT))) {
    const block = load<u32>(entry, TLB_ADDEND);
    if (mayHold(block, offset)) return enterBlock(hart, block, offset);
  }
  // Before anything changes: the state before an instruction is the same whether it is stopped there or not.
  if (stopsForAccesses() || stepsFull()) return leavingSlot(hart, offset);
  if (stopsSomewhere()) {
    const ahead = executable(hart, pc, fetchMode(hart) | MODE_PROBE);
    const slot = ahead != 0 && stopsBefore(pc, ahead) ? breakpointSlot(hart, ahead, offset) : 0;
    if (slot != 0) return slot;
  }
  const logs = logsSteps();
  // What traps here is not the instruction before.
  if (logs) closeStep();
  if (logs && translates(entry, pc, get32(hart, HART_FETCH_CONTEXT))) {
    const block = load<u32>(entry, TLB_ADDEND);
    if (mayHold(block, offset)) return logged(hart, codeOf(block) + offset, offset);
  }
  const host = parcel(hart, pc, 0);
  if (host == 0) return 0;
  const half = load<u16>(host);
  const isLong = (half & 3) == 3;
  const uniform = pmpUniform(hart, get(hart, HART_WALK_PADDR));
  if (uniform && !machine32(MACHINE_WALK_WATCHED) && !stopsForAccesses() && !(isLong && offset == LAST_HALF)) {
    const block = blockOf(host & ~OFFSET);
    enterAt(block, pc);
    // Making a block may have flushed, so the context is read only now.
    fill(entry, pc, get32(hart, HART_FETCH_CONTEXT), block, !logs);
    if (!logs && mayHold(block, offset)) return enterBlock(hart, block, offset);
  }
  let raw: u32 = half;
  if (isLong) {
    const second = parcel(hart, pc + 2, 2);
    if (second == 0) return 0;
    raw |= <u32>load<u16>(second) << 16;
  }
  // The walk was watched: whatever comes behind this instruction comes here first, and leaves.
  if (stopsForAccesses()) set32(hart, HART_FETCH_CONTEXT, NO_CONTEXT);
  const slot = decodeSingle(hart, raw, offset);
  if (logs) openStep(hart, slot, host);
  return slot;
}

/** The slot of the instruction at linear-memory address `host`, which does not leave its page, noted in the log. */
function logged(hart: u32, host: u32, offset: u32): u32 {
  const half: u32 = load<u16>(host);
  const slot = decodeSingle(hart, (half & 3) == 3 ? load<u32>(host) : half, offset);
  openStep(hart, slot, host);
  return slot;
}

/** Linear-memory address of the two bytes at `va`, executable for the hart; 0 after raising the exception. */
function parcel(hart: u32, va: u64, offset: u32): u32 {
  const mode = fetchMode(hart);
  if (!walk(hart, va, FETCH, mode)) {
    raiseWalk(hart, FETCH, va, offset, mode);
    return 0;
  }
  const host = allowed(hart, mode);
  if (host == 0) raiseAccess(hart, FETCH, va, offset, mode);
  return host;
}

/** The same in a mode that changes nothing; 0 and no exception when the bytes may not be executed. */
function executable(hart: u32, va: u64, mode: u32): u32 {
  return walk(hart, va, FETCH, mode) ? allowed(hart, mode) : 0;
}

/** Linear-memory address of the two bytes at HART.walkPaddr; 0 when there is no memory, or PMP forbids it. */
function allowed(hart: u32, mode: u32): u32 {
  const paddr = get(hart, HART_WALK_PADDR);
  return pmpAllows(hart, paddr, 2, FETCH, mode & PRIV_MASK) ? hostOf(paddr) : 0;
}
