/**
 * Finds the n-th hit of an observer before a place of a run, or behind it. Forwards the run is executed once. Backwards
 * it is executed in windows that begin at known states (checkpoints, snapshots), the newest first, each once. They get
 * longer while there are no hits, for it costs to restore a state; one in which hits are dense is cut into smaller
 * ones, lest each of its thousands of hits is stopped at for the last of them.
 * Relies on the timeline for known states and for coming back. Does not know what is looked for.
 */
import { UserError } from '../../engine/index.ts';
import type { Place, Position } from '../base/index.ts';
import type { Timeline } from '../timeline/index.ts';
import type { Hit, Observer } from './observer.ts';
import { observe, type Slices, type Spent } from './window.ts';

/** A run to search in, from its beginning to its end. */
export type SearchedRun = Timeline & { readonly first: Position; readonly last: Position };

/** The n-th hit, which may be searched for among so many at most. */
export const MAX_COUNT = 100_000;
/** Hits in a window that make it worth cutting. */
const DENSE = 2_000;
/** Ticks below which a window is not cut. */
const SHORT = 4_096;
/** Ticks that a window of several known states has at most: some hundred milliseconds. */
const LONG = 64_000_000;

/**
 * Looks for the `count`-th hit (1 = the last) before the present. Stands there then, its inputs applied; if there are
 * not so many, or the search is ended early, stands where it stood.
 * @throws UserError for a count of more than MAX_COUNT, TraceError when the run leaves its recording on the way
 */
export function* searchBackward<H extends Hit>(
  timeline: SearchedRun,
  observer: Observer<H>,
  count = 1,
): Slices<H | undefined> {
  checkCount(count);
  const origin = timeline.place;
  timeline.keepPresent();
  let found: H | undefined;
  try {
    found = yield* searchWindows(timeline, observer, origin, count);
    return found;
  } finally {
    stand(timeline, found, origin);
  }
}

/** Looks in one window after the other; with `only` in none but the one that starts there. */
function* searchWindows<H extends Hit>(
  timeline: SearchedRun,
  observer: Observer<H>,
  origin: Place,
  count: number,
  only?: Place,
  spent: Spent = { executed: 0 },
): Slices<H | undefined> {
  let [end, left, cut] = [origin, count, -1];
  // Ticks in a row in which nothing was hit.
  let empty = 0;
  let whole = only;
  for (;;) {
    const start = whole ?? windowStart(timeline, end, empty, only);
    whole = undefined;
    if (!start) return undefined;
    timeline.toTicks(start.ticks, start.here);
    // A window that could not be cut is taken as it is.
    const isWhole = end.ticks - start.ticks <= SHORT || start.ticks === cut;
    const most = isWhole ? Number.POSITIVE_INFINITY : Math.max(DENSE, 2 * left);
    const latest = new Latest<H>(left);
    yield* observe(timeline, end, observer, (hit) => latest.add(hit) > most, spent);
    if (latest.seen > most) {
      [cut, empty] = [start.ticks, 0];
      timeline.toTicks(start.ticks, start.here);
      // The journey leaves snapshots behind: windows that get shorter towards the end.
      timeline.toTicks(end.ticks, end.here);
      continue;
    }
    if (latest.seen >= left) return latest.oldest;
    if (start === only) return undefined;
    left -= latest.seen;
    empty = latest.seen > 0 ? 0 : empty + end.ticks - start.ticks;
    end = start;
  }
}

/** A stretch of a run that a search backwards executes at once. */
export interface Window {
  readonly start: Place;
  readonly end: Place;
}

/** The windows that `searchBackward` executes before a place for as long as nothing is hit, the newest first. */
export function* windowsBefore(timeline: SearchedRun, origin: Place): Generator<Window, void, void> {
  let [end, empty] = [origin, 0];
  for (;;) {
    const start = windowStart(timeline, end, empty);
    if (!start) return;
    yield { start, end };
    empty += end.ticks - start.ticks;
    end = start;
  }
}

/**
 * Looks for the last hit in one window, which `searchBackward` would find there. Stands somewhere in it afterwards.
 * `spent`: goes on counting there what it executes.
 * @throws TraceError when the run leaves its recording in it
 */
export function searchWindow<H extends Hit>(
  timeline: SearchedRun,
  observer: Observer<H>,
  { start, end }: Window,
  spent?: Spent,
): Slices<H | undefined> {
  return searchWindows(timeline, observer, end, 1, start, spent);
}

/**
 * Where the window before `end` starts: the earliest known state that is not further away than the ticks in which
 * nothing was hit, so that no more is executed beyond a hit than had to be; if there is none, the latest before `end`.
 * Not before `floor`.
 */
function windowStart(timeline: SearchedRun, end: Place, empty: number, floor?: Place): Place | undefined {
  const most = Math.min(empty, LONG);
  let start = timeline.knownBefore(end);
  for (let next = start; next && end.ticks - next.ticks <= most; next = timeline.knownBefore(next)) start = next;
  return floor && (!start || start.ticks <= floor.ticks) ? floor : start;
}

/**
 * Looks for the `count`-th hit (1 = the first) behind the present and not behind `to`, the end of the run unless given.
 * Ends as `searchBackward` does.
 * @throws UserError for a count of more than MAX_COUNT, TraceError when the run leaves its recording on the way
 */
export function* searchForward<H extends Hit>(
  timeline: SearchedRun,
  observer: Observer<H>,
  count = 1,
  to: Pick<Place, 'ticks' | 'here'> = { ticks: timeline.last.ticks, here: 'applied' },
): Slices<H | undefined> {
  checkCount(count);
  const origin = timeline.place;
  timeline.keepPresent();
  let last: H | undefined;
  let seen = 0;
  let found: H | undefined;
  try {
    yield* observe(timeline, to, observer, (hit) => {
      // What is right here has been reached; two hits of one position are one.
      if (hit.ticks <= origin.ticks || isSamePlace(hit, last)) return false;
      last = hit;
      seen++;
      return seen === count;
    });
    if (seen === count) found = last;
    return found;
  } finally {
    stand(timeline, found, origin);
  }
}

/** Goes where a search ends: to what it has found, or back to where it began. @throws TraceError */
export function stand(timeline: SearchedRun, found: Hit | undefined, origin: Place): void {
  if (found) timeline.toTicks(found.ticks, found.here ?? 'applied');
  else timeline.toTicks(origin.ticks, origin.here);
}

const isSamePlace = (a: Hit, b: Hit | undefined): boolean =>
  a.ticks === b?.ticks && (a.here ?? 'applied') === (b.here ?? 'applied');

function checkCount(count: number): void {
  if (Number.isSafeInteger(count) && count > 0 && count <= MAX_COUNT) return;
  throw new UserError(`expected a count from 1 to ${MAX_COUNT} for a search, got ${count}`);
}

/** The latest hits of a window; two of one position are one. */
class Latest<H extends Hit> {
  seen = 0;
  private readonly hits: H[] = [];
  private readonly room: number;
  private last: H | undefined;

  constructor(room: number) {
    this.room = room;
  }

  /** Takes one more. Returns how many there have been. */
  add(hit: H): number {
    if (isSamePlace(hit, this.last)) return this.seen;
    this.hits[this.seen++ % this.room] = hit;
    this.last = hit;
    return this.seen;
  }

  /** The oldest of those that there is room for. */
  get oldest(): H | undefined {
    return this.hits[this.seen % this.room];
  }
}
