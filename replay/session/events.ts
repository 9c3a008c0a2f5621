/** Which of a run's events comes next or came before. Relies on events being in order of their moments. */
import type { Moment } from '../../engine/index.ts';
import type { Direction } from './move.ts';

interface Happened {
  readonly moment: Moment;
}

/**
 * The count-th wanted event behind a moment, or before it, or the last one on the way there; of events that share a
 * moment, the nearest counts. undefined when there is none.
 */
export function eventAhead<E extends Happened>(
  events: readonly E[],
  moment: Moment,
  direction: Direction,
  count: number,
  wanted: (event: E) => boolean,
): E | undefined {
  const ahead =
    direction === 'forward'
      ? firstOfMoments(events.filter((event) => event.moment > moment && wanted(event)))
      : eventsBefore(events, moment, wanted);
  return ahead[Math.min(count, ahead.length) - 1];
}

/** Wanted events before a moment, nearest first; of those that share a moment, the last. */
export function eventsBefore<E extends Happened>(
  events: readonly E[],
  moment: Moment,
  wanted: (event: E) => boolean,
): E[] {
  return firstOfMoments(events.filter((event) => event.moment < moment && wanted(event)).reverse());
}

/** Of events in a row that share a moment, the first. */
export const firstOfMoments = <E extends Happened>(events: readonly E[]): E[] =>
  events.filter((event, i) => event.moment !== events[i - 1]?.moment);
