/**
 * Runs along a stretch of a run with an observer, slice by slice: the one place that tells a machine what to report and
 * takes it back. Relies on the timeline for going forward and on inputs being applied on the way.
 */
import type { Machine, MachineEvent, Moment } from '../../engine/index.ts';
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
  const restore = tell(machine, observer, (event) => take(observer.seen?.(event)));
  try {
    let [slice, stops, until] = [FIRST_SLICE, 0, machine.moment + FIRST_SLICE];
    for (;;) {
      const from = machine.moment;
      const stop = timeline.advance({ moment: until, ticks: to.ticks }, to.here);
      if (stop.kind === 'breakpoint') take(observer.stopped?.(stop, machine));
      spent.executed = before + machine.moment;
      if (enough) return;
      if (stop.kind === 'breakpoint' && ++stops < MAX_STOPS) continue;
      // Idle, halted, or arrived; or the run has left its recording, which the journey's end finds.
      if (stop.kind !== 'breakpoint' && (stop.kind !== 'moment' || machine.moment === from)) break;
      yield { moment: machine.moment, executed: spent.executed };
      slice = Math.min(2 * slice, SLICE);
      [stops, until] = [0, machine.moment + slice];
    }
    timeline.forwardToTicks(to.ticks, to.here);
  } finally {
    restore();
  }
}

/** Makes the machine report what an observer asks for; what it returns puts back what was there. */
function tell(machine: Machine, observer: Observer, listen: (event: MachineEvent) => void): () => void {
  const { onEvent, observed, breakAt } = machine;
  const breaks = observer.breakAt ?? [];
  machine.onEvent = observer.seen && listen;
  machine.observed = { transitions: observer.transitions ?? 'none', accesses: false, csrWrites: false };
  if (breaks.length > 0 || breakAt !== undefined) machine.breakAt = breaks;
  return () => {
    if (breaks.length > 0 || breakAt !== undefined) machine.breakAt = breakAt;
    machine.onEvent = onEvent;
    machine.observed = observed;
  };
}
