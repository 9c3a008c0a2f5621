/** `dejavm note TRACE -g M TEXT` keeps a finding at a moment; `dejavm bookmarks TRACE` lists and deletes them. */
import { UserError } from '../../../engine/index.ts';
import { addBookmark, type Bookmark, type Bookmarks, deleteBookmark, readBookmarks } from '../../../traces/index.ts';
import { counted, EXIT, type ExitCode, grouped, type Io, table, UsageError } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { toJson } from '../json/index.ts';
import { openRun } from '../symbol-files.ts';
import { travelTo } from '../travel-to.ts';
import { openNamedTrace } from './open.ts';

export async function noteCommand({
  args,
  flags,
  io,
}: CommandContext<'moment' | 'symbols' | 'json'>): Promise<ExitCode> {
  const text = args[1]!;
  if (flags.moment === undefined) throw new UsageError('expected -g and a moment, such as -g 8M or -g detected');
  if (text.trim() === '') throw new UsageError('expected a text to note, got an empty one');
  const trace = openNamedTrace(args[0]!, io);
  const travel = openRun(trace, flags, io);
  if (!(await travelTo(travel, flags.moment, io))) return EXIT.interrupted;
  try {
    const bookmark = addBookmark(trace, { ...travel.place, text });
    io.out(
      flags.json
        ? toJson('note', { path: trace.path, bookmark })
        : `bookmark ${bookmark.id} at moment ${grouped(bookmark.moment)}\n`,
    );
    return EXIT.ok;
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

export async function bookmarksCommand({ args, flags, io }: CommandContext<'delete' | 'json'>): Promise<ExitCode> {
  const trace = openNamedTrace(args[0]!, io);
  const deleted = flags.delete === undefined ? undefined : deleteBookmark(trace, flags.delete);
  const found = readBookmarks(trace);
  if (flags.delete !== undefined && !deleted) {
    const known = found.bookmarks.slice(0, 20).map(({ id }) => id);
    const list = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
    throw new UserError(`${trace.path} has no bookmark ${flags.delete}: ${list}`);
  }
  warn(found, io);
  if (flags.json) io.out(toJson('bookmarks', { path: trace.path, ...found }));
  else if (deleted) io.out(`deleted bookmark ${deleted.id}: ${oneLine(deleted.text)}\n`);
  else if (found.bookmarks.length > 0) io.out(`${bookmarksText(found.bookmarks)}\n`);
  else io.out('no bookmarks\n');
  return EXIT.ok;
}

function warn({ unreadable, isCut }: Bookmarks, io: Io): void {
  if (unreadable > 0) io.err(`dejavm: warning: ${counted(unreadable, 'line')} beside the bookmarks cannot be read\n`);
  if (isCut) io.err('dejavm: warning: there are more bookmarks than the first 4 MiB, which are listed\n');
}

function bookmarksText(bookmarks: readonly Bookmark[]): string {
  const rows = bookmarks.map(({ id, moment, here, text, isOfThisRun }) => [
    String(id),
    `${grouped(moment)}${here === 'pending' ? '-' : ''}`,
    `${oneLine(text)}${isOfThisRun ? '' : '  (made at another recording)'}`,
  ]);
  return table([['', 'moment', 'note'], ...rows], [0, 1]);
}

const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, ' / ');
