/**
 * The log of instructions with their operands, for those who follow values backwards. Purely an observer: it may end a
 * slice, which no state shows.
 * Relies on translations being cached for slow accesses only while it is on, so that each fetch and each access of a
 * hart comes by, and on `run` stopping when the log is nearly full. What is stored from outside is not seen here.
 */
import {
  HART_BASE,
  HART_HART_ID,
  HART_HGATP,
  HART_PC,
  HART_SINK,
  HART_STRIDE,
  MACHINE_CURRENT_HART,
  MACHINE_RAM_BYTES,
  MACHINE_RAM_HOST,
  MACHINE_ROM_HOST,
  MACHINE_STEP_OPEN,
  MACHINE_STEPS_CAPACITY,
  MACHINE_STEPS_COUNT,
  MACHINE_STEPS_ENABLED,
  MACHINE_STEPS_HOST,
  RAM_BASE,
  ROM_BASE,
  SLOT_EXTRA,
  SLOT_RAW,
  SLOT_RD,
  SLOT_RS1,
  SLOT_RS2,
  STEP_ADDRESS,
  STEP_AFTER,
  STEP_BEFORE,
  STEP_BYTES,
  STEP_CODE,
  STEP_CSR,
  STEP_DEVICE,
  STEP_FLAGS,
  STEP_FURTHER,
  STEP_HART,
  STEP_IS_TRAP,
  STEP_MODE,
  STEP_PC,
  STEP_RAW,
  STEP_RD,
  STEP_READS,
  STEP_RESULT,
  STEP_RS1,
  STEP_RS1_NUMBER,
  STEP_RS2,
  STEP_RS2_NUMBER,
  STEP_RS3,
  STEP_RS3_NUMBER,
  STEP_SIZE_BYTES,
  STEP_TICKS,
  STEP_TRAPPED,
  STEP_VMID,
  STEP_WRITES,
  STEPS_OF_ONE,
} from '../layout.gen';
import { get, machine, machine32, now, priv, setMachine32, virt } from '../state/state';

/** Begins or ends logging. The caller flushes translations. */
export function useSteps(enabled: u32): void {
  setMachine32(MACHINE_STEPS_ENABLED, enabled);
  setMachine32(MACHINE_STEPS_COUNT, 0);
  setMachine32(MACHINE_STEP_OPEN, 0);
}

// @ts-ignore: decorator
@inline
export function logsSteps(): bool {
  return machine32(MACHINE_STEPS_ENABLED) != 0;
}

/** Whether `run` stops before the next instruction, so that the log can be drained. */
export function stepsFull(): bool {
  return logsSteps() && machine32(MACHINE_STEPS_COUNT) + STEPS_OF_ONE > machine32(MACHINE_STEPS_CAPACITY);
}

/** The instruction at HART.pc, decoded in `slot` from linear-memory address `code`, is about to be executed. */
export function openStep(hart: u32, slot: u32, code: u32): void {
  closeStep();
  // The instruction is paid for already.
  const step = newStep(hart, 0, load<u32>(slot, SLOT_RAW), now(hart) - 1);
  store<u32>(step, <u32>paddrOf(code), STEP_CODE);
  const rs1: u32 = load<u8>(slot, SLOT_RS1);
  const rs2: u32 = load<u8>(slot, SLOT_RS2);
  const rs3: u32 = load<u8>(slot, SLOT_EXTRA);
  store<u8>(step, load<u8>(slot, SLOT_RD), STEP_RD);
  store<u8>(step, rs1, STEP_RS1_NUMBER);
  store<u8>(step, rs2, STEP_RS2_NUMBER);
  store<u8>(step, rs3, STEP_RS3_NUMBER);
  store<u64>(step, get(hart, rs1 << 3), STEP_RS1);
  store<u64>(step, get(hart, rs2 << 3), STEP_RS2);
  store<u64>(step, get(hart, rs3 << 3), STEP_RS3);
  setMachine32(MACHINE_STEP_OPEN, step);
}

/** The instruction is over: its result is that of its destination register. Before anything else can change it. */
export function closeStep(): void {
  const step = machine32(MACHINE_STEP_OPEN);
  if (step == 0) return;
  const hart = HART_BASE + machine32(MACHINE_CURRENT_HART) * HART_STRIDE;
  const rd: u32 = load<u8>(step, STEP_RD);
  // What lies in the sink depends on what was executed before the log began.
  if (rd != HART_SINK >> 3) store<u64>(step, get(hart, rd << 3), STEP_RESULT);
  setMachine32(MACHINE_STEP_OPEN, 0);
}

