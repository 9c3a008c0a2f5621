/** The manual page as text. That it is the committed one: docs.test.ts; what groff makes of it: man-page.peer.ts. */
import { expect, test } from 'vitest';
import { ENVIRONMENT } from '../tui/base/environment.ts';
import { documentPath } from './docs.ts';
import { manPage } from './man-page.ts';
import { roff } from './roff.ts';
import { readSources } from './tidy.ts';

test('names every variable of the environment that a command reads', () => {
  const sources = readSources(documentPath('.')).filter(
    ({ path }) => path.startsWith('tui/') && !/\.(test|slow|peer|fixtures)\.|\/test-|tui\/fuzz\//.test(path),
  );
  const read = new Set(sources.flatMap(({ text }) => [...text.matchAll(/\benv\.([A-Z_]+)/g)].map(([, name]) => name)));
  const named = ENVIRONMENT.map(([variable]) => variable);
  expect(read.size).toBeGreaterThan(2);
  expect(named).toEqual(expect.arrayContaining([...read]));
  for (const variable of named) expect(manPage()).toContain(`\\fB${variable}\\fR`);
});

test('text is escaped: nothing in it acts on roff or is shown as another character', () => {
  expect(roff(`.so x`)).toBe('\\&.so x');
  expect(roff(`'x' "y" \`z\` a-b \\n ^~`)).toBe('\\(aqx\\(aq \\(dqy\\(dq \\(gaz\\(ga a\\-b \\en \\(ha\\(ti');
  expect(roff('… é')).toBe('\\[u2026] \\[u00E9]');
});
