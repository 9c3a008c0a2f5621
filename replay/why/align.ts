/**
 * Which step of one run is which of another: the paths of each hart side by side, from a position up to which both runs
 * did the same. Where they part, they are taken to meet again at the first instruction that both execute at the same
 * depth of calls and traps; interrupts that one of them takes elsewhere are set aside and compared among themselves.
 * @see Xin, Sumner and Zhang, "Efficient program execution indexing", PLDI 2008; Johnson et al., "Differential
 * slicing", IEEE S&P 2011
 */
import { decode, STEP_FLAGS, type Steps, type Ticks } from '../../engine/index.ts';
import type { Slices } from '../search/index.ts';
import { isReturnWord } from './flow.ts';
import type { RunSteps, StepNumber } from './steps.ts';

/** Steps of one hart in order of time. */
interface Path {
  readonly steps: Float64Array;
  readonly pcs: BigUint64Array;
  /** 0: an instruction; traps: TRAP, INTERRUPT and the cause. */
  readonly marks: Uint8Array;
  readonly depths: Int32Array;
  readonly count: number;
}

/** Steps of a hart that are compared at most. */
const MOST = 6_000_000;
/** How far ahead one looks for where two paths meet again, at first and at most. */
const LOOK = [2_000, 30_000, 400_000] as const;
/** Steps looked at for the last of a hart before. */
const FAR = 5_000_000;
const NONE = -1;
const TRAP = 0x40;
const INTERRUPT = 0x80;

export interface Parting {
  /** The last steps that both runs did alike. */
  readonly a: StepNumber;
  readonly b: StepNumber;
}

export class Alignment {
  private readonly ofA = new Map<number, Path>();
  private readonly ofB = new Map<number, Path>();
  private readonly toB = new Map<number, Int32Array>();
  private readonly toA = new Map<number, Int32Array>();
  private readonly from: Ticks;
  private readonly a: RunSteps;
  private readonly b: RunSteps;
  /** Whether paths were longer than what is compared. */
  isCut = false;

  private constructor(a: RunSteps, b: RunSteps, from: Ticks) {
    [this.a, this.b, this.from] = [a, b, from];
  }

  /**
   * Compares the steps of all harts. `from`: up to there the runs did the same in the same ticks; compares up to `toA`
   * and `toB`. Moves both runs. @throws TraceError when one leaves its recording
   */
  static *of(a: RunSteps, b: RunSteps, from: Ticks, toA: Ticks, toB: Ticks): Slices<Alignment> {
    const alignment = new Alignment(a, b, from);
    const pathsA = yield* alignment.paths(a, toA);
    const pathsB = yield* alignment.paths(b, toB);
    for (const [hart, pathA] of pathsA.entries()) {
      const pathB = pathsB[hart]!;
      alignment.ofA.set(hart, pathA);
      alignment.ofB.set(hart, pathB);
      const map = alignPaths(pathA, pathB);
      alignment.toB.set(hart, map);
      const back = new Int32Array(pathB.count).fill(NONE);
      for (const [n, to] of map.entries()) if (to !== NONE) back[to] = n;
      alignment.toA.set(hart, back);
    }
    return alignment;
  }

  /** The step of B that is this one of A; undefined: there is none. */
  inB(step: StepNumber): StepNumber | undefined {
    return this.other(step, this.a, this.b, this.ofA, this.ofB, this.toB);
  }

  /** The step of A that is this one of B. */
  inA(step: StepNumber): StepNumber | undefined {
    return this.other(step, this.b, this.a, this.ofB, this.ofA, this.toA);
  }

  /** Where A left B's path before it came to `step` of A; undefined: that lies before what was compared. */
  partingOfA(step: StepNumber): Parting | undefined {
    const found = this.lastMapped(step, this.a, this.b, this.ofA, this.ofB, this.toB);
    return found && { a: found.own, b: found.other };
  }

