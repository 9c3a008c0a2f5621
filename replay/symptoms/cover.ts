/**
 * How far a recording can be judged: a run that ended by itself has said all that it will ever say, one that was
 * stopped or cut off says nothing about what lies behind.
 */
import type { Trace } from '../../traces/index.ts';
import { isOwnEnd } from '../compare/index.ts';
import { recoveriesIn } from '../equivalence/index.ts';

/** How a run ended by itself; undefined: only its recording ended. */
export const ownEnd = ({ end }: Trace) => (end && isOwnEnd(end) ? end : undefined);

/** The virtual time up to which what a run does is known. */
export const coverOf = (trace: Trace): number => (ownEnd(trace) ? Number.POSITIVE_INFINITY : trace.last.ticks);

/** Virtual time in which a run had to recover, and its VMs stood still: it may be so much later than another one. */
export function delayOf(trace: Trace): number {
  let delay = 0;
  for (const { detected, resumed } of recoveriesIn(trace.notes)) if (resumed) delay += resumed.ticks - detected.ticks;
  return delay;
}

/** Whether a run would have done by its end what another one does at a virtual time. */
export const hadTimeFor = (trace: Trace, ticks: number): boolean => coverOf(trace) >= ticks + delayOf(trace);
