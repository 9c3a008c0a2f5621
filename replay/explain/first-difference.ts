/**
 * Where two runs begin to differ: at what an explanation found, if their states say so, else between recorded digests.
 * Relies on the states around a position; does not look at inputs.
 */
import type { Position } from '../base/index.ts';
import { compareDigests } from '../compare/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';

export interface FirstDifference {
  /** The last position at which both runs are known to be in one state; absent: there is none. */
  readonly equalAt?: Position;
  /** The first one at which they are known not to be; absent: nowhere, as far as both were recorded. */
  readonly differsAt?: Position;
}

/**
 * Compares the states at a cause and one tick later, and the recorded digests when the difference does not begin there.
 * Of a cause that it confirms, `equalAt` is the cause's own position, before its inputs. Moves both runs.
 * @throws TraceError when a run leaves its recording
 */
export function firstDifference(a: TraceTimeline, g: TraceTimeline, cause: Position | undefined): FirstDifference {
  if (cause && cause.ticks < Math.min(a.last.ticks, g.last.ticks)) {
    const isEqual = (ticks: number): boolean => {
      a.toTicks(ticks, 'pending');
      g.toTicks(ticks, 'pending');
      return a.machine.digest() === g.machine.digest();
    };
    if (isEqual(cause.ticks) && !isEqual(cause.ticks + 1)) {
      const { moment, ticks } = a.machine;
      return { equalAt: cause, differsAt: { moment, ticks } };
    }
  }
  const { lastEqual, firstDifferent } = compareDigests(a.trace, g.trace);
  return {
    ...(lastEqual && { equalAt: lastEqual }),
    ...(firstDifferent && { differsAt: { moment: firstDifferent.moment, ticks: firstDifferent.ticks } }),
  };
}