  /** Where B left A's path before it came to `step` of B: what A did not do. */
  partingOfB(step: StepNumber): Parting | undefined {
    const found = this.lastMapped(step, this.b, this.a, this.ofB, this.ofA, this.toA);
    return found && { a: found.other, b: found.own };
  }

  /**
   * Where the runs began to be apart in time, before a step of A: the last steps alike of the hart that was first to do
   * something else, or the same at another time, behind the last step that the step's own hart did in both at the same
   * time. undefined: they are not apart, as far as was compared.
   */
  firstApart(step: StepNumber): Parting | undefined {
    const { hart } = this.a.get(step);
    const path = this.ofA.get(hart)!;
    let n = (indexOf(path, step) ?? path.count) - 1;
    while (n >= 0 && this.numberInB(hart, n) !== path.steps[n]) n--;
    const together = n < 0 ? NONE : path.steps[n]!;
    let first = step;
    let found: Parting | undefined;
    for (const [of, { steps, count }] of this.ofA) {
      let m = firstBehind(steps, count, together);
      while (m < count && steps[m]! < first && this.numberInB(of, m) === steps[m]) m++;
      // The step itself, too: its hart may have waited longer before it.
      if (m >= count || steps[m]! > first || this.numberInB(of, m) === steps[m]) continue;
      const parting = this.partingOfA(steps[m]!);
      if (parting) [first, found] = [steps[m]!, parting];
    }
    return found;
  }

  /** Number of the step of B that is the n-th of a hart in A. Up to where the runs part, both have the same numbers. */
  private numberInB(hart: number, n: number): StepNumber | undefined {
    const to = this.toB.get(hart)![n]!;
    return to === NONE ? undefined : this.ofB.get(hart)!.steps[to];
  }

  /** The step that the same hart did next, in A or in B; undefined: none was compared. */
  nextInA(step: StepNumber): StepNumber | undefined {
    return next(step, this.a, this.ofA);
  }
  nextInB(step: StepNumber): StepNumber | undefined {
    return next(step, this.b, this.ofB);
  }

  private other(
    step: StepNumber,
    own: RunSteps,
    others: RunSteps,
    paths: Map<number, Path>,
    otherPaths: Map<number, Path>,
    maps: Map<number, Int32Array>,
  ): StepNumber | undefined {
    const { hart, ticks } = own.get(step);
    // Before, both did the same at the same time.
    if (ticks < this.from) return others.at(ticks);
    const n = indexOf(paths.get(hart)!, step);
    const to = n === undefined ? NONE : (maps.get(hart)![n] ?? NONE);
    return to === NONE ? undefined : otherPaths.get(hart)!.steps[to];
  }

  private lastMapped(
    step: StepNumber,
    own: RunSteps,
    others: RunSteps,
    paths: Map<number, Path>,
    otherPaths: Map<number, Path>,
    maps: Map<number, Int32Array>,
  ): { readonly own: StepNumber; readonly other: StepNumber } | undefined {
    const { hart } = own.get(step);
    const path = paths.get(hart)!;
    const map = maps.get(hart)!;
    for (let n = (indexOf(path, step) ?? path.count) - 1; n >= 0; n--) {
      if (map[n] !== NONE) return { own: path.steps[n]!, other: otherPaths.get(hart)!.steps[map[n]!]! };
    }
    // Nothing since both did the same: what the hart did last before.
    const last = own.back(own.before(this.from), FAR, (steps, n) => isOf(steps, n, hart));
    const other = last === undefined ? undefined : others.at(own.get(last).ticks);
    return last === undefined || other === undefined ? undefined : { own: last, other };
  }

  private *paths(run: RunSteps, to: Ticks): Slices<Path[]> {
    const lists = Array.from({ length: run.run.machine.config.harts }, () => new PathList());
    let isOver = false;
    for (let from = run.before(this.from); !isOver; from = run.nextWindow(from)) {
      const { steps, index } = run.windowOf(from);
      yield { moment: run.run.machine.moment, executed: run.logged };
      for (let n = run.place(from); n < steps.count && !isOver; n++) {
        if (steps.flags(n) & STEP_FLAGS.FURTHER) continue;
        const list = lists[steps.hart(n)]!;
        const isFull = list.count >= MOST;
        if (isFull) this.isCut = true;
        if (isFull || steps.ticks(n) > to) isOver = true;
        else list.add(run.number(index, n), steps.pc(n), steps.raw(n), steps.flags(n));
      }
      if (run.nextWindow(from) === from) isOver = true;
    }
    return lists.map((list) => list.done());
  }
}

