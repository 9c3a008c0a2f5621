/** What is noted while one looks: kept beside the trace, and shown on the timeline at once, among the run's events. */
import { addBookmark, readBookmarks } from '../../traces/index.ts';
import { grouped, UsageError } from '../base/index.ts';
import type { Session, SessionEvent } from '../panels/index.ts';
import { say, withBookmarks } from './session.ts';

/** Notes a finding at the present place. */
export function note(session: Session, text: string): void {
  if (text === '') throw new UsageError('expected a text, such as :note the lock is never given back');
  const { trace, place } = session.debug.run;
  const { id, moment } = addBookmark(trace, { ...place, text });
  refreshEvents(session);
  say(session, `bookmark ${id} at ${grouped(moment)}`);
}

/** Lists events and bookmarks anew: some have come, or the run has got its end. */
export function refreshEvents(session: Session): void {
  const { events, run } = session.debug;
  const shown = session.state.isGrowing ? events.map(endSoFar) : events;
  session.events = withBookmarks(shown, readBookmarks(run.trace).bookmarks, run.last.moment);
}

/** Of a run that is being recorded the end is only the last that is known. */
const endSoFar = (event: SessionEvent): SessionEvent =>
  event.kind === 'end' ? { ...event, glyph: '>', text: 'recorded up to here so far' } : event;
