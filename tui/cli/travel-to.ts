/**
 * Takes a run to the moment that a command line names. Finding it may execute the whole run (the n-th execution of a
 * place), so it shows how far it is on a terminal, and Ctrl-C stops it. Relies on replay's language for moments.
 */
import { finishInTurns, goToMoment, type MomentExpression, type TimeTravel } from '../../replay/index.ts';
import { grouped, type Io, progressLine } from '../base/index.ts';

/** Goes there; false when Ctrl-C came first. @throws UserError and MomentError when the run has no such moment */
export async function travelTo(travel: TimeTravel, moment: MomentExpression, io: Io): Promise<boolean> {
  const progress = progressLine(io);
  const abort = new AbortController();
  const release = io.onInterrupt(() => abort.abort());
  try {
    const place = await finishInTurns(goToMoment(travel, moment), {
      signal: abort.signal,
      onProgress: (at) => progress.show(() => `looking: ${grouped(at.moment)} of ${grouped(travel.last.moment)}`),
    });
    return place !== undefined;
  } finally {
    progress.clear();
    release();
  }
}
