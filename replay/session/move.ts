/**
 * What moves of all kinds share: the run that they go along, what a person wants to be stopped at on the way, and how
 * they end.
 */
import type { Moment } from '../../engine/index.ts';
import { anyOf, type Observer, type SearchedRun, type Slices, searchBackward, searchForward } from '../search/index.ts';
import { type ArrivalHit, arrivalObserver, type Context } from '../stack/index.ts';
import type { StopHit } from './stops.ts';

export type Direction = 'forward' | 'backward';

export interface Moved {
  readonly run: SearchedRun & { seek(moment: Moment): void };
  readonly stops: Observer<StopHit>;
}

/** How a move ended: where it led, or at something on the way; undefined: nowhere, one stands where one stood. */
export type Ended =
  | { readonly arrived: true; readonly at?: ArrivalHit }
  | { readonly arrived: false; readonly hit: StopHit };

/** Runs to the next or previous arrival of a thread of execution at one of some instructions, or a stop on the way. */
export function* runTo(
  { run, stops }: Moved,
  direction: Direction,
  context: Context,
  pcs: readonly bigint[],
  wanted: (context: Context) => boolean,
): Slices<Ended | undefined> {
  const arrival = arrivalObserver(run.machine, context, pcs, wanted);
  const search = direction === 'forward' ? searchForward : searchBackward;
  const hit = yield* search(run, anyOf<ArrivalHit | StopHit>(arrival ? [arrival, stops] : [stops]));
  if (!hit) return undefined;
  return 'context' in hit ? { arrived: true, at: hit } : { arrived: false, hit };
}

/** One instruction on or back, whichever hart executes it; undefined at the end and at the start of the run. */
export function stepOne({ run }: Moved, direction: Direction): Ended | undefined {
  const { moment } = run.place;
  if (moment === (direction === 'forward' ? run.last.moment : run.first.moment)) return undefined;
  run.seek(direction === 'forward' ? moment + 1 : moment - 1);
  return { arrived: true };
}
