/** Text from outside cannot act on a terminal, whatever it holds; harmless text is left alone. */
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { visible, visibleLines } from './visible.ts';

describe('characters that act are shown', () => {
  test.each([
    ['an escape sequence', '\x1b]0;X\x07\x1b[2J', '\\u001b]0;X\\u0007\\u001b[2J'],
    ['the one-byte form of the same (C1)', '\x9b2J\x90q\x9c', '\\u009b2J\\u0090q\\u009c'],
    ['delete and backspace', 'a\x7fb\bc', 'a\\u007fb\\u0008c'],
    ['a carriage return', 'good\rbad', 'good\\rbad'],
    ['a direction override', 'a\u202egpj.exe\u2066b', 'a\\u202egpj.exe\\u2066b'],
    ['separators of lines and paragraphs', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['what takes no room', 'a\u200bb\ufeffc', 'a\\u200bb\\ufeffc'],
    ['tags beyond the first plane', 'a\u{e0041}b', 'a\\udb40\\udc41b'],
    ['half a surrogate pair', 'a\ud800b', 'a\\ud800b'],
  ])('%s', (_what, text, shown) => {
    expect(visible(text)).toBe(shown);
    expect(visibleLines(text)).toBe(shown);
  });

  test('ends of lines and tabs only where there is one line', () => {
    expect(visible('a\r\n\tb\n')).toBe('a\\r\\n\\tb\\n');
    expect(visibleLines('a\r\n\tb\n')).toBe('a\r\n\tb\n');
  });
});

test('text of any language stays as it is', () => {
  for (const text of ['Déjà VM', 'наблюдение', '再現', 'a\u0301', '🚀', '\ufffd', '\\u001b']) {
    expect(visible(text)).toBe(text);
  }
});

property.prop([fc.string({ unit: 'binary' })])('a JSON document says the same afterwards', (text) => {
  const json = JSON.stringify({ [text]: [text] });
  expect(JSON.parse(visibleLines(json))).toEqual({ [text]: [text] });
});

property.prop([fc.string({ unit: 'binary' })])('nothing that acts is left', (text) => {
  expect(visible(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
  expect(visible(visible(text))).toBe(visible(text));
});
