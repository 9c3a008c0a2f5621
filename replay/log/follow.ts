/**
 * Reads on in a trace while it is being recorded. Relies on a recording being appended to, and what has been written
 * never changing; does not know how one waits.
 */
import { type Trace, TraceError } from '../../traces/index.ts';
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
 * @throws TraceError when another recording has taken the place of this one, or it cannot be read any more
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
      if (next.header.id !== present.header.id) {
        throw new TraceError('incompatible', present.path, 'is another recording by now');
      }
      const hasGrown = next.last.ticks > reader.position.ticks || next.end !== undefined;
      present = next;
      if (hasGrown) break;
      if (!isRecorded || !(await pause())) return end;
    }
    reader.grow(present);
  }
}
