/**
 * One line of a bookmarks file: a bookmark, or word that one has been deleted. Reads what anybody may have written:
 * whatever is not exactly such a line is none. Knows no files.
 */
import type { Position } from '../types.ts';

/** A finding of somebody who looked at a run. */
export interface BookmarkText extends Position {
  /** Before the inputs of the position, or behind them. */
  readonly here: 'pending' | 'applied';
  /** One line or several, as typed. */
  readonly text: string;
}

export type Line =
  /** `run`: id of the recording (TraceHeader.id). */
  (BookmarkText & { readonly key: string; readonly run: string }) | { readonly deleted: string };

/** Of a text, in UTF-8. */
export const MAX_TEXT_BYTES = 4096;
/** JSON writes a byte as six characters at most. */
export const MAX_LINE_BYTES: number = 6 * MAX_TEXT_BYTES + 512;

/** The line, with the newline at its end. */
export const lineText = (line: Line): string => `${JSON.stringify(line)}\n`;

/** Reads a line without its newline; undefined: it is none. */
export function readLine(text: string): Line | undefined {
  const value = parse(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { deleted, key, run, moment, ticks, here, text: said } = value as Partial<Record<string, unknown>>;
  if (isKey(deleted)) return { deleted };
  if (!isKey(key) || typeof run !== 'string' || !isCount(moment) || !isCount(ticks)) return undefined;
  if (here !== 'pending' && here !== 'applied') return undefined;
  if (typeof said !== 'string' || Buffer.byteLength(said) > MAX_TEXT_BYTES) return undefined;
  return { key, run, moment, ticks, here, text: said };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isKey = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
