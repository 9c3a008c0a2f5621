/**
 * How far a run is known: one that ended by itself has done all that it will ever do, one whose recording was stopped
 * or cut off may do anything behind that.
 */
import type { Trace } from '../../traces/index.ts';
import { endReason, endText } from '../base/index.ts';
import { isOwnEnd } from '../compare/index.ts';
import { recoveriesIn } from '../equivalence/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';

/** A run, and why it ended by itself, as end records say it; absent: only its recording ended. */
export interface Known {
  readonly trace: Trace;
  readonly ended?: string;
}

/** What a trace says of itself. */
export function knownFrom(trace: Trace): Known {
  const { end } = trace;
  return { trace, ...(end && isOwnEnd(end) && { ended: end.reason }) };
}

/**
 * The same, and asks the machine where the trace does not say so: a recording that was to end right where its machine
 * halts says that it came to its limit. Moves the timeline to the end. @throws TraceError when it does not get there
 */
export function knownOf(run: TraceTimeline): Known {
  const { machine, trace } = run;
  run.toTicks(trace.last.ticks, 'applied');
  const known = knownFrom(trace);
  if (known.ended !== undefined) return known;
  const end = machine.snapshot();
  const stop = machine.run({ ticks: end.ticks + 1 });
  const hasEnded = (stop.kind === 'halted' || stop.kind === 'idle') && machine.ticks === end.ticks;
  machine.restore(end);
  return hasEnded ? { trace, ended: endReason(stop) } : known;
}

/** Why a run ended, for people. */
export const endedText = ({ ended }: Known): string =>
  ended === undefined ? 'it has not ended' : endText({ reason: ended });

/** The virtual time up to which what a run does is known. */
export const coverOf = ({ trace, ended }: Known): number =>
  ended === undefined ? trace.last.ticks : Number.POSITIVE_INFINITY;

/** Virtual time in which a run had to recover, and its VMs stood still: it may be so much later than another one. */
export function delayOf({ trace }: Known): number {
  let delay = 0;
  for (const { detected, resumed } of recoveriesIn(trace.notes)) if (resumed) delay += resumed.ticks - detected.ticks;
  return delay;
}

/** Whether a run would have done by its end what another one does at a virtual time. */
export const hadTimeFor = (known: Known, ticks: number): boolean => coverOf(known) >= ticks + delayOf(known);
