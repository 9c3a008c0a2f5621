/**
 * Two ways to drive a search: at once, or in turns with the event loop, so that signals arrive, progress is drawn and
 * somebody can stop it.
 */
import type { SearchProgress, Slices } from './window.ts';

/** Does all the work now. @throws what the search throws */
export function finish<R>(search: Slices<R>): R {
  for (;;) {
    const { done, value } = search.next();
    if (done) return value;
  }
}

export interface DriveOptions {
  /** Ends the search when it is aborted. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SearchProgress) => void;
}

/**
 * Does the work slice by slice, and gives the event loop its turn in between.
 * Returns undefined when it was aborted: what the search set up is undone then.
 * @throws what the search throws
 */
export async function finishInTurns<R>(search: Slices<R>, options: DriveOptions = {}): Promise<R | undefined> {
  const { signal, onProgress } = options;
  for (;;) {
    if (signal?.aborted) {
      search.return(undefined as R);
      return undefined;
    }
    const { done, value } = search.next();
    if (done) return value;
    onProgress?.(value);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
