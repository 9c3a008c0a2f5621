/**
 * The run loop: turns, slices, deadlines, waiting harts, stops (engine/core/README.md, "Time and counting").
 * Everything that decides what happens next is saved state, and every decision is made at the head of the loop, after
 * the stop checks: so it does not matter into how many calls of `run` a run is cut.
 * Relies on the interpreter in the function table spending exactly the budget it is given, or less.
 */
import {
  COUNTER_IR,
  FN_INTERP,
  HART_BASE,
  HART_BUDGET,
  HART_INSTRET,
  HART_MCOUNTINHIBIT,
  HART_MIE,
  HART_PC,
  HART_RESERVED,
  HART_RESYNC,
  HART_SAVED_BYTES,
  HART_STRIDE,
  HART_TRAPS,
  HART_WAITING,
  HART_WORK_TICKS,
  MACHINE_BASE,
  MACHINE_CURRENT_HART,
  MACHINE_DEVICE_DEADLINE,
  MACHINE_EVENTS_CAPACITY,
  MACHINE_EVENTS_COUNT,
  MACHINE_EVENTS_ENABLED,
  MACHINE_HALT_CODE,
  MACHINE_HART_COUNT,
  MACHINE_MODE_FROM,
  MACHINE_MMIO_DATA,
  MACHINE_MOMENT,
  MACHINE_QUANTUM_JITTER,
  MACHINE_QUANTUM_TICKS,
  MACHINE_SAVED_BYTES,
  MACHINE_SCHEDULE_RNG,
  MACHINE_SCRATCH_HOST,
  MACHINE_SLICE_BUDGET,
  MACHINE_SLICE_START_TICKS,
  MACHINE_STEPS_ENABLED,
  MACHINE_STOP_BREAKPOINT,
  MACHINE_STOP_EVENT,
  MACHINE_STOP_COUNT,
  MACHINE_STOP_MOMENT,
  MACHINE_STOP_REQUEST,
  MACHINE_STOP_TICKS,
  MACHINE_STOP_WATCHPOINT,
  MACHINE_STOP_WORK,
  MACHINE_TICKS,
  MACHINE_TURN_LEFT,
  MACHINE_WORK_TICKS,
  NO_HART,
  STOP_BREAKPOINT,
  STOP_EVENT,
  STOP_EVENTS_FULL,
  STOP_HALTED,
  STOP_COUNT,
  STOP_IDLE,
  STOP_MOMENT,
  STOP_REQUEST,
  STOP_TICKS,
  STOP_WATCHPOINT,
  STOP_WORK,
} from '../layout.gen';
import { countedInstructions, countStretch, modeNow, stopsByCount } from '../state/events';
import { closeStep, stepsFull } from '../pages/steps';
import { accessesFull } from '../pages/watch';
import { deviceTick } from '../state/imports';
import { interruptToTake, NEVER, nextTimer, NONE, wakes } from '../state/interrupts';
import { get, get32, machine, machine32, set, set32, setMachine, setMachine32 } from '../state/state';
import { stopsSomewhere } from '../code/code';
import { updateContexts } from '../code/tlb';
import { takeInterrupt } from '../trap/trap';

const ALL: u64 = ~0;
/** Longest slice, so that ticks fit the interpreter's signed budget. */
const MAX_SLICE: u64 = 0x40000000;

/** Runs until a stop condition holds. Returns STOP_*. */
export function run(): u32 {
  while (true) {
    const stop = stopReason();
    if (stop != 0) return stop;
    if (devicesAreDue()) {
      tickDevices();
      continue;
    }
    const before = machine(MACHINE_TICKS);
    const mayBreak = stopsSomewhere();
    if (mayBreak) copySaved(machine32(MACHINE_SCRATCH_HOST), true);
    const hart = approach();
    if (hart == ALL_WAIT) return STOP_IDLE;
    if (hart != NOT_YET) interpretSlice(hart);
    // A position has one state, whatever stops there: a turn that led only to a breakpoint has not begun.
    if (mayBreak && machine32(MACHINE_STOP_BREAKPOINT) && machine(MACHINE_TICKS) == before) {
      copySaved(machine32(MACHINE_SCRATCH_HOST), false);
    }
  }
}

