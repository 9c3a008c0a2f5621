/**
 * Drives a search for a person: shows on a terminal how far it is, and stops it at Ctrl-C. Relies on replay's searches
 * coming in slices, and on their undoing what they set up.
 */
import { type DriveOptions, finishInTurns, type SearchProgress, type Slices } from '../../replay/index.ts';
import { type Io, progressLine } from '../base/index.ts';

export interface Driven<R> {
  readonly interrupted: boolean;
  /** undefined when it was interrupted. */
  readonly result: R | undefined;
}

/** Does all of a search, or what there is time for until Ctrl-C. @throws what the search throws */
export function driven<R>(search: Slices<R>, io: Io, text: (progress: SearchProgress) => string): Promise<Driven<R>> {
  return drivenBy((options) => finishInTurns(search, options), io, text);
}

/** The same for what drives itself, such as a search on several threads. @throws what it throws */
export async function drivenBy<R>(
  search: (options: DriveOptions) => Promise<R | undefined>,
  io: Io,
  text: (progress: SearchProgress) => string,
): Promise<Driven<R>> {
  const progress = progressLine(io);
  const abort = new AbortController();
  const release = io.onInterrupt(() => abort.abort());
  try {
    const onProgress = (at: SearchProgress) => progress.show(() => text(at));
    const result = await search({ signal: abort.signal, onProgress });
    return { interrupted: abort.signal.aborted, result };
  } finally {
    progress.clear();
    release();
  }
}
