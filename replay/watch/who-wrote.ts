/**
 * Who wrote it: the last access to some bytes before the present, or every one of them.
 */
import type { Place } from '../base/index.ts';
import { observe, type SearchedRun, type Slices, searchBackward } from '../search/index.ts';
import { type MemoryHit, memoryObserver, type WatchedMemory } from './memory.ts';

/**
 * The `count`-th last access before the present (1 = the last), or change of the mapping. Stands right before it then;
 * when there are not so many, where it stood.
 * @throws TraceError when the run leaves its recording on the way
 */
export function lastAccess(timeline: SearchedRun, memory: WatchedMemory, count = 1): Slices<MemoryHit | undefined> {
  return searchBackward(timeline, memoryObserver(memory), count);
}

/**
 * Each access between the place `from` and the present, in order of time, to `tell`, until it says that it has had
 * enough. Stands where it stood afterwards.
 * @throws TraceError when the run leaves its recording on the way
 */
export function* accessesUntil(
  timeline: SearchedRun,
  memory: WatchedMemory,
  from: Place,
  tell: (hit: MemoryHit) => boolean,
): Slices<void> {
  const until = timeline.place;
  timeline.keepPresent();
  timeline.toTicks(from.ticks, from.here);
  // An access of several parts is complete when the next one comes.
  let open: MemoryHit | undefined;
  let enough = false;
  try {
    yield* observe(timeline, until, memoryObserver(memory), (hit) => {
      if (open) enough = tell(open);
      open = hit;
      return enough;
    });
    if (open && !enough) tell(open);
  } finally {
    timeline.toTicks(until.ticks, until.here);
  }
}
