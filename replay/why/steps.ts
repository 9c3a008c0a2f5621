/**
 * Every instruction of a run with its operands, as if all of it had been written down: logged in windows when somebody
 * asks, the last ones kept. A step is named by a number that grows with time.
 * Relies on the machine's log and on the timeline for coming to where a window begins. Moves the run.
 */
import { type Mode, modeOf, STEP_FLAGS, Steps, type Ticks } from '../../engine/index.ts';
import type { SearchedRun } from '../search/index.ts';

/** Names a step of a run: those of a later one are greater. */
export type StepNumber = number;

/** Ticks of a window: some 20 MB and some 20 ms. */
const WINDOW = 2 ** 17;
/** More records than a window can have: eight for each tick. */
const ROOM = 2 ** 20;
/** Windows kept. */
const KEPT = 16;

export interface Window {
  readonly index: number;
  readonly steps: Steps;
  /** Moment when it begins. */
  readonly moment: number;
  /** Ticks when it ends. */
  readonly end: Ticks;
}

export class RunSteps {
  readonly run: SearchedRun;
  private readonly windows = new Map<number, Window>();
  /** Of each window that has been logged, which registers its instructions have written: by `registerOf`. */
  private readonly written = new Map<number, Uint8Array>();
  /** Whether the last `back` that found nothing has looked at everything since the machine was switched on. */
  reachedStart = false;
  /** Instructions logged so far: what it has cost. */
  logged = 0;

  constructor(run: SearchedRun) {
    this.run = run;
  }

  /** Number of the last window. */
  get lastWindow(): number {
    return Math.floor(this.run.last.ticks / WINDOW);
  }

  private get firstWindow(): number {
    return Math.floor(this.run.first.ticks / WINDOW);
  }

  /** The window of that number, 0 to `lastWindow`. @throws TraceError when the run leaves its recording in it */
  window(index: number): Window {
    const known = this.windows.get(index);
    this.windows.delete(index);
    const window = known ?? this.log(index);
    this.windows.set(index, window);
    for (const oldest of this.windows.keys()) {
      if (this.windows.size <= KEPT) break;
      this.windows.delete(oldest);
    }
    return window;
  }

  windowOf(step: StepNumber): Window {
    return this.window(Math.floor(step / ROOM));
  }

  private log(index: number): Window {
    const { run } = this;
    const { machine } = run;
    // A trace that was cut out of another begins later.
    const from = Math.max(index * WINDOW, run.first.ticks);
    run.toTicks(from, 'pending');
    const { moment } = machine;
    const parts: Uint8Array[] = [];
    const before = machine.onSteps;
    machine.onSteps = (records) => parts.push(records);
    const to = Math.min((index + 1) * WINDOW, run.last.ticks);
    try {
      if (to > from) run.forwardToTicks(to, 'pending');
    } finally {
      machine.onSteps = before;
    }
    const steps = new Steps(parts);
    this.logged += steps.count;
    if (!this.written.has(index)) this.written.set(index, registersWritten(steps, machine.config.harts));
    return { index, steps, moment, end: Math.max(from, to) };
  }

  /** The step that a hart did in the tick that begins at `ticks`; undefined when none did: devices act, or all wait. */
  at(ticks: Ticks): StepNumber | undefined {
    const index = Math.floor(ticks / WINDOW);
    const { steps } = this.window(index);
    const n = firstAt(steps, ticks);
    return n < steps.count && steps.ticks(n) === ticks ? index * ROOM + n : undefined;
  }

  /** The number that is greater than those of all steps before `ticks`, and not greater than any other. */
  before(ticks: Ticks): StepNumber {
    const index = Math.min(Math.floor(ticks / WINDOW), this.lastWindow);
    return index * ROOM + firstAt(this.window(index).steps, ticks);
  }

  /**
   * The latest record before `from` that `wanted` says yes to, no more than `most` records back; undefined: none.
   * `register`: it has to be an instruction that writes this one. Windows that are known to have none are passed over.
   */
  back(
    from: StepNumber,
    most: number,
    wanted: (steps: Steps, n: number) => boolean,
    register?: { readonly hart: number; readonly number: number },
  ): StepNumber | undefined {
    let left = most;
    let n = from % ROOM;
    const at = register && registerOf(register.hart, register.number);
    for (let index = Math.floor(from / ROOM); index >= this.firstWindow && left > 0; index--) {
      if (at !== undefined && this.written.get(index)?.[at] === 0) {
        n = ROOM;
        continue;
      }
      const { steps } = this.window(index);
      for (n = Math.min(n, steps.count) - 1; n >= 0 && left > 0; n--, left--) {
        if (wanted(steps, n)) return index * ROOM + n;
      }
      n = ROOM;
    }
    this.reachedStart = left > 0 && this.run.first.ticks === 0;
    return undefined;
  }

  /** The earliest record at `from` or behind that `wanted` says yes to, among `most`. */
  forth(
    from: StepNumber,
    most: number,
    wanted: (steps: Steps, n: number, number: StepNumber) => boolean,
  ): StepNumber | undefined {
    let left = most;
    let n = from % ROOM;
    for (let index = Math.floor(from / ROOM); index <= this.lastWindow && left > 0; index++) {
      const { steps } = this.window(index);
      for (; n < steps.count && left > 0; n++, left--) {
        if (wanted(steps, n, index * ROOM + n)) return index * ROOM + n;
      }
      n = 0;
    }
    return undefined;
  }

