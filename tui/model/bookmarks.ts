/** What is noted while one looks: kept beside the trace, and shown on the timeline at once. */
import { eventsOf } from '../../replay/index.ts';
import { addBookmark, readBookmarks } from '../../traces/index.ts';
import { grouped, UsageError } from '../base/index.ts';
import type { Session } from '../panels/index.ts';
import { say, withBookmarks } from './session.ts';

/** Notes a finding at the present place. */
export function note(session: Session, text: string): void {
  if (text === '') throw new UsageError('expected a text, such as :note the lock is never given back');
  const { trace, place, last } = session.debug.run;
  const { id, moment } = addBookmark(trace, { ...place, text });
  session.events = withBookmarks(eventsOf(trace), readBookmarks(trace).bookmarks, last.moment);
  say(session, `bookmark ${id} at ${grouped(moment)}`);
}
