/**
 * A chain as plain data for people and programs: where each instruction is in both runs, what of it was followed, and
 * where the change lies that began it all, to the exact position.
 * Relies on the chain; does not look at the trace's inputs to find anything, only to say what lies where it found it.
 */
import { type Decision, decode } from '../../engine/index.ts';
import type { Position } from '../base/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { changeOf, inputsAt, pcChangeOf } from './change.ts';
import { decidedBy } from './decides.ts';
import { type Location, partOfHit } from './flow.ts';
import { locationText, placeOf, type StepPlace } from './place.ts';
import type { RunSteps, StepNumber } from './steps.ts';
import type { Chain, Link, Origin } from './types.ts';

export interface WhyStep {
  /** The step computed with it, went on elsewhere because of it, or was translated by it. */
  readonly kind: Link['kind'];
  readonly at: StepPlace;
  readonly goldenAt: StepPlace;
  /** What differed: `a3`, `hgatp`, `[0x80217410]:8`. */
  readonly operand: string;
  readonly value: bigint;
  readonly golden: bigint;
  /** The lock, or the word that the scheduler goes by, that it was read from; of the steps nearest to the question. */
  readonly decision?: Decision;
}

export interface Cause {
  /**
   * `register`, `csr`, `memory`, `code`, `pc`: it changed without an instruction; `dma`: a device wrote it; `device`,
   * `time`, `interrupt`: something outside of the harts answered otherwise; `unexplained`: see `reason`.
   */
  readonly kind:
    | 'register'
    | 'csr'
    | 'memory'
    | 'code'
    | 'pc'
    | 'dma'
    | 'device'
    | 'time'
    | 'interrupt'
    | 'unexplained';
  /** Where it happened: of a change, the position before it, inputs pending. */
  readonly position: Position;
  readonly hart?: number;
  /** `a3`, `hgatp`, `pc`, `[0x80217410]:8`. */
  readonly what?: string;
  /** Symbol of memory in firmware or hypervisor. */
  readonly symbol?: string;
  readonly before?: bigint;
  readonly after?: bigint;
  /** Bits of the named value that differ: numbers, lowest first. Of memory: of its bytes in little-endian order. */
  readonly bits?: readonly number[];
  readonly paddr?: number;
  /** Of memory and code: how many bytes `before` and `after` are. */
  readonly bytes?: number;
  /** Of registers: 0–31 integer, 32–63 floating point. */
  readonly register?: number;
  readonly device?: string;
  /** Kinds of the trace's inputs at that very position: `fault`, `poke`. */
  readonly inputs: readonly string[];
  /** The last instruction before that wrote it, and the one that found it changed. */
  readonly writtenBy?: StepPlace;
  readonly foundBy?: StepPlace;
  readonly reason?: string;
}

/** What was compared at the question. */
export interface Compared {
  /** `a3`, `hgatp`, `[0x80217410]:8`. */
  readonly what: string;
  readonly value: bigint;
  readonly golden: bigint;
  /** The position of the golden run that matches. */
  readonly goldenAt: Position;
  /** The hart does the same next in both; false: its path has left the golden run's, behind that position. */
  readonly isExact: boolean;
}

export interface WhyAnswer {
  /** Of questions about a value. */
  readonly compared?: Compared;
  /** From the question back to the cause. */
  readonly steps: readonly WhyStep[];
  readonly cause: Cause;
  /** Instructions between the cause and the question, of all harts. */
  readonly instructions: number;
  /** Values and partings looked at. */
  readonly visited: number;
}

/** Steps of which it is looked whether they went by a lock or the scheduler. */
const MOST_NAMED = 100;

/** Makes plain data of a chain that answers a question about the position `asked` of A. Moves A. */
export function answerOf(
  a: RunSteps,
  b: RunSteps,
  runs: { readonly a: TraceTimeline; readonly b: TraceTimeline },
  chain: Chain,
  asked: Position,
): WhyAnswer {
  const steps = chain.links.map((link, n) => whyStep(a, b, runs, link, n));
  const cause = causeOf(a, runs.a, chain.origin);
  return { steps, cause, instructions: Math.max(0, asked.moment - cause.position.moment), visited: chain.visited };
}

