/**
 * Bookmarks: what people found in a run, kept in `NAME.djvm.bookmarks` beside `NAME.djvm`. Any number of processes may
 * add and delete at once. Why beside the trace, and what that means: README.md of traces.
 */
import { randomBytes } from 'node:crypto';
import { TraceWriteError } from '../errors.ts';
import type { Trace } from '../types.ts';
import { appendLine, bookmarksPath, readContent } from './file.ts';
import { type BookmarkText, type Line, lineText, MAX_LINE_BYTES, MAX_TEXT_BYTES, readLine } from './line.ts';

export type { BookmarkText } from './line.ts';

export interface Bookmark extends BookmarkText {
  /** Its number among all that were ever made beside this trace, from 1; stays when others are deleted. */
  readonly id: number;
  /** False: it was made at another recording, whose file was copied here or replaced. */
  readonly isOfThisRun: boolean;
}

export interface Bookmarks {
  /** In order of their positions. */
  readonly bookmarks: readonly Bookmark[];
  /** Lines that are none: damaged, or of somebody else. */
  readonly unreadable: number;
  /** Whether there is more than is read: 4 MiB. */
  readonly isCut: boolean;
}

/**
 * Copies bookmarks of a trace to those beside another that holds a part of the same run; those that are there already
 * stay as they are. What was made at this trace counts as made at the other. Returns how many were wanted.
 * @throws TraceError when they cannot be read, TraceWriteError when they cannot be written
 */
export function copyBookmarks(
  from: Marked,
  to: { readonly path: string; readonly id: string },
  isWanted: (bookmark: BookmarkText) => boolean,
): number {
  const { lines } = readLines(from);
  const deleted = new Set(lines.flatMap((line) => ('deleted' in line ? [line.deleted] : [])));
  const wanted = numbered(lines)
    .filter((bookmark) => !deleted.has(bookmark.key) && isWanted(bookmark))
    .map(({ id: _, ...line }) => ({ ...line, run: line.run === from.header.id ? to.id : line.run }));
  const known = new Set(numbered(readLines(to).lines).map(({ key }) => key));
  const missing = wanted.filter(({ key }) => !known.has(key));
  if (missing.length > 0) appendLine(bookmarksPath(to.path), missing.map(lineText).join(''));
  return wanted.length;
}

type Marked = Pick<Trace, 'path' | 'last'> & { readonly header: { readonly id: string } };

/** The bookmarks of a trace; none when nobody made any. @throws TraceError when there is a file, but no reading it */
export function readBookmarks(trace: Marked): Bookmarks {
  const { lines, isCut, unreadable } = readLines(trace);
  const deleted = new Set(lines.flatMap((line) => ('deleted' in line ? [line.deleted] : [])));
  const bookmarks = numbered(lines)
    .filter(({ key }) => !deleted.has(key))
    .map(({ key: _, run, ...rest }) => ({ ...rest, isOfThisRun: run === trace.header.id }));
  return { bookmarks: bookmarks.sort((a, b) => a.ticks - b.ticks || a.id - b.id), unreadable, isCut };
}

/**
 * Adds one; it is on the disk when this returns. `text`: up to 4096 bytes.
 * @throws TraceWriteError when it cannot be written; RangeError for a text that is empty or too long
 */
export function addBookmark(trace: Marked, { moment, ticks, here, text }: BookmarkText): Bookmark {
  const bytes = Buffer.byteLength(text);
  if (bytes === 0 || bytes > MAX_TEXT_BYTES) {
    throw new RangeError(`a bookmark of ${bytes} bytes: expected 1 to ${MAX_TEXT_BYTES}`);
  }
  const key = randomBytes(8).toString('hex');
  // Twice, if somebody's unfinished line came between looking and writing and took this one with it.
  for (let tries = 0; tries < 3; tries++) {
    append(trace, { key, run: trace.header.id, moment, ticks, here, text });
    const written = numbered(readLines(trace).lines).find((line) => line.key === key);
    if (written) return { id: written.id, moment, ticks, here, text, isOfThisRun: true };
  }
  throw new TraceWriteError('io', bookmarksPath(trace.path), 'a bookmark was written and is not there; try again');
}

/** Deletes the bookmark of that number. undefined: there is none (any more). @throws TraceWriteError, TraceError */
export function deleteBookmark(trace: Marked, id: number): Bookmark | undefined {
  const bookmark = readBookmarks(trace).bookmarks.find((one) => one.id === id);
  const line = numbered(readLines(trace).lines).find((one) => one.id === id);
  if (!bookmark || !line) return undefined;
  append(trace, { deleted: line.key });
  return bookmark;
}

const append = (trace: Marked, line: Line): void => appendLine(bookmarksPath(trace.path), lineText(line));

function readLines(trace: Pick<Trace, 'path'>) {
  const { lines: texts, isCut } = readContent(bookmarksPath(trace.path));
  const written = texts.filter((text) => text !== '');
  const lines = written.flatMap((text) => (text.length > MAX_LINE_BYTES ? [] : (readLine(text) ?? [])));
  return { lines, isCut, unreadable: written.length - lines.length };
}

type Numbered = Extract<Line, { readonly key: string }> & { readonly id: number };

/** Bookmarks by the order in which they stand in the file; a key that comes again is the same one. */
function numbered(lines: readonly Line[]): Numbered[] {
  const byKey = new Map<string, Numbered>();
  for (const line of lines) {
    if ('key' in line && !byKey.has(line.key)) byKey.set(line.key, { ...line, id: byKey.size + 1 });
  }
  return [...byKey.values()];
}