  /** The number of the first step of the next window; the same number when there is no other window. */
  nextWindow(step: StepNumber): StepNumber {
    const index = Math.floor(step / ROOM);
    return index >= this.lastWindow ? step : (index + 1) * ROOM;
  }
  /** The place of a step in its window. */
  place(step: StepNumber): number {
    return step % ROOM;
  }
  number(window: number, place: number): StepNumber {
    return window * ROOM + place;
  }

  /** What is known of one step; of the number behind the last step of a window, that there is none. */
  get(step: StepNumber): Step {
    return new Step(this.windowOf(step), step % ROOM, step);
  }

  /** Instructions retired before a step. */
  momentOf(step: StepNumber): number {
    const { steps, moment } = this.windowOf(step);
    let retired = 0;
    for (let n = 0; n < step % ROOM; n++) {
      if (!(steps.flags(n) & (STEP_FLAGS.IS_TRAP | STEP_FLAGS.FURTHER | STEP_FLAGS.TRAPPED))) retired++;
    }
    return moment + retired;
  }
}

const REGISTERS = 64;
const registerOf = (hart: number, number: number): number => REGISTERS * hart + number;

/** 1 for each register that an instruction has as its destination. */
function registersWritten(steps: Steps, harts: number): Uint8Array {
  const written = new Uint8Array(REGISTERS * harts);
  for (let n = 0; n < steps.count; n++) {
    const number = steps.rd(n);
    if (number < REGISTERS && !(steps.flags(n) & STEP_FLAGS.IS_TRAP)) written[registerOf(steps.hart(n), number)] = 1;
  }
  return written;
}

/** Number of the first record at `ticks` or later. */
function firstAt(steps: Steps, ticks: Ticks): number {
  let [low, high] = [0, steps.count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (steps.ticks(middle) < ticks) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One access of an instruction: to memory, or to a device. */
export interface StepAccess {
  readonly address: number;
  readonly bytes: number;
  readonly before: bigint;
  readonly after: bigint;
  readonly flags: number;
}

/** One instruction or trap. */
export class Step {
  readonly number: StepNumber;
  /** Nothing happens there any more: it stands for a position at which something was looked at. */
  readonly isNone: boolean;
  readonly ticks: Ticks;
  readonly pc: bigint;
  readonly flags: number;
  readonly raw: number;
  readonly hart: number;
  /** Mode number; traps: the mode before. */
  readonly modeNumber: number;
  readonly result: bigint;
  readonly rd: number;
  private readonly log: Steps;
  private readonly n: number;

  constructor(window: Window, n: number, number: StepNumber) {
    const { steps } = window;
    [this.log, this.n, this.number] = [steps, n, number];
    this.isNone = n >= steps.count;
    if (this.isNone) {
      [this.ticks, this.pc, this.flags, this.raw] = [window.end, 0n, STEP_FLAGS.IS_TRAP, 0];
      [this.hart, this.modeNumber, this.result, this.rd] = [0, 0, 0n, 0];
      return;
    }
    this.ticks = steps.ticks(n);
    this.pc = steps.pc(n);
    this.flags = steps.flags(n);
    this.raw = steps.raw(n);
    this.hart = steps.hart(n);
    this.modeNumber = steps.mode(n);
    this.result = steps.result(n);
    this.rd = steps.rd(n);
  }

  get mode(): Mode {
    return modeOf(this.modeNumber);
  }
  get vmid(): number {
    return this.log.vmid(this.n);
  }
  get isTrap(): boolean {
    return (this.flags & STEP_FLAGS.IS_TRAP) !== 0;
  }
  get isInterrupt(): boolean {
    return this.isTrap && this.raw >>> 31 === 1;
  }
  get trapped(): boolean {
    return (this.flags & STEP_FLAGS.TRAPPED) !== 0;
  }
  /** Physical address of the instruction. */
  get code(): number {
    return this.log.code(this.n);
  }
  /** Traps: xtval. */
  get trapValue(): bigint {
    return this.log.rs1(this.n);
  }
  /** Traps: where execution goes on, and in which mode. */
  get trapTarget(): bigint {
    return this.log.rs3(this.n);
  }
  get trapMode(): Mode {
    return modeOf(this.rd);
  }
  source(which: 1 | 2 | 3): { readonly register: number; readonly value: bigint } {
    const value = which === 1 ? this.log.rs1(this.n) : which === 2 ? this.log.rs2(this.n) : this.log.rs3(this.n);
    return { register: this.log.source(this.n, which), value };
  }
  /** Number of the CSR that it accesses; undefined: none. */
  get csr(): { readonly number: number; readonly before: bigint; readonly after: bigint } | undefined {
    if (!(this.flags & STEP_FLAGS.CSR)) return undefined;
    return { number: this.log.address(this.n), before: this.log.before(this.n), after: this.log.after(this.n) };
  }
  /** Its accesses to memory and devices, in order. */
  get accesses(): readonly StepAccess[] {
    const all: StepAccess[] = [];
    if (this.flags & (STEP_FLAGS.IS_TRAP | STEP_FLAGS.CSR)) return all;
    for (let n = this.n; n === this.n || (n < this.log.count && this.log.flags(n) & STEP_FLAGS.FURTHER); n++) {
      const flags = this.log.flags(n);
      if (!(flags & (STEP_FLAGS.READS | STEP_FLAGS.WRITES))) continue;
      const { log } = this;
      all.push({ address: log.address(n), bytes: log.bytes(n), before: log.before(n), after: log.after(n), flags });
    }
    return all;
  }
}
