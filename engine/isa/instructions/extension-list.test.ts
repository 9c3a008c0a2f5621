/** The list of extensions against the instruction table and against the manual's rules for names. */
import { expect, test } from 'vitest';
import { EXTENSIONS, extensionsInOrder, isaString, misaLetters } from './extension-list.ts';
import { COMPRESSED, INSTRUCTIONS } from './table.ts';

const byRows = new Set([...INSTRUCTIONS, ...COMPRESSED].map((row) => row.extension.toLowerCase()));

test('the extensions that are said to have instructions are those with rows in the table', () => {
  const declared = EXTENSIONS.filter((e) => e.as === 'instructions').map((e) => e.name);
  expect(declared.toSorted()).toEqual([...byRows].sort());
});

test('each is declared once', () => {
  expect(new Set(EXTENSIONS.map((e) => e.name)).size).toBe(EXTENSIONS.length);
});

test('the ISA string has the letters in canonical order, then Z by category, then S by alphabet', () => {
  const string = isaString();
  expect(string).toMatch(/^rv64ima(fd)?c(b)?h(_z[a-z0-9]+)+(_s[a-z0-9]+)+$/);
  const [, ...long] = string.split('_');
  const category = long.filter((name) => name.startsWith('z')).map((name) => 'imafdqlcbkjtpvh'.indexOf(name.charAt(1)));
  expect(category).toEqual(category.toSorted((a, b) => a - b));
  for (const [index, name] of long.entries()) {
    const next = long[index + 1];
    if (next?.slice(0, 2) === name.slice(0, 2)) expect(next > name).toBe(true);
  }
  expect(long.length + (string.split('_')[0]?.length ?? 0) - 4).toBe(
    extensionsInOrder().filter((e) => !e.misaOnly && !e.unlisted).length,
  );
});

test('misa has A in bit 0 and the privilege modes, which the ISA string leaves out', () => {
  const has = (letter: string) => ((misaLetters() >>> (letter.charCodeAt(0) - 97)) & 1) === 1;
  expect([...'imachsu'].map(has)).toEqual([true, true, true, true, true, true, true]);
  expect([...'eqvn'].map(has)).toEqual([false, false, false, false]);
});