function next(step: StepNumber, run: RunSteps, paths: Map<number, Path>): StepNumber | undefined {
  const path = paths.get(run.get(step).hart)!;
  const n = indexOf(path, step);
  // A step before all that were compared was found as the last of them.
  if (n === undefined) return path.count > 0 && step < path.steps[0]! ? path.steps[0] : undefined;
  return n + 1 >= path.count ? undefined : path.steps[n + 1];
}

function indexOf({ steps, count }: Path, step: StepNumber): number | undefined {
  const n = firstBehind(steps, count, step - 1);
  return n < count && steps[n] === step ? n : undefined;
}

/** Index of the first step behind `step`; `count`: there is none. */
function firstBehind(steps: Float64Array, count: number, step: StepNumber): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (steps[middle]! <= step) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Effects on depth: a call, a return, anything else; by instruction word. */
const TURNS = new Map<number, number>();

function turnOf(raw: number): number {
  const known = TURNS.get(raw);
  if (known !== undefined) return known;
  const turn = turnOfInstruction(raw);
  if (TURNS.size > 100_000) TURNS.clear();
  TURNS.set(raw, turn);
  return turn;
}

const isLink = (register: number | undefined): boolean => register === 1 || register === 5;

/** @see Volume I, section 2.5.1, "Unconditional Jumps": hints for the return-address stack */
function turnOfInstruction(raw: number): number {
  const { instruction, operands } = decode(raw) ?? {};
  if (!instruction || !operands) return 0;
  if (isReturnWord(raw)) return -1;
  if (instruction.effect.kind !== 'jump') return 0;
  if (isLink(operands.rd)) return 1;
  return isLink(operands.rs1) ? -1 : 0;
}

const isOf = (steps: Steps, n: number, hart: number): boolean =>
  steps.hart(n) === hart && !(steps.flags(n) & STEP_FLAGS.FURTHER);

class PathList {
  count = 0;
  private steps = new Float64Array(65_536);
  private pcs = new BigUint64Array(65_536);
  private marks = new Uint8Array(65_536);
  private depths = new Int32Array(65_536);
  private depth = 0;

  add(step: StepNumber, pc: bigint, raw: number, flags: number): void {
    if (this.count === this.steps.length) this.grow();
    const isTrap = (flags & STEP_FLAGS.IS_TRAP) !== 0;
    const n = this.count++;
    this.steps[n] = step;
    this.pcs[n] = pc;
    this.marks[n] = isTrap ? (raw & 0x3f) | TRAP | (raw >>> 31 ? INTERRUPT : 0) : 0;
    this.depths[n] = this.depth;
    if (isTrap) this.depth++;
    else if (!(flags & STEP_FLAGS.TRAPPED)) this.depth += turnOf(raw);
  }

  done(): Path {
    const { steps, pcs, marks, depths, count } = this;
    return { steps, pcs, marks, depths, count };
  }

  private grow(): void {
    const bigger = <A extends { set(from: A): void }>(make: A, from: A): A => {
      make.set(from);
      return make;
    };
    const length = 2 * this.steps.length;
    this.steps = bigger(new Float64Array(length), this.steps);
    this.pcs = bigger(new BigUint64Array(length), this.pcs);
    this.marks = bigger(new Uint8Array(length), this.marks);
    this.depths = bigger(new Int32Array(length), this.depths);
  }
}

/** A stretch of a path that an interrupt took: from its trap up to where it returned. */
interface Excursion {
  readonly from: number;
  readonly to: number;
}

