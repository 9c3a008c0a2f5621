/**
 * Takes a run to the moment that a command line names. Finding it may execute the whole run (the n-th execution of a
 * place), so it shows how far it is on a terminal, and Ctrl-C stops it. Relies on replay's language for moments.
 */
import {
  goToMoment,
  type MomentExpression,
  type Place,
  type TimeTravel,
  type TraceTimeline,
} from '../../replay/index.ts';
import { grouped, type Io } from '../base/index.ts';
import { driven } from './driven.ts';

/** Goes there; false when Ctrl-C came first. @throws UserError and MomentError when the run has no such moment */
export async function travelTo(travel: TimeTravel, moment: MomentExpression, io: Io): Promise<boolean> {
  const last = grouped(travel.last.moment);
  const went = await driven(goToMoment(travel, moment), io, (at) => `looking: ${grouped(at.moment)} of ${last}`);
  return went.result !== undefined;
}

/** What --from and --to say. */
interface Stretch {
  readonly from?: MomentExpression | undefined;
  readonly to?: MomentExpression | undefined;
}

/**
 * Goes to where a stretch of a run begins, before everything that happens where the trace begins unless --from
 * says otherwise; returns where it ends, undefined when Ctrl-C came first. @throws as `travelTo`
 */
export async function travelToStretch(
  travel: TraceTimeline,
  { from, to }: Stretch,
  io: Io,
): Promise<Place | undefined> {
  let end: Place = { ...travel.last, here: 'applied' };
  if (to) {
    if (!(await travelTo(travel, to, io))) return undefined;
    end = travel.place;
  }
  if (from) return (await travelTo(travel, from, io)) ? end : undefined;
  travel.seek(travel.first.moment, 'pending');
  return end;
}
