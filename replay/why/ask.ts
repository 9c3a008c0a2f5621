/**
 * From a question about two runs to where the walk backwards begins: a step, a parting, or a value in both.
 * Relies on the alignment for which position of the golden run a question is compared with.
 */
import { STEP_FLAGS, type Steps, UserError } from '../../engine/index.ts';
import type { Place, Position } from '../base/index.ts';
import { printExpression } from '../language/index.ts';
import type { Slices } from '../search/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import type { Alignment } from './align.ts';
import type { Compared } from './answer.ts';
import { type AskedPlace, differingUses, isPath, placeIn, type WhyQuestion } from './asked.ts';
import type { ChainWalk } from './chain.ts';
import type { UsePair } from './compare.ts';
import type { Use } from './flow.ts';
import { matchOf } from './match.ts';
import { locationText } from './place.ts';
import type { RunSteps, StepNumber } from './steps.ts';
import type { Chain } from './types.ts';

/** Records before a position in which a store to a device is looked for. */
const NEAR = 1_000;

export interface AskedRuns {
  readonly a: RunSteps;
  readonly b: RunSteps;
  readonly runs: { readonly a: TraceTimeline; readonly b: TraceTimeline };
  readonly alignment: Alignment;
  readonly walk: ChainWalk;
}

export interface Asked {
  readonly chain: Chain;
  readonly compared?: Compared;
}

/** @throws UserError when there is nothing that differs, or nothing of the kind that is asked about */
export function* ask(asked: AskedRuns, question: WhyQuestion): Slices<Asked> {
  const { a, b, walk, alignment } = asked;
  switch (question.kind) {
    case 'did':
      return { chain: yield* walk.ofStepOfA(stepAt(a, question.at, question.hart)) };
    case 'not': {
      const step = stepAt(b, question.at, question.hart);
      const inA = alignment.inA(step);
      if (inA === undefined) return { chain: yield* walk.ofStepOfB(step) };
      if (question.isNamed) throw done(a, inA);
      const stored = isDeviceStore(a, inA) ? stores(asked, inA, step) : undefined;
      if (stored && stored.pair.a.value !== stored.pair.b.value) return yield* follow(walk, stored);
      return { chain: yield* walk.ofStepOfB(step) };
    }
    case 'stored':
      return yield* follow(walk, stores(asked, storeAt(a, question.at), storeAt(b, question.goldenAt)));
    case 'value':
      return yield* askValue(asked, question, question.at);
  }
}

const done = (run: RunSteps, step: StepNumber): UserError =>
  new UserError(
    `this run does it, too, on hart ${run.get(step).hart} at moment ${run.momentOf(step)}: nothing is missing`,
  );

interface Found {
  readonly pair: UsePair;
  readonly compared: Compared;
}

function* follow(walk: ChainWalk, { pair, compared }: Found): Slices<Asked> {
  return { chain: yield* walk.ofValue(pair), compared };
}

function* askValue({ a, b, runs, alignment, walk }: AskedRuns, where: AskedPlace, at: Place): Slices<Asked> {
  const stand = (run: TraceTimeline, { ticks }: Position) => run.toTicks(ticks, at.here);
  stand(runs.a, at);
  const ofA = placeIn(runs.a, where);
  const named = 'hart' in ofA ? ofA.hart : undefined;
  const hart = named ?? hartAt(a, at);
  if (isPath(ofA)) {
    const step = stepAt(a, at, ofA.hart);
    const inB = alignment.inB(step);
    if (inB !== undefined) throw same(where, b.momentOf(inB), runs);
    return { chain: yield* walk.ofStepOfA(step) };
  }
  const { position, isExact } = matchOf(a, b, alignment, at.ticks, hart);
  stand(runs.a, at);
  stand(runs.b, position);
  const differing = differingUses(runs.a, runs.b, ofA, placeIn(runs.b, where));
  if (!differing) throw same(where, position.moment, runs);
  const pair = { ...differing, atA: a.before(at.ticks), atB: b.before(position.ticks) };
  const found = yield* follow(walk, { pair, compared: comparedOf(pair, position, isExact) });
  if (isExact || found.chain.origin.kind !== 'unexplained') return found;
  // Values of two paths that have parted may have nothing in common: why they parted is the answer then.
  const ofPath = yield* walk.ofStepOfA(stepAt(a, at, hart));
  return ofPath.origin.kind === 'unexplained' ? found : { ...found, chain: ofPath };
}

const same = ({ where }: AskedPlace, moment: number, runs: AskedRuns['runs']): UserError =>
  new UserError(
    `'${printExpression(where)}' is the same in the golden run ${runs.b.trace.path} at its moment ${moment}: ` +
      'nothing to explain',
  );

const comparedOf = ({ a, b }: UsePair, goldenAt: Position, isExact: boolean): Compared => ({
  what: locationText(a.location),
  value: a.value,
  golden: b.value,
  goldenAt,
  isExact,
});

/** The hart whose turn it is, or was last. */
function hartAt(run: RunSteps, at: Position): number {
  const step = run.at(at.ticks) ?? run.back(run.before(at.ticks), NEAR, () => true);
  return step === undefined ? 0 : run.get(step).hart;
}

/** The step of a position, or the last one of that hart before it. */
function stepAt(run: RunSteps, { ticks }: Position, hart?: number): StepNumber {
  const exact = run.at(ticks);
  if (exact !== undefined && (hart === undefined || run.get(exact).hart === hart)) return exact;
  const before = run.back(
    run.before(ticks),
    Number.POSITIVE_INFINITY,
    (steps, n) => (hart === undefined || steps.hart(n) === hart) && !(steps.flags(n) & STEP_FLAGS.FURTHER),
  );
  return before ?? run.before(ticks);
}

const DEVICE_STORE = STEP_FLAGS.WRITES | STEP_FLAGS.DEVICE;

const isDeviceStore = (run: RunSteps, step: StepNumber): boolean =>
  (run.get(step).flags & DEVICE_STORE) === DEVICE_STORE;

/** The step of a position when it stores to a device, or the last one before that does. */
function storeAt(run: RunSteps, { ticks }: Position): StepNumber {
  const isStore = (steps: Steps, n: number) => (steps.flags(n) & DEVICE_STORE) === DEVICE_STORE;
  const found = run.back(run.before(ticks + 1), NEAR, isStore);
  if (found === undefined) throw new UserError(`nothing is stored to a device at tick ${ticks} or shortly before`);
  return found;
}

/** What two stores put into a device. */
function stores({ a, b }: AskedRuns, atA: StepNumber, atB: StepNumber): Found {
  const pair = { a: storedBy(a, atA), b: storedBy(b, atB), atA, atB };
  const goldenAt = { moment: b.momentOf(atB), ticks: b.get(atB).ticks };
  return { pair, compared: comparedOf(pair, goldenAt, true) };
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