/** For each step of A the number of B's that is the same, or -1. */
function alignPaths(a: Path, b: Path): Int32Array {
  const map = new Int32Array(a.count).fill(NONE);
  alignStretch(a, { from: 0, to: a.count }, b, { from: 0, to: b.count }, map, 0);
  return map;
}

/** Interrupts within interrupts are followed so deep. */
const MAX_NESTED = 6;

function alignStretch(a: Path, ofA: Excursion, b: Path, ofB: Excursion, map: Int32Array, nested: number): void {
  const asideA: Excursion[] = [];
  const asideB: Excursion[] = [];
  let [i, j] = [ofA.from, ofB.from];
  while (i < ofA.to && j < ofB.to) {
    if (a.pcs[i] === b.pcs[j] && a.marks[i] === b.marks[j]) {
      map[i++] = j++;
      continue;
    }
    const awayA = a.marks[i]! & INTERRUPT ? excursion(a, i, ofA.to) : undefined;
    const awayB = b.marks[j]! & INTERRUPT ? excursion(b, j, ofB.to) : undefined;
    if (awayA || awayB) {
      if (awayA) {
        asideA.push(awayA);
        i = awayA.to;
      }
      if (awayB) {
        asideB.push(awayB);
        j = awayB.to;
      }
      continue;
    }
    const met = meet(a, i, ofA.to, b, j, ofB.to);
    if (!met) break;
    [i, j] = met;
  }
  if (nested === MAX_NESTED) return;
  pairUp(a, asideA, b, asideB, (ofOneA, ofOneB) => alignStretch(a, ofOneA, b, ofOneB, map, nested + 1));
}

/** Pairs those of the same cause in order. */
function pairUp(
  a: Path,
  asideA: readonly Excursion[],
  b: Path,
  asideB: readonly Excursion[],
  align: (ofA: Excursion, ofB: Excursion) => void,
): void {
  const cause = (path: Path, { from }: Excursion) => path.marks[from]!;
  const waiting = new Map<number, Excursion[]>();
  for (const one of asideB) {
    const known = waiting.get(cause(b, one));
    if (known) known.push(one);
    else waiting.set(cause(b, one), [one]);
  }
  for (const one of asideA) {
    const other = waiting.get(cause(a, one))?.shift();
    // The trap itself may have struck elsewhere: what follows it is compared.
    if (other) align({ from: one.from + 1, to: one.to }, { from: other.from + 1, to: other.to });
  }
}

/** What an interrupt takes up: until depth is again what it was. */
function excursion(path: Path, from: number, limit: number): Excursion {
  const depth = path.depths[from]!;
  let to = from + 1;
  while (to < limit && path.depths[to]! > depth) to++;
  return { from, to };
}

/** Where both paths come to the same instruction at the same depth again, with the fewest steps. */
function meet(
  a: Path,
  i: number,
  endA: number,
  b: Path,
  j: number,
  endB: number,
): readonly [number, number] | undefined {
  const depth = Math.min(a.depths[i]!, b.depths[j]!);
  for (const look of LOOK) {
    const seen = new Map<bigint, number>();
    const [toA, toB] = [Math.min(endA, i + look), Math.min(endB, j + look)];
    for (let m = j; m < toB; m++) {
      if (b.depths[m]! > depth) continue;
      const key = keyAt(b, m);
      if (!seen.has(key)) seen.set(key, m);
    }
    let best: readonly [number, number] | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let n = i; n < toA && n - i < least; n++) {
      if (a.depths[n]! > depth) continue;
      const m = seen.get(keyAt(a, n));
      if (m === undefined || n - i + (m - j) >= least) continue;
      [best, least] = [[n, m], n - i + (m - j)];
    }
    if (best) return best;
    if (toA === endA && toB === endB) return undefined;
  }
  return undefined;
}

const keyAt = (path: Path, n: number): bigint =>
  path.pcs[n]! ^ (BigInt((path.depths[n]! & 0xff) | (path.marks[n]! << 8)) << 40n);
