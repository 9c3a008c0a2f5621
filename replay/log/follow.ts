/**
 * Reads on in a trace while it is being recorded. Relies on a recording being appended to, and what has been written
 * never changing; does not know how one waits.
 */
import type { Trace } from '../../traces/index.ts';
import { insistGoesOn } from '../timeline/index.ts';
import type { LogReader } from './reader.ts';
import type { LogBatch, LogEnd } from './types.ts';

export interface FollowOptions {
  /** Whether somebody may still write the file. */
  readonly mayGrow: () => boolean;
  /** Reads the file again. */
  readonly reopen: () => Trace;
  /** Waits a little. False: no more is wanted. */
  readonly pause: () => Promise<boolean>;
}

/**
 * Yields what happens until the recording ends, its recorder is gone, or no more is wanted.
 * @throws TraceError when another recording has taken the place of this one, or it has been damaged or cannot be read
 */
export async function* followLog(
  reader: LogReader,
  trace: Trace,
  { mayGrow, reopen, pause }: FollowOptions,
): AsyncGenerator<LogBatch, LogEnd> {
  let present = trace;
  for (;;) {
    const end = yield* reader.read(true);
    if (end.complete || end.diverged) return end;
    for (;;) {
      // Asked before the file is read: what its recorder wrote last is in it.
      const isRecorded = mayGrow();
      const next = reopen();
      insistGoesOn(present, next);
      const hasGrown = next.last.ticks > reader.position.ticks || next.end !== undefined;
      present = next;
      if (hasGrown) break;
      if (!isRecorded || !(await pause())) return end;
    }
    reader.grow(present);
  }
}
