/**
 * The manual page as man shows it: without a warning, and with every text as it stands in the tables. Relies on groff
 * and man.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { fc } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { ENVIRONMENT } from '../tui/base/environment.ts';
import { exitCodes } from '../tui/base/exit-codes.ts';
import { flagHelp, flagSpec, spellingsOf } from '../tui/cli/flags.ts';
import { VERBS } from '../tui/cli/verbs.ts';
import { documentPath } from './docs.ts';
import { manPage } from './man-page.ts';
import { roff, verbatim } from './roff.ts';

/** What groff makes of a page of man(7). @param width columns of a line */
function rendered(page: string, width: number): { readonly text: string; readonly warnings: string } {
  const args = ['-man', '-ww', '-Tutf8', '-P-cbou', `-rLL=${width}n`];
  const { stdout, stderr } = spawnSync('groff', args, { input: page, encoding: 'utf8', maxBuffer: 1 << 26 });
  return { text: stdout, warnings: stderr };
}

test('groff has nothing to warn of', () => {
  for (const width of [72, 120]) expect(rendered(manPage(), width).warnings).toBe('');
});

test('no word is hyphenated: what is shown is copied', () => {
  expect(rendered(manPage(), 60).text).not.toMatch(/[\u2010\u2011\u2212]/);
});

test('man shows the committed page', () => {
  const env = { ...process.env, MANPAGER: 'cat', MANWIDTH: '80', LC_ALL: 'C.UTF-8', MAN_KEEP_FORMATTING: '' };
  const shown = execFileSync('man', ['--warnings', '-l', documentPath('docs/dejavm.1')], { env, encoding: 'utf8' });
  expect(shown).toMatch(/^DEJAVM\(1\)/);
});

test('every text of the tables is there, and examples can be copied', () => {
  const { text } = rendered(manPage(), 400);
  const squeezed = text.replace(/\s+/g, ' ');
  const lines = text.split('\n').map((line) => line.trim());
  const texts = VERBS.flatMap((verb) => [
    ...verb.arguments.map(({ help }) => help),
    ...verb.flags.map(flagHelp),
    ...verb.flags.map((name) => spellingsOf(flagSpec(name).syntax).join(', ')),
  ]);
  for (const each of [...texts, ...ENVIRONMENT.flat(), ...exitCodes().map(([code, meaning]) => `${code} ${meaning}`)]) {
    expect(squeezed).toContain(each.replace(/\s+/g, ' '));
  }
  for (const example of VERBS.flatMap(({ examples }) => examples)) expect(lines).toContain(example);
});

test('any text is shown as it is', () => {
  const character = fc.oneof(
    fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
    fc.constantFrom(...'\\.\'"-`^~%$…µéß→'),
  );
  const texts = fc
    .sample(
      fc.array(character, { minLength: 1, maxLength: 40 }).map((all) => all.join('')),
      500,
    )
    .map((text) => `${text}|`);
  const { text, warnings } = rendered(`.TH X 1\n.SH X\n${verbatim(texts)}\n`, 400);
  expect(warnings).toBe('');
  const lines = text.split('\n').map((line) => line.replace(/^ {7}/, ''));
  for (const each of texts) expect(lines).toContain(each);
  expect(roff('.x')).toBe('\\&.x');
});
