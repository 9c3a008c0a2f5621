/**
 * Styled lines and how they are made to fit: cut, wrapped, freed of what a terminal would obey. Every character of a
 * span takes one column, so a length is a width. Knows neither panels nor sessions.
 */
import { visible } from '../../engine/index.ts';
import type { Line, Span, Tone } from './types.ts';

/** A piece of text, printable whatever it came from: symbol names, guest consoles and traces may hold anything. */
export const span = (text: string, tone: Tone = 'plain'): Span => ({ text: printable(text), tone });

/** What would act is escaped; of the rest, ASCII and Latin letters stay: each takes one column on every terminal. */
const printable = (text: string): string =>
  visible(text.replaceAll('\t', '  ')).replace(/[^\x20-\x7e\xa0-\u024f…]/gu, '.');

/** Stands for what was cut off. */
export const ELLIPSIS = '…';

/** Columns that a line takes. */
export const widthOf = (line: Line): number => line.reduce((sum, piece) => sum + piece.text.length, 0);

/** A line's characters without their tones. */
export const textOf = (line: Line): string => line.map((piece) => piece.text).join('');

/** The beginning of a number, or a whole one, at the end of a text: decimal with groups or a point, or hexadecimal. */
const NUMBER_AT_END = /(?<!\w)(?:0x[0-9a-f]*|[0-9a-f][0-9a-f,.]{0,27})$/i;
/** Also where a word goes on whose beginning alone would be a number: `dead` of `deadline`. */
const GOES_ON = /^[\w,.]/;

/**
 * Cuts a line to a width in columns. What is cut ends in an ellipsis, and a number stands there whole or not at all:
 * `recovery_run+0x64` becomes `recovery_run+…`, never `recovery_run+0x6…`.
 */
export function clip(line: Line, width: number): Line {
  if (widthOf(line) <= width) return line;
  if (width <= 0) return [];
  const text = textOf(line);
  let end = width - 1;
  const number = NUMBER_AT_END.exec(text.slice(0, end));
  if (number && GOES_ON.test(text.slice(end))) end = number.index;
  const kept = firstColumns(line, end);
  const tone = toneAt(line, end);
  return [...kept, span(ELLIPSIS, tone)];
}

/** Cuts a text at its beginning: what was typed last stays in sight. */
export function clipStart(text: string, width: number): string {
  if (text.length <= width) return text;
  return width <= 0 ? '' : ELLIPSIS + text.slice(text.length - width + 1);
}

function firstColumns(line: Line, columns: number): Span[] {
  const out: Span[] = [];
  let left = columns;
  for (const piece of line) {
    if (left <= 0) break;
    out.push(piece.text.length <= left ? piece : { ...piece, text: piece.text.slice(0, left) });
    left -= piece.text.length;
  }
  return out;
}

function toneAt(line: Line, column: number): Tone {
  let end = 0;
  for (const piece of line) {
    end += piece.text.length;
    if (column < end) return piece.tone;
  }
  return 'plain';
}

/** The whole line on as many rows as it takes, parted at blanks; only a word longer than a row is parted inside. */
export function wrap(line: Line, width: number): Line[] {
  if (width <= 0) return [];
  const rows: Line[] = [];
  let rest = line;
  while (widthOf(rest) > width) {
    const text = textOf(rest);
    const blank = text.lastIndexOf(' ', width);
    const [word = ''] = text.trimStart().split(' ', 1);
    const indent = text.length - text.trimStart().length;
    if (blank <= indent && indent > 0 && word.length <= width) {
      // The word fits, but not behind the blanks before it.
      rest = withoutColumns(rest, indent);
      continue;
    }
    const end = blank > indent ? blank : width;
    rows.push(firstColumns(rest, end));
    rest = withoutColumns(rest, text[end] === ' ' ? end + 1 : end);
  }
  rows.push(rest);
  return rows;
}

function withoutColumns(line: Line, columns: number): Line {
  const out: Span[] = [];
  let left = columns;
  for (const piece of line) {
    if (left < piece.text.length) out.push({ ...piece, text: piece.text.slice(left) });
    left = Math.max(0, left - piece.text.length);
  }
  return out;
}
