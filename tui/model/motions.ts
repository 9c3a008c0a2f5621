/**
 * The moves through a run: by instructions, from event to event, along the timeline. Every one takes a count, which is
 * worked out before the machine moves: N events are one journey, not N. Relies on session.ts.
 */
import {
  type Direction,
  eventAhead,
  eventsBefore,
  firstOfMoments,
  goToMoment,
  parseMomentText,
} from '../../replay/index.ts';
import { counted, grouped, parseMoment, UsageError } from '../base/index.ts';
import { type Session, type SessionEvent, timelineWidth } from '../panels/index.ts';
import { goTo, goToEvent, move, say } from './session.ts';
import { journey } from './work.ts';

/** The count typed before a key or behind a command; 1 when there is none. @throws UsageError for 0 or no number */
export function countOf(argument: string): number {
  if (argument === '') return 1;
  const count = parseMoment(argument);
  if (count === 0) throw new UsageError('expected a count of 1 or more, got 0');
  return count;
}

/** N instructions on, or to the end of the run. */
export function step(session: Session, argument: string): void {
  const count = countOf(argument);
  const before = session.travel.moment;
  move(session, (travel) => travel.stepForward(count), '');
  const n = session.travel.moment - before;
  say(session, n === 0 ? 'at the end of the run' : `${counted(n, 'instruction')} forward`);
}

/** N instructions back, or to the start of the run. */
export function reverseStep(session: Session, argument: string): void {
  const count = countOf(argument);
  const before = session.travel.moment;
  move(session, (travel) => travel.stepBackward(count), '');
  const n = before - session.travel.moment;
  say(session, n === 0 ? 'at the start of the run' : `${counted(n, 'instruction')} back`);
}

/** The N-th fault, detection, resumption or end from here on, or the last one. */
export function forwardToStop(session: Session, argument: string): void {
  const event = toEvent(session, 'forward', argument, ({ stop }) => stop);
  if (!event) say(session, 'at the end of the run');
}

/** The N-th of them before, or the start of the run. */
export function backToStop(session: Session, argument: string): void {
  const count = countOf(argument);
  const ahead = eventsBefore(session.events, session.travel.moment, ({ stop }) => stop);
  if (count <= ahead.length) goToEvent(session, ahead[count - 1]!);
  else goTo(session, session.travel.first.moment, 'at the start of the run');
}

/** The N-th event from here on, or the last one. */
export function nextEvent(session: Session, argument: string): void {
  if (!toEvent(session, 'forward', argument, () => true)) say(session, 'no later event');
}

/** The N-th event before, or the first one. */
export function previousEvent(session: Session, argument: string): void {
  if (!toEvent(session, 'backward', argument, () => true)) say(session, 'no earlier event');
}

function toEvent(
  session: Session,
  direction: Direction,
  argument: string,
  wanted: (event: SessionEvent) => boolean,
): SessionEvent | undefined {
  const event = eventAhead(session.events, session.travel.moment, direction, countOf(argument), wanted);
  if (event) goToEvent(session, event);
  return event;
}

/** The N-th event of a kind from here on; behind the last one comes the first again. */
export function nextOfKind(session: Session, kind: SessionEvent['kind'], argument: string): void {
  const count = countOf(argument);
  const all = firstOfMoments(session.events.filter((event) => event.kind === kind));
  const { moment } = session.travel;
  const later = all.filter((event) => event.moment > moment);
  const event = [...later, ...all.slice(0, all.length - later.length)][(count - 1) % Math.max(1, all.length)];
  if (event) goToEvent(session, event);
  else say(session, `this run has no event '${kind}'`, true);
}

/** To a moment as people type it; to the start of the run without one. */
export function goToText(session: Session, argument: string): void {
  if (argument === '') goTo(session, session.travel.first.moment, 'at the start of the run');
  else {
    const moment = parseMomentText(argument);
    journey(session, goToMoment(session.travel, moment), () => {
      const before = moment.here === 'pending' ? ', before its inputs' : '';
      say(session, `at ${grouped(session.travel.moment)}${before}`);
    });
  }
}

/** To a moment, or to the end of the run without one. */
export function goToEnd(session: Session, argument: string): void {
  if (argument !== '') {
    goToText(session, argument);
    return;
  }
  const end = session.events.findLast((event) => event.kind === 'end');
  goTo(session, session.travel.last.moment, end && `${end.text} at ${grouped(end.moment)}`);
}

/** N cells of the timeline on, or back. */
export function scrub(session: Session, argument: string, direction: 1 | -1): void {
  const { from, to, columns } = session.state;
  const cell = Math.max(1, Math.round((to - from) / Math.max(1, timelineWidth(columns))));
  const target = session.travel.moment + direction * countOf(argument) * cell;
  goTo(session, Math.min(Math.max(session.travel.first.moment, target), session.travel.last.moment));
}
