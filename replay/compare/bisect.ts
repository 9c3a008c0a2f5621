/**
 * Finds the first position at which two runs' states differ, and says why.
 * Relies on determinism: runs of one machine are equal up to the first input that only one of them has, so these are
 * tried in order; recorded digests tell where to look without executing, and a binary search over re-executions
 * covers what inputs do not explain. A difference that heals later is found all the same.
 * Does not compare runs of different machines, and trusts that each trace replays (verify checks that).
 */
import { UserError } from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import { type BisectResult, type Position, sharedStart } from '../base/index.ts';
import { inputsFromTrace } from '../container/index.ts';
import { momentsOf } from '../timeline/index.ts';
import { explainEarlier, explainInput, explainInstruction, explainStart, type Found } from './bisect-explain.ts';
import { type BisectOptions, openPair, type Pair } from './bisect-pair.ts';
import { searchBetween } from './bisect-search.ts';
import { compareDigests, type DigestComparison, imageDifferences, machineDifferences } from './diff.ts';
import { differingInputs, type InputDifference } from './diff-inputs.ts';

/**
 * First difference of two runs of the same machine, from where both traces have begun.
 * @throws UserError when the machines differ (harts, RAM, quantum, engine) or one trace ends before the other begins,
 * TraceError when a trace does not replay.
 */
export function bisectTraces(a: Trace, b: Trace, options: BisectOptions = {}): BisectResult {
  refuseOtherMachine(a, b);
  const atStart = imageDifferences(a.header, b.header);
  const start = sharedStart(a, b);
  refuseApart(a, b, start);
  const inputs = differingInputs(inputsFromTrace(a), inputsFromTrace(b), start.ticks);
  const digests = compareDigests(a, b);
  let next = inputs.next();
  const isWhole = start.ticks === 0;
  if (atStart.length === 0 && isWhole && next.done && !digests.firstDifferent) return identical(a, b, 0);

  const pair = openPair(a, b, options);
  if (atStart.length > 0 || !isWhole) {
    pair.a.toTicks(start.ticks, 'pending');
    pair.b.toTicks(start.ticks, 'pending');
    const isEqual = pair.equal();
    if (atStart.length > 0) return result(explainStart(pair, start, atStart), pair);
    if (!isEqual) return result(explainEarlier(pair, start), pair);
  }
  let equalAt: Position = start;
  for (; !next.done; next = inputs.next()) {
    const input = next.value;
    if (input.ticks > Math.min(a.last.ticks, b.last.ticks)) break;
    const found = tryInput(pair, equalAt, input);
    if (found) return result(found, pair);
    equalAt = input;
  }
  return digests.firstDifferent ? unexplained(pair, equalAt, digests.firstDifferent) : identical(a, b, pair.probes);
}

function refuseOtherMachine(a: Trace, b: Trace): void {
  const differences = machineDifferences(a.header, b.header);
  if (differences.length === 0) return;
  const list = differences.map(({ name, a: ofA, b: ofB }) => `${name} ${ofA} against ${ofB}`).join(', ');
  throw new UserError(
    `cannot bisect runs of different machines: ${list}; record both with the same engine, -smp, -m, --quantum and --jitter`,
  );
}

function refuseApart(a: Trace, b: Trace, { ticks }: Position): void {
  if (ticks <= Math.min(a.last.ticks, b.last.ticks)) return;
  throw new UserError(`cannot bisect parts of runs that have no moment in common: ${momentsOf(a)}; ${momentsOf(b)}`);
}

/** Goes to where an input differs and compares before and after applying what each run has there. */
function tryInput(pair: Pair, equalAt: Position, input: InputDifference): Found | undefined {
  pair.a.toTicks(input.ticks, 'pending');
  pair.b.toTicks(input.ticks, 'pending');
  if (!pair.equal()) return explainInstruction(pair, searchBetween(pair, equalAt, input));
  const explain = explainInput(pair, input);
  pair.a.toTicks(input.ticks, 'applied');
  pair.b.toTicks(input.ticks, 'applied');
  return pair.equal() ? undefined : explain();
}

type Different = NonNullable<DigestComparison['firstDifferent']>;

/**
 * The recordings disagree where no input explains it. Either re-execution does too, or a recording is not of this
 * engine.
 */
function unexplained(pair: Pair, equalAt: Position, at: Different): BisectResult {
  pair.a.toTicks(at.ticks, 'pending');
  pair.b.toTicks(at.ticksOfB, 'pending');
  const here = { moment: pair.a.machine.moment, ticks: pair.a.machine.ticks };
  if (!pair.equal()) return result(explainInstruction(pair, searchBetween(pair, equalAt, here)), pair);
  const digest = pair.a.machine.digest();
  const wrong = [digest !== at.a && pair.a.trace.path, digest !== at.b && pair.b.trace.path].filter(Boolean);
  const cause =
    `re-executed, both runs reach the same state at moment ${at.moment}, but the digest recorded in ${wrong.join(' and ')} ` +
    "is another: that recording was altered or made by an engine that behaves differently ('dejavm verify' locates it)";
  return { identical: false, moment: at.moment, ticks: at.ticks, cause, differences: [], probes: pair.probes };
}

function identical(a: Trace, b: Trace, probes: number): BisectResult {
  const [short, long] = a.last.ticks <= b.last.ticks ? ([a, b] as const) : ([b, a] as const);
  const ends = short.last.ticks !== long.last.ticks;
  const cause = `${short.path} is a ${short.first.ticks === long.first.ticks ? 'prefix' : 'part'} of ${long.path}: it ends at moment ${short.last.moment}, the other at ${long.last.moment}`;
  return { identical: true, differences: [], probes, ...(ends && { cause }) };
}

function result(found: Found, pair: Pair): BisectResult {
  return { identical: false, ...found, probes: pair.probes };
}
