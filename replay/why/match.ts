/**
 * Which position of the golden run is that of a position of the other one: where the same hart is about to do the same,
 * or where it has just done the last that both did.
 */
import { STEP_FLAGS, type Steps } from '../../engine/index.ts';
import type { Position } from '../base/index.ts';
import type { Alignment } from './align.ts';
import type { RunSteps, StepNumber } from './steps.ts';

export interface Matched {
  readonly position: Position;
  /** The hart does the same next in both, or has done the same last; false: its path has left the golden run's. */
  readonly isExact: boolean;
}

/** Records looked at for what a hart does next. */
const NEAR = 2_000_000;

/** The position of B that is position `ticks` of A for a hart. Inputs of either are applied there. */
export function matchOf(a: RunSteps, b: RunSteps, alignment: Alignment, ticks: number, hart: number): Matched {
  const isIts = (steps: Steps, n: number) => steps.hart(n) === hart && !(steps.flags(n) & STEP_FLAGS.FURTHER);
  const here = a.before(ticks);
  const next = a.forth(here, NEAR, isIts);
  const same = next === undefined ? undefined : alignment.inB(next);
  if (same !== undefined) return { position: positionOf(b, same), isExact: true };
  const last = a.back(here, Number.POSITIVE_INFINITY, isIts);
  // Nothing was done yet: the same time it is.
  if (last === undefined) return { position: { moment: 0, ticks: Math.min(ticks, b.run.last.ticks) }, isExact: true };
  const sameLast = alignment.inB(last);
  const twin = sameLast ?? alignment.partingOfA(last)?.b;
  if (twin === undefined) return { position: b.run.last, isExact: false };
  return { position: behind(b, twin), isExact: sameLast !== undefined && next === undefined };
}

function positionOf(run: RunSteps, step: StepNumber): Position {
  return { moment: run.momentOf(step), ticks: run.get(step).ticks };
}

/** Right behind a step: each takes one tick. */
function behind(run: RunSteps, step: StepNumber): Position {
  run.run.toTicks(Math.min(run.get(step).ticks + 1, run.run.last.ticks), 'applied');
  const { moment, ticks } = run.run.machine;
  return { moment, ticks };
}
