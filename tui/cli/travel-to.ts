/**
 * Takes a run to the moment that a command line names. Finding it may execute the whole run (the n-th execution of a
 * place), so it shows how far it is on a terminal, and Ctrl-C stops it. Relies on replay's language for moments.
 */
import { goToMoment, type MomentExpression, type TimeTravel } from '../../replay/index.ts';
import { grouped, type Io } from '../base/index.ts';
import { driven } from './driven.ts';

/** Goes there; false when Ctrl-C came first. @throws UserError and MomentError when the run has no such moment */
export async function travelTo(travel: TimeTravel, moment: MomentExpression, io: Io): Promise<boolean> {
  const last = grouped(travel.last.moment);
  const went = await driven(goToMoment(travel, moment), io, (at) => `looking: ${grouped(at.moment)} of ${last}`);
  return went.result !== undefined;
}