/**
 * Which hart executes the next instruction, and in MACHINE.mmioData its pc: after turns have passed, time has been
 * skipped and interrupts have been taken, all of it on state that is put back. When the machine has halted or all harts
 * wait for input: the hart whose turn it is or comes next. NO_HART when devices act before, which may change anything.
 * A synchronous trap of the instruction itself, its fetch included, is not considered.
 */
export function peekNext(): u32 {
  const saved = machine32(MACHINE_SCRATCH_HOST);
  copySaved(saved, true);
  const eventsEnabled = machine32(MACHINE_EVENTS_ENABLED);
  const stopTicks = machine(MACHINE_STOP_TICKS);
  const stopRequest = machine32(MACHINE_STOP_REQUEST);
  const work = machine(MACHINE_WORK_TICKS);
  const stepsEnabled = machine32(MACHINE_STEPS_ENABLED);
  setMachine32(MACHINE_EVENTS_ENABLED, 0);
  setMachine32(MACHINE_STEPS_ENABLED, 0);
  setMachine(MACHINE_STOP_TICKS, NEVER);
  let hart = machine32(MACHINE_HALT_CODE) ? ALL_WAIT : NOT_YET;
  while (hart == NOT_YET && !devicesAreDue()) hart = approach();
  if (hart == ALL_WAIT) {
    const current = machine32(MACHINE_CURRENT_HART);
    hart = hartAt(machine32(MACHINE_TURN_LEFT) != 0 ? current : (current + 1) % machine32(MACHINE_HART_COUNT));
  }
  const pc = hart == NOT_YET ? 0 : get(hart, HART_PC);
  copySaved(saved, false);
  setMachine(MACHINE_SLICE_START_TICKS, machine(MACHINE_TICKS));
  setMachine32(MACHINE_EVENTS_ENABLED, eventsEnabled);
  setMachine32(MACHINE_STEPS_ENABLED, stepsEnabled);
  setMachine(MACHINE_STOP_TICKS, stopTicks);
  setMachine32(MACHINE_STOP_REQUEST, stopRequest);
  setMachine(MACHINE_WORK_TICKS, work);
  setMachine(MACHINE_MMIO_DATA, pc);
  return hart == NOT_YET ? NO_HART : (hart - HART_BASE) / HART_STRIDE;
}

/** Copies the saved state of the machine block and all harts to `place`, or back from there. */
function copySaved(place: u32, there: bool): void {
  if (there) memory.copy(place, MACHINE_BASE, MACHINE_SAVED_BYTES);
  else memory.copy(MACHINE_BASE, place, MACHINE_SAVED_BYTES);
  let at = place + MACHINE_SAVED_BYTES;
  const harts = machine32(MACHINE_HART_COUNT);
  for (let i: u32 = 0; i < harts; i++) {
    if (there) memory.copy(at, hartAt(i), HART_SAVED_BYTES);
    else memory.copy(hartAt(i), at, HART_SAVED_BYTES);
    at += HART_SAVED_BYTES;
  }
}

/**
 * Whether anything can still happen without input: a timer of some hart is to come, enabled or not, or devices will
 * act.
 */
export function timerAhead(): u32 {
  if (machine(MACHINE_DEVICE_DEADLINE) != NEVER) return 1;
  return nextTimerOfAll(true) == NEVER ? 0 : 1;
}

/** Draws from splitmix64 the length of a turn. */
function drawQuantum(): u32 {
  const mean = machine32(MACHINE_QUANTUM_TICKS);
  if (!machine32(MACHINE_QUANTUM_JITTER)) return mean;
  const state = machine(MACHINE_SCHEDULE_RNG) + 0x9e3779b97f4a7c15;
  setMachine(MACHINE_SCHEDULE_RNG, state);
  let z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  z ^= z >> 31;
  const shortest = mean / 2;
  return shortest + <u32>(z % <u64>((mean / 2) * 3 + (mean & 1) - shortest + 1));
}

