/** Lines made to fit, for any text and any width. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as unit } from 'vitest';
import { clip, clipStart, ELLIPSIS, span, textOf, widthOf, wrap } from './text.ts';
import type { Line } from './types.ts';

const word = fc.oneof(
  fc.constantFrom('recovery_run', 'store_add', 'hart', 'of', 'vm12', 'deadline', 'fade', ':', '+', '<', '>', ','),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((n) => `0x${n.toString(16)}`),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((n) => n.toString(16)),
  fc.maxSafeNat().map((n) => n.toLocaleString('en')),
  fc.double({ min: 0, max: 1e4, noNaN: true }).map((n) => n.toFixed(3)),
);
const piece = fc.tuple(word, fc.constantFrom(' ', '+', ', ', ' <', '  ')).map(([text, gap]) => span(text + gap));
const line: fc.Arbitrary<Line> = fc.array(piece, { maxLength: 12 });
const width = fc.nat(120);

/** Numbers as a reader sees them: digits, perhaps hexadecimal, between characters that belong to no number or name. */
const numbersOf = (text: string) =>
  [...text.matchAll(/(?<![\w,.])(?:0x[0-9a-f]+|[0-9a-f][0-9a-f,.]*)(?!\w)/gi)].map(([number]) =>
    number.replace(/[,.]+$/, ''),
  );

describe('a cut line', () => {
  test.prop([line, width])('fits, and says that it was cut', (whole, columns) => {
    const cut = clip(whole, columns);
    expect(widthOf(cut)).toBeLessThanOrEqual(columns);
    if (widthOf(whole) <= columns) expect(cut).toEqual(whole);
    else if (columns > 0) {
      const text = textOf(cut);
      expect(text.endsWith(ELLIPSIS)).toBe(true);
      expect(textOf(whole).startsWith(text.slice(0, -1))).toBe(true);
    }
  });

  test.prop([line, width])('shows each number whole or not at all', (whole, columns) => {
    const shown = numbersOf(textOf(clip(whole, columns)).replace(ELLIPSIS, ''));
    expect(shown).toEqual(numbersOf(textOf(whole)).slice(0, shown.length));
  });

  unit.each([
    ['recovery_run+0x64', 15, 'recovery_run+…'],
    ['recovery_run+0x64', 16, 'recovery_run+…'],
    ['recovery_run+0x64', 17, 'recovery_run+0x64'],
    ['at deadline ', 8, 'at …'],
    ['moment 1,500,000 of 3,000,000', 12, 'moment …'],
    ['moment 1,500,000 of 3,000,000', 17, 'moment 1,500,000…'],
    ['beqz a5,0x80200f52 <check_range+0x10>', 17, 'beqz a5,…'],
    ['-> 80200f52', 8, '-> …'],
    ['a word of letters', 8, 'a word …'],
    ['letters', 4, 'let…'],
    ['letters', 0, ''],
  ])('%s in %i columns is %s', (text, columns, expected) => {
    expect(textOf(clip([span(text)], columns))).toBe(expected);
  });

  unit('keeps the tones', () => {
    expect(clip([span('on', 'focus'), span('ward', 'symbol'), span('s')], 4)).toEqual([
      span('on', 'focus'),
      span('w', 'symbol'),
      span(ELLIPSIS, 'symbol'),
    ]);
  });
});

unit('what is typed is cut at its beginning', () => {
  expect([clipStart('goto 12345', 6), clipStart('goto', 6), clipStart('goto', 0)]).toEqual(['…12345', 'goto', '']);
});

describe('a wrapped line', () => {
  test.prop([line, fc.integer({ min: 1, max: 120 })])('fits and loses nothing but blanks', (whole, columns) => {
    const rows = wrap(whole, columns).map(textOf);
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(columns);
    const squeezed = (text: string) => text.replaceAll(' ', '');
    expect(squeezed(rows.join(''))).toBe(squeezed(textOf(whole)));
  });

  test.prop([line, fc.integer({ min: 1, max: 120 })])('parts no word that fits on a row', (whole, columns) => {
    const words = wrap(whole, columns).flatMap((row) => textOf(row).split(/ +/));
    for (const one of textOf(whole).split(/ +/)) if (one.length <= columns) expect(words).toContain(one);
  });

  unit('drops the blanks before a word that fits alone', () => {
    expect(wrap([span('0x1000000000  0.000,')], 6).map(textOf)).toEqual(['0x1000', '000000', '0.000,']);
  });
});

test.prop([fc.string({ unit: 'binary' })])('no span holds what a terminal obeys, or what takes two columns', (text) => {
  expect(span(text).text).toMatch(/^[\x20-\x7e\xa0-\xac\xae-\u024f…]*$/);
});
