/** Where a recording knows the digest of the machine's state: its digests and its checkpoints, in one order. */
import { firstFrom, type Trace, type TraceDigest } from '../traces/index.ts';

/** All from a virtual time on, before the end; of two at one position, the digest first. */
export function* marksFrom({ digests, checkpoints }: Trace, ticks: number): Generator<TraceDigest> {
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