function stopReason(): u32 {
  if (machine32(MACHINE_HALT_CODE)) return STOP_HALTED;
  if (machine32(MACHINE_STOP_BREAKPOINT)) {
    setMachine32(MACHINE_STOP_BREAKPOINT, 0);
    return STOP_BREAKPOINT;
  }
  if (machine32(MACHINE_STOP_WATCHPOINT)) {
    setMachine32(MACHINE_STOP_WATCHPOINT, 0);
    return STOP_WATCHPOINT;
  }
  if (machine32(MACHINE_STOP_EVENT)) {
    setMachine32(MACHINE_STOP_EVENT, 0);
    return STOP_EVENT;
  }
  if (accessesFull() || stepsFull()) return STOP_EVENTS_FULL;
  if (machine32(MACHINE_STOP_REQUEST)) {
    setMachine32(MACHINE_STOP_REQUEST, 0);
    return STOP_REQUEST;
  }
  if (machine32(MACHINE_EVENTS_COUNT) > machine32(MACHINE_EVENTS_CAPACITY) / 2) return STOP_EVENTS_FULL;
  if (machine(MACHINE_MOMENT) >= machine(MACHINE_STOP_MOMENT)) return STOP_MOMENT;
  if (machine(MACHINE_TICKS) >= machine(MACHINE_STOP_TICKS)) return STOP_TICKS;
  if (countedInstructions() >= machine(MACHINE_STOP_COUNT)) return STOP_COUNT;
  if (machine(MACHINE_WORK_TICKS) >= machine(MACHINE_STOP_WORK)) return STOP_WORK;
  return 0;
}

function devicesAreDue(): bool {
  return machine(MACHINE_TICKS) >= machine(MACHINE_DEVICE_DEADLINE);
}

/**
 * Lets the devices act at their deadline, which takes a tick: so the states before and after have different positions,
 * even when nothing follows from it. A deadline that they leave in the past is met right then.
 */
function tickDevices(): void {
  deviceTick();
  setMachine(MACHINE_WORK_TICKS, machine(MACHINE_WORK_TICKS) + 1);
  const ticks = machine(MACHINE_TICKS) + 1;
  setMachine(MACHINE_TICKS, ticks);
  setMachine(MACHINE_SLICE_START_TICKS, ticks);
}

/** Gives the turn to the next hart that does not wait. False when all do. */
function beginTurn(): bool {
  const next = nextRunnable();
  if (next == machine32(MACHINE_HART_COUNT)) return false;
  const hart = hartAt(next);
  setMachine32(MACHINE_CURRENT_HART, next);
  setMachine32(MACHINE_TURN_LEFT, drawQuantum());
  set32(hart, HART_WAITING, 0);
  set32(hart, HART_RESERVED, 0);
  return true;
}

/** The first hart after the current one, in turn, that is not waiting or has a reason to wake; hartCount if none. */
function nextRunnable(): u32 {
  const harts = machine32(MACHINE_HART_COUNT);
  const ticks = machine(MACHINE_TICKS);
  let candidate = machine32(MACHINE_CURRENT_HART);
  for (let i: u32 = 0; i < harts; i++) {
    candidate = candidate + 1 == harts ? 0 : candidate + 1;
    const hart = hartAt(candidate);
    if (!get32(hart, HART_WAITING) || wakes(hart, ticks)) return candidate;
  }
  return harts;
}

/**
 * All harts wait: virtual time goes to the next deadline, or to the stop before it. False when there is no deadline.
 */
function skipToWake(): bool {
  const next = min(machine(MACHINE_DEVICE_DEADLINE), nextTimerOfAll(false));
  if (next == NEVER) return false;
  const to = min(next, machine(MACHINE_STOP_TICKS));
  setMachine(MACHINE_TICKS, to);
  setMachine(MACHINE_SLICE_START_TICKS, to);
  return true;
}

/**
 * First tick to come at which a comparator of any hart makes an interrupt pending; `all`: or only those enabled in mie.
 */
function nextTimerOfAll(all: bool): u64 {
  const ticks = machine(MACHINE_TICKS);
  const harts = machine32(MACHINE_HART_COUNT);
  let next = NEVER;
  for (let i: u32 = 0; i < harts; i++)
    next = min(next, nextTimer(hartAt(i), ticks, all ? ALL : get(hartAt(i), HART_MIE)));
  return next;
}

/** Results of `approach` that are no hart. */
const NOT_YET: u32 = 0;
const ALL_WAIT: u32 = 1;

/**
 * One step of what happens before an instruction: a turn begins and an interrupt is taken, which costs a tick, or
 * virtual time is skipped. The hart (its address) when an instruction of it is next, NOT_YET to be called again, or
 * ALL_WAIT.
 */
