/**
 * Where a recording knows the digest of the machine's state: its digests and its checkpoints, in one order, and which
 * of them two recordings share. A digest that is due at a moment is taken when the run first comes there, so moments
 * pair them; any other (live input brings its own) stands where only its virtual time says.
 */
import { firstFrom, type RecordList, type Trace, type TraceDigest } from '../../traces/index.ts';
import type { Position } from './types.ts';

/** All from a virtual time on, before the end; of two at one position, the digest first. */
function* marksFrom({ digests, checkpoints }: Trace, ticks: number): Generator<TraceDigest> {
  let digest = firstFrom(digests, 'ticks', ticks);
  let checkpoint = firstFrom(checkpoints, 'ticks', ticks);
  while (digest < digests.length || checkpoint < checkpoints.length) {
    const [nextDigest, nextCheckpoint] = [digests.at(digest), checkpoints.at(checkpoint)];
    if (nextDigest && !(nextCheckpoint && nextCheckpoint.ticks < nextDigest.ticks)) {
      digest++;
      yield nextDigest;
    } else {
      checkpoint++;
      yield nextCheckpoint!;
    }
  }
}

/** A position where a recording knows the state. */
export interface Mark extends TraceDigest {
  /** The end record was written behind the inputs of its position; everything else before them. */
  readonly isEnd: boolean;
}

/** All positions from a virtual time on with a recorded digest, the end included, in order. */
export function* marksToEnd(trace: Trace, ticks: number): Generator<Mark> {
  for (const mark of marksFrom(trace, ticks)) yield { ...mark, isEnd: false };
  const { end } = trace;
  if (end && end.ticks >= ticks) yield { ...end, isEnd: true };
}

/** Where two recordings begin to be comparable: one of them may be a cut. */
export const sharedStart = (a: Trace, b: Trace): Position => (a.first.ticks >= b.first.ticks ? a.first : b.first);

type Pair = readonly [TraceDigest, TraceDigest];

/** The marks that both recordings have, each with the other's, and their ends if those are at the same virtual time. */
export function* sharedMarks(a: Trace, b: Trace): Generator<Pair> {
  for (const mark of marksFrom(a, 0)) {
    const other = markAt(b, mark.ticks) ?? (dueMark(a, mark.moment)?.ticks === mark.ticks && dueMark(b, mark.moment));
    if (other) yield [mark, other];
  }
  if (a.end && b.end?.ticks === a.end.ticks) yield [a.end, b.end];
}

/** The mark at a virtual time. */
function markAt({ digests, checkpoints }: Trace, ticks: number): TraceDigest | undefined {
  const found = [digests, checkpoints].map((marks) => marks.at(firstFrom(marks, 'ticks', ticks)));
  return found.find((mark) => mark?.ticks === ticks);
}

/** The mark that is due at a moment: the first one there, if one is due there at all. */
function dueMark({ digests, checkpoints, header }: Trace, moment: number): TraceDigest | undefined {
  const first = (marks: RecordList<TraceDigest>, every: number) => {
    const mark = moment % every === 0 ? marks.at(firstFrom(marks, 'moment', moment)) : undefined;
    return mark?.moment === moment ? mark : undefined;
  };
  return first(digests, header.digestEvery) ?? first(checkpoints, header.checkpointEvery);
}