/** A read of RAM or ROM by the instruction that runs. */
export function stepReads(host: u32, bytes: u32, value: u64): void {
  note(paddrOf(host), bytes, STEP_READS, value, 0);
}

/** A write to RAM by the instruction that runs. */
export function stepWrites(host: u32, bytes: u32, before: u64, after: u64): void {
  note(paddrOf(host), bytes, STEP_WRITES, before, after);
}

/** An access to a device. */
export function stepReadsDevice(paddr: u64, bytes: u32, value: u64): void {
  note(paddr, bytes, STEP_READS | STEP_DEVICE, value, 0);
}

export function stepWritesDevice(paddr: u64, bytes: u32, value: u64): void {
  note(paddr, bytes, STEP_WRITES | STEP_DEVICE, 0, value);
}

/** A write to a CSR, or a read: then `after` is `before`. */
export function stepOfCsr(number: u32, writes: bool, before: u64, after: u64): void {
  note(number, 8, STEP_CSR | STEP_READS | (writes ? STEP_WRITES : 0), before, after);
}

/** A trap that has just been taken: HART.pc is where it leads, `from` the mode before. */
export function stepTraps(hart: u32, from: u32, cause: u32, pc: u64, tval: u64, gpa: u64): void {
  const open = machine32(MACHINE_STEP_OPEN);
  if (open != 0) store<u8>(open, <u32>load<u8>(open, STEP_FLAGS) | STEP_TRAPPED, STEP_FLAGS);
  closeStep();
  const step = newStep(hart, STEP_IS_TRAP, cause, now(hart) - 1);
  store<u64>(step, pc, STEP_PC);
  store<u64>(step, tval, STEP_RS1);
  store<u64>(step, gpa, STEP_RS2);
  store<u64>(step, get(hart, HART_PC), STEP_RS3);
  store<u8>(step, load<u8>(step, STEP_MODE), STEP_RD);
  store<u8>(step, from, STEP_MODE);
}

/** Puts an access into the record of the instruction that runs, or behind it when it has another one already. */
function note(address: u64, bytes: u32, kinds: u32, before: u64, after: u64): void {
  let step = machine32(MACHINE_STEP_OPEN);
  if (step == 0) return;
  const flags: u32 = load<u8>(step, STEP_FLAGS);
  if (flags & (STEP_READS | STEP_WRITES)) {
    // An atomic instruction reads and writes the same bytes: one access. No other meets an address twice.
    if (load<u64>(step, STEP_ADDRESS) != address) {
      const hart = HART_BASE + machine32(MACHINE_CURRENT_HART) * HART_STRIDE;
      step = newStep(hart, STEP_FURTHER, load<u32>(step, STEP_RAW), load<u64>(step, STEP_TICKS));
    }
  }
  store<u8>(step, <u32>load<u8>(step, STEP_FLAGS) | kinds, STEP_FLAGS);
  store<u8>(step, bytes, STEP_BYTES);
  store<u64>(step, address, STEP_ADDRESS);
  store<u64>(step, before, STEP_BEFORE);
  store<u64>(step, after, STEP_AFTER);
}

function newStep(hart: u32, flags: u32, raw: u32, ticks: u64): u32 {
  const count = machine32(MACHINE_STEPS_COUNT);
  const step = machine32(MACHINE_STEPS_HOST) + count * STEP_SIZE_BYTES;
  setMachine32(MACHINE_STEPS_COUNT, count + 1);
  memory.fill(step, 0, STEP_SIZE_BYTES);
  store<u64>(step, ticks, STEP_TICKS);
  store<u64>(step, get(hart, HART_PC), STEP_PC);
  store<u32>(step, raw, STEP_RAW);
  store<u32>(step, <u32>(get(hart, HART_HGATP) >> 44) & 0x3fff, STEP_VMID);
  store<u8>(step, flags, STEP_FLAGS);
  store<u8>(step, <u8>get(hart, HART_HART_ID), STEP_HART);
  store<u8>(step, priv(hart) | (virt(hart) ? 4 : 0), STEP_MODE);
  return step;
}

/** Physical address of a byte of RAM or ROM. */
function paddrOf(host: u32): u64 {
  const offset = host - machine32(MACHINE_RAM_HOST);
  if (<u64>offset < machine(MACHINE_RAM_BYTES)) return <u64>offset + RAM_BASE;
  return <u64>(host - machine32(MACHINE_ROM_HOST)) + ROM_BASE;
}
