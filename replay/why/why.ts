/**
 * Questions that begin with why, answered by two runs of the same machine: the one that went wrong and the golden one.
 */
import { STEP_FLAGS, type Steps, UserError } from '../../engine/index.ts';
import type { Position } from '../base/index.ts';
import { imageDifferences, machineDifferences } from '../compare/index.ts';
import type { Slices } from '../search/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { Alignment } from './align.ts';
import { lastAlike } from './anchor.ts';
import { answerOf, type WhyAnswer } from './answer.ts';
import { ChainWalk } from './chain.ts';
import type { Location, Use } from './flow.ts';
import { valueNow } from './producer.ts';
import { RunSteps, type StepNumber } from './steps.ts';
import type { Chain } from './types.ts';

export type WhyQuestion =
  /** Why a hart did something at a position of the wrong run that it does not do in the golden one. */
  | { readonly kind: 'did'; readonly at: Position; readonly hart?: number }
  /** Why what a hart did at a position of the golden run did not happen. */
  | { readonly kind: 'not'; readonly at: Position; readonly hart?: number }
  /** Why a device got another value: the stores at these positions of both runs. */
  | { readonly kind: 'stored'; readonly at: Position; readonly goldenAt: Position }
  /** Why a location has another value, at positions of both runs that correspond. */
  | { readonly kind: 'value'; readonly location: Location; readonly at: Position; readonly goldenAt: Position };

/** Of the other run, so much more than of the one in which the question lies is compared. */
const MARGIN = 1.05;
const MORE_TICKS = 200_000;
/** Records before a position in which a store to a device is looked for. */
const NEAR = 1_000;

/**
 * @throws UserError when the golden run is of another machine or build, or the value does not differ; TraceError when a
 * run leaves its recording
 */
export function* why(a: TraceTimeline, b: TraceTimeline, question: WhyQuestion): Slices<WhyAnswer> {
  checkComparable(a, b);
  const [ofA, ofB] = [new RunSteps(a), new RunSteps(b)];
  const [toA, toB] = reach(a, b, question);
  const from = yield* lastAlike(a, b, Math.min(toA, toB));
  const alignment = yield* Alignment.of(ofA, ofB, from, toA, toB);
  const chain = yield* ask(ofA, ofB, new ChainWalk(ofA, ofB, alignment), question);
  const asked = question.kind === 'not' ? { moment: a.last.moment, ticks: a.last.ticks } : question.at;
  return answerOf(ofA, ofB, { a, b }, chain, asked);
}

/** @throws UserError when two runs cannot be compared step by step */
function checkComparable(a: TraceTimeline, b: TraceTimeline): void {
  const differences = [
    ...machineDifferences(a.trace.header, b.trace.header),
    ...imageDifferences(a.trace.header, b.trace.header),
  ];
  const [first] = differences;
  if (!first) return;
  throw new UserError(
    `${b.trace.path} is no golden run of ${a.trace.path}: ${first.name} is ${first.b} there and ${first.a} here; ` +
      'a golden run has the same machine, images and command line',
  );
}

/** Up to which ticks both runs are compared. */
function reach(a: TraceTimeline, b: TraceTimeline, question: WhyQuestion): readonly [number, number] {
  const further = (ticks: number, last: Position) => Math.min(last.ticks, Math.ceil(ticks * MARGIN) + MORE_TICKS);
  const { ticks } = question.at;
  if (question.kind === 'did') return [ticks, further(ticks, b.last)];
  if (question.kind === 'not') return [further(ticks, a.last), ticks];
  return [ticks, question.goldenAt.ticks];
}

function* ask(a: RunSteps, b: RunSteps, walk: ChainWalk, question: WhyQuestion): Slices<Chain> {
  switch (question.kind) {
    case 'did':
      return yield* walk.ofStepOfA(stepAt(a, question.at, question.hart));
    case 'not':
      return yield* walk.ofStepOfB(stepAt(b, question.at, question.hart));
    case 'stored': {
      const [atA, atB] = [storeAt(a, question.at), storeAt(b, question.goldenAt)];
      return yield* walk.ofValue({ a: storedBy(a, atA), b: storedBy(b, atB), atA, atB });
    }
    case 'value': {
      const { location, at, goldenAt } = question;
      const foundIn = (run: RunSteps, position: Position): Use => {
        run.run.toTicks(position.ticks, 'applied');
        return { location, value: valueNow(run.run.machine, location) };
      };
      const pair = { a: foundIn(a, at), b: foundIn(b, goldenAt) };
      if (pair.a.value === pair.b.value) {
        throw new UserError('the value is the same in the golden run at the matching position: nothing to explain');
      }
      return yield* walk.ofValue({ ...pair, atA: a.before(at.ticks), atB: b.before(goldenAt.ticks) });
    }
  }
}

/** The step of a position, or the last one of that hart before it. */
function stepAt(run: RunSteps, { ticks }: Position, hart?: number): StepNumber {
  const exact = run.at(ticks);
  if (exact !== undefined && (hart === undefined || run.get(exact).hart === hart)) return exact;
  const before = run.back(
    run.before(ticks),
    Number.POSITIVE_INFINITY,
    (steps, n) => hart === undefined || steps.hart(n) === hart,
  );
  return before ?? run.before(ticks);
}

/** The step of a position when it stores to a device, or the last one before that does. */
function storeAt(run: RunSteps, { ticks }: Position): StepNumber {
  const DEVICE_STORE = STEP_FLAGS.WRITES | STEP_FLAGS.DEVICE;
  const isStore = (steps: Steps, n: number) => (steps.flags(n) & DEVICE_STORE) === DEVICE_STORE;
  const found = run.back(run.before(ticks + 1), NEAR, isStore);
  if (found === undefined) throw new UserError(`nothing is stored to a device at tick ${ticks} or shortly before`);
  return found;
}

/** The register that a store put into a device. */
function storedBy(run: RunSteps, number: StepNumber): Use {
  const step = run.get(number);
  const { register, value } = step.source(2);
  const bytes = step.accesses[0]?.bytes ?? 8;
  return {
    location: { kind: 'register', hart: step.hart, number: register, from: 0, bytes },
    value: BigInt.asUintN(8 * bytes, value),
  };
}
