/**
 * Questions that begin with why, answered by two runs of the same machine: the one that went wrong and the golden one.
 */
import type { Position } from '../base/index.ts';
import { insistSameSetting } from '../compare/index.ts';
import type { Slices } from '../search/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { Alignment } from './align.ts';
import { lastAlike } from './anchor.ts';
import { answerOf, type WhyAnswer, type WhyStep, whyStep } from './answer.ts';
import { ask } from './ask.ts';
import type { WhyQuestion } from './asked.ts';
import { ChainWalk } from './chain.ts';
import { RunSteps } from './steps.ts';

/** Of the other run, so much more than of the one in which the question lies is compared. */
const MARGIN = 1.05;
const MORE_TICKS = 200_000;

/** What there is of an answer that is not complete. */
export interface WhyProgress {
  /** The steps of the chain up to what is being looked at. */
  soFar?: () => readonly WhyStep[];
}

/**
 * `progress` is told how to get what there is of the chain, for searches that are ended early.
 * @throws UserError when the golden run is of another machine or build, or there is nothing that differs; TraceError
 * when a run leaves its recording
 */
export function* why(
  a: TraceTimeline,
  b: TraceTimeline,
  question: WhyQuestion,
  progress: WhyProgress = {},
): Slices<WhyAnswer> {
  insistSameSetting(a.trace, b.trace);
  const [ofA, ofB] = [new RunSteps(a), new RunSteps(b)];
  const [toA, toB] = reach(a, b, question);
  const from = yield* lastAlike(a, b, Math.min(toA, toB));
  const alignment = yield* Alignment.of(ofA, ofB, from, toA, toB);
  const walk = new ChainWalk(ofA, ofB, alignment);
  progress.soFar = () => walk.soFar.map((link, n) => whyStep(ofA, ofB, { a, b }, link, n));
  const { chain, compared } = yield* ask({ a: ofA, b: ofB, runs: { a, b }, alignment, walk }, question);
  const asked = question.kind === 'not' ? { moment: a.last.moment, ticks: a.last.ticks } : question.at;
  return { ...answerOf(ofA, ofB, { a, b }, chain, asked), ...(compared && { compared }) };
}

/** Up to which ticks both runs are compared. */
function reach(a: TraceTimeline, b: TraceTimeline, question: WhyQuestion): readonly [number, number] {
  const further = (ticks: number, last: Position) => Math.min(last.ticks, Math.ceil(ticks * MARGIN) + MORE_TICKS);
  const { ticks } = question.at;
  if (question.kind === 'did') return [ticks, further(ticks, b.last)];
  if (question.kind === 'not') return [further(ticks, a.last), ticks];
  if (question.kind === 'stored') return [ticks, question.goldenAt.ticks];
  return [Math.min(a.last.ticks, ticks + MORE_TICKS), further(ticks, b.last)];
}
