/**
 * Text from outside (files, names, symbols, what a guest wrote) made fit to be shown. Shared by every layer; relies on
 * nothing.
 */

/**
 * What a terminal or a browser acts upon in place of showing it: control characters (C0, DEL, C1), line and paragraph
 * separators, format characters (direction overrides, zero-width and tag characters), and halves of surrogate pairs.
 */
const ACTING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const ACTING_IN_LINES = /[^\P{Cc}\n\t\r]|\r(?!\n)|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * One line: every character that would act is written as JSON escapes it (`\u001b`, `\n`), so that text in a JSON
 * document stays the same text. Bytes that were no UTF-8 are U+FFFD by the time they are text, and stay that.
 */
export function visible(text: string): string {
  return text.replace(ACTING, jsonEscape);
}

/** The same for text of several lines: tabs stay, and what ends a line (LF or CR LF). */
export function visibleLines(text: string): string {
  return text.replace(ACTING_IN_LINES, jsonEscape);
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

/** UTF-16 units, as in JSON: a character beyond the first plane is two of them. */
function jsonEscape(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const units = Array.from({ length: character.length }, (_, n) => character.charCodeAt(n));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