function approach(): u32 {
  if (machine32(MACHINE_TURN_LEFT) == 0 && !beginTurn()) return skipToWake() ? NOT_YET : ALL_WAIT;
  const hart = hartAt(machine32(MACHINE_CURRENT_HART));
  // The bit is hardwired; only a fault injected from outside can have set it.
  set(hart, HART_PC, get(hart, HART_PC) & ~1);
  updateContexts(hart);
  set32(hart, HART_RESYNC, 0);
  const interrupt = interruptToTake(hart, machine(MACHINE_TICKS));
  if (interrupt == NONE) return hart;
  openSlice(hart, 1);
  set32(hart, HART_BUDGET, 0);
  takeInterrupt(hart, interrupt);
  closeSlice(hart, 0);
  return NOT_YET;
}

/** Interprets to the next deadline or stop. */
function interpretSlice(hart: u32): void {
  const budget = sliceBudget(hart, machine(MACHINE_TICKS));
  openSlice(hart, budget);
  closeSlice(hart, call_indirect<u32>(FN_INTERP, hart, budget));
  if (get32(hart, HART_WAITING)) setMachine32(MACHINE_TURN_LEFT, 0);
}

function sliceBudget(hart: u32, ticks: u64): u32 {
  let budget = min<u64>(machine32(MACHINE_TURN_LEFT), MAX_SLICE);
  budget = min(budget, nextTimer(hart, ticks, ALL) - ticks);
  budget = min(budget, machine(MACHINE_DEVICE_DEADLINE) - ticks);
  budget = min(budget, machine(MACHINE_STOP_TICKS) - ticks);
  budget = min(budget, machine(MACHINE_STOP_MOMENT) - machine(MACHINE_MOMENT));
  budget = min(budget, machine(MACHINE_STOP_WORK) - machine(MACHINE_WORK_TICKS));
  if (stopsByCount(modeNow(hart))) budget = min(budget, machine(MACHINE_STOP_COUNT) - countedInstructions());
  // One event at most for each tick: the other half of the ring is enough.
  if (machine32(MACHINE_EVENTS_ENABLED)) budget = min<u64>(budget, machine32(MACHINE_EVENTS_CAPACITY) / 2 - 1);
  return <u32>budget;
}

function openSlice(hart: u32, budget: u32): void {
  setMachine(MACHINE_SLICE_START_TICKS, machine(MACHINE_TICKS));
  setMachine32(MACHINE_SLICE_BUDGET, budget);
  set32(hart, HART_BUDGET, budget);
  set32(hart, HART_TRAPS, 0);
  setMachine32(MACHINE_MODE_FROM, 0);
}

/** Accounts for a slice of which `left` ticks were not spent; between slices nothing is spent and no trap counted. */
function closeSlice(hart: u32, left: u32): void {
  closeStep();
  const spentTicks = machine32(MACHINE_SLICE_BUDGET) - left;
  const retired = spentTicks - get32(hart, HART_TRAPS);
  countStretch(modeNow(hart), retired);
  const ticks = machine(MACHINE_SLICE_START_TICKS) + spentTicks;
  setMachine(MACHINE_TICKS, ticks);
  setMachine(MACHINE_WORK_TICKS, machine(MACHINE_WORK_TICKS) + spentTicks);
  set(hart, HART_WORK_TICKS, get(hart, HART_WORK_TICKS) + spentTicks);
  setMachine(MACHINE_MOMENT, machine(MACHINE_MOMENT) + retired);
  setMachine32(MACHINE_TURN_LEFT, machine32(MACHINE_TURN_LEFT) - spentTicks);
  if (!(get(hart, HART_MCOUNTINHIBIT) & COUNTER_IR)) set(hart, HART_INSTRET, get(hart, HART_INSTRET) + retired);
  setMachine(MACHINE_SLICE_START_TICKS, ticks);
  setMachine32(MACHINE_SLICE_BUDGET, 0);
  set32(hart, HART_BUDGET, 0);
  set32(hart, HART_TRAPS, 0);
}

// @ts-ignore: decorator
@inline
function hartAt(n: u32): u32 {
  return HART_BASE + n * HART_STRIDE;
}