/** The `n`-th link of a chain as plain data. Logs windows again that are not there any more. */
export function whyStep(
  a: RunSteps,
  b: RunSteps,
  runs: { readonly a: TraceTimeline; readonly b: TraceTimeline },
  { kind, pair, follows }: Link,
  n: number,
): WhyStep {
  const isNamed = kind !== 'translated' && n < MOST_NAMED;
  const decision = isNamed ? decidedBy(a, runs.a, follows.a, pair.a) : undefined;
  return {
    kind,
    at: placeOf(a, runs.a.symbols, pair.a),
    goldenAt: placeOf(b, runs.b.symbols, pair.b),
    operand: locationText(follows.a.location),
    value: follows.a.value,
    golden: follows.b.value,
    ...(decision && { decision }),
  };
}

function causeOf(a: RunSteps, run: TraceTimeline, origin: Origin): Cause {
  const place = (step: StepNumber) => placeOf(a, run.symbols, step);
  const foundBy = (step: StepNumber) => (a.get(step).isNone ? {} : { foundBy: place(step) });
  switch (origin.kind) {
    case 'changed': {
      const { location, before, after, written, found } = origin;
      const position = changeOf(a, location, after, written, a.get(found).ticks);
      return {
        ...changed(a, run, location, before, after, found),
        position,
        inputs: inputsAt(run, position),
        ...(written !== undefined && { writtenBy: place(written) }),
        ...foundBy(found),
      };
    }
    case 'pc': {
      const { hart, expected, after, written, found } = origin;
      const position = pcChangeOf(a, hart, after, written, found);
      const bits = bitsOf(expected ^ after);
      const shared = { kind: 'pc', what: 'pc', hart, before: expected, after, bits } as const;
      return { ...shared, position, inputs: inputsAt(run, position), writtenBy: place(written), ...foundBy(found) };
    }
    case 'outside': {
      const { producer, found } = origin;
      const { hit, use } = producer;
      const { moment, ticks } = hit;
      const position = { moment, ticks };
      const part = hit.kind === 'access' ? partOfHit(hit, use.location) : undefined;
      const shared = changed(a, run, use.location, part?.before ?? 0n, part?.after ?? use.value, found);
      const device = 'device' in hit ? hit.device : undefined;
      return {
        ...shared,
        kind: hit.kind === 'access' && hit.by === 'input' ? shared.kind : 'dma',
        ...(device !== undefined && { device }),
        position,
        inputs: inputsAt(run, position),
        ...foundBy(found),
      };
    }
    case 'unexplained': {
      const { moment, ticks, ...found } = { ...positionOf(a, origin.at), ...foundBy(origin.at) };
      return { kind: 'unexplained', position: { moment, ticks }, inputs: [], ...found, reason: origin.why };
    }
    default: {
      const at = place(origin.at);
      return { kind: origin.kind, position: positionOf(a, origin.at), inputs: [], hart: at.hart, foundBy: at };
    }
  }
}

const positionOf = (run: RunSteps, step: StepNumber): Position => ({
  moment: run.momentOf(step),
  ticks: run.get(step).ticks,
});

function changed(
  a: RunSteps,
  run: TraceTimeline,
  location: Location,
  before: bigint,
  after: bigint,
  found: StepNumber,
): Pick<Cause, 'kind' | 'what' | 'before' | 'after' | 'bits'> & Partial<Cause> {
  const from = location.kind === 'register' ? 8 * location.from : 0;
  const bits = bitsOf(before ^ after).map((bit) => bit + from);
  const shared = { what: locationText(location), before, after, bits };
  if (location.kind === 'csr') return { kind: location.kind, hart: location.hart, ...shared };
  if (location.kind === 'register') {
    return { kind: location.kind, hart: location.hart, register: location.number, ...shared };
  }
  const { paddr } = location;
  const finder = a.get(found);
  const isCode = !finder.isTrap && paddr >= finder.code && paddr < finder.code + (decode(finder.raw)?.lengthBytes ?? 2);
  const symbol = run.symbols.describePhysical(paddr);
  return { kind: isCode ? 'code' : 'memory', paddr, bytes: location.bytes, ...(symbol && { symbol }), ...shared };
}

function bitsOf(difference: bigint): number[] {
  const bits: number[] = [];
  for (let n = 0; n < 64; n++) if ((difference >> BigInt(n)) & 1n) bits.push(n);
  return bits;
}
