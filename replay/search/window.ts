/**
 * Runs along a stretch of a run with an observer, slice by slice: the one place that tells a machine what to report and
 * takes it back. Relies on the timeline for going forward and on inputs being applied on the way.
 */
import type { Machine, Moment, Watch } from '../../engine/index.ts';
import type { Place } from '../base/index.ts';
import type { Timeline } from '../timeline/index.ts';
import type { Hit, Observer } from './observer.ts';

/** Work of a search, done slice by slice: yields after each, so that whoever drives it can say or stop something. */
export type Slices<R> = Generator<SearchProgress, R, void>;

export interface SearchProgress {
  /** Where the search is. */
  readonly moment: Moment;
  /** Instructions executed so far. */
  readonly executed: number;
}

/** What a search has cost so far. */
export interface Spent {
  executed: number;
}

/** The longest slice, in instructions: some milliseconds. */
const SLICE = 1_000_000;
/** The first one: what is looked for is often near, and events are given to observers when a slice ends. */
const FIRST_SLICE = 20_000;
/** Stops at breakpoints in a slice at most: one costs some microseconds. */
const MAX_STOPS = 2_000;

/**
 * Runs from the present to a place ahead and hands over each hit on the way, in order; ends early, at the end of a
 * slice at the latest, when `see` says that it has seen enough. The machine's own listener and breakpoints are away
 * meanwhile.
 * @throws TraceError when the run leaves its recording
 */
export function* observe<H extends Hit>(
  timeline: Pick<Timeline, 'machine' | 'advance' | 'forwardToTicks'>,
  to: Pick<Place, 'ticks' | 'here'>,
  observer: Observer<H>,
  see: (hit: H) => boolean,
  spent: Spent = { executed: 0 },
): Slices<void> {
  const { machine } = timeline;
  const before = spent.executed - machine.moment;
  let enough = false;
  const take = (hit: H | undefined) => {
    if (hit && !enough && see(hit)) enough = true;
  };
  const restore = tell(machine, observer, take);
  try {
    let [slice, stops, until] = [FIRST_SLICE, 0, machine.moment + FIRST_SLICE];
    for (;;) {
      const from = machine.moment;
      const stop = timeline.advance({ moment: until, ticks: to.ticks }, to.here);
      const isAsked = ASKED.has(stop.kind);
      if (isAsked) take(observer.stopped?.(stop, machine));
      // Other addresses to stop before cost all that is decoded, so not without need.
      if ((observer.breakAtVirtual?.length ?? 0) > machine.breakAtVirtual.length) {
        machine.breakAtVirtual = observer.breakAtVirtual!;
      }
      if (stop.kind === 'watchpoint' || stop.kind === 'event') watchAgain(machine, observer);
      spent.executed = before + machine.moment;
      if (enough) return;
      if (isAsked && ++stops < MAX_STOPS) continue;
      // Idle, halted, or arrived; or the run has left its recording, which the journey's end finds.
      if (!isAsked && (stop.kind !== 'moment' || machine.moment === from)) break;
      yield { moment: machine.moment, executed: spent.executed };
      slice = Math.min(2 * slice, SLICE);
      [stops, until] = [0, machine.moment + slice];
    }
    timeline.forwardToTicks(to.ticks, to.here);
  } finally {
    restore();
  }
}

/** Stops that observers ask for. */
const ASKED: ReadonlySet<string> = new Set(['breakpoint', 'watchpoint', 'event']);

/** Makes the machine report what an observer asks for; what it returns puts back what was there. */
function tell<H extends Hit>(machine: Machine, observer: Observer<H>, take: (hit: H | undefined) => void): () => void {
  const { onEvent, onWatchHit, observed, breakAt, breakAtVirtual, watches } = machine;
  const breaks = observer.breakAt ?? [];
  const virtual = observer.breakAtVirtual ?? [];
  const { seen, accessed } = observer;
  const stopping = observer.stopsAtEvents;
  const stops = stopping !== undefined;
  machine.onEvent = seen ? (event) => take(seen(event)) : stops ? () => {} : undefined;
  machine.onWatchHit = accessed && ((hit) => take(accessed(hit)));
  const transitions = stopping ?? observer.transitions ?? 'none';
  machine.observed = { transitions, accesses: false, csrWrites: stopping === 'all', stops };
  if (breaks.length > 0 || breakAt !== undefined) machine.breakAt = breaks;
  if (virtual.length > 0 || breakAtVirtual.length > 0) machine.breakAtVirtual = virtual;
  if (observer.watches || watches.length > 0) machine.watches = observer.watches?.(machine) ?? [];
  return () => {
    if (breaks.length > 0 || breakAt !== undefined) machine.breakAt = breakAt;
    if (machine.breakAtVirtual.length > 0 || breakAtVirtual.length > 0) machine.breakAtVirtual = breakAtVirtual;
    if (observer.watches || watches.length > 0) machine.watches = watches;
    machine.onEvent = onEvent;
    machine.onWatchHit = onWatchHit;
    machine.observed = observed;
  };
}

/** What is watched may have moved. Watching something else forgets decoded code, so not without need. */
function watchAgain(machine: Machine, observer: Observer): void {
  const watches = observer.watches?.(machine) ?? machine.watches;
  const isSame =
    watches.length === machine.watches.length && watches.every((its, n) => isEqual(its, machine.watches[n]!));
  if (!isSame) machine.watches = watches;
}

const isEqual = (a: Watch, b: Watch): boolean =>
  a.paddr === b.paddr && a.bytes === b.bytes && a.reads === b.reads && a.writes === b.writes && a.stops === b.stops;
