/** What a failing property prints, run in a user's project under the test runners that users have. */
import { symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type UserProject, userProject } from './user-project.fixtures.ts';

let project: UserProject;
beforeAll(() => {
  project = userProject();
  // What a user of vitest has installed.
  const vitest = dirname(fileURLToPath(import.meta.resolve('vitest/package.json')));
  symlinkSync(vitest, project.path('node_modules/vitest'), 'dir');
  symlinkSync(join(vitest, 'vitest.mjs'), project.path('node_modules/.bin/vitest'));
});
afterAll(() => project.remove());

/** Names that are patterns, too, unless they are quoted; the second would fail without being asked. */
const NAME = "the VMs' sums (2) are + right?";
const suiteOf = (imported: string) => `${imported}
import { checkScenarios, scenarios } from 'dejavm/properties';
const bounds = { append: 'steps=1', horizon: 1_500_000, maxMoment: 200_000 };
const property = (name, fails) => [name, () =>
  checkScenarios({ name, runs: 20, shrink: false }, scenarios(bounds), (scenario) => {
    if (scenario.harts > 1) throw new Error(fails);
  })];
`;
const TESTS = `
test(...property(${JSON.stringify(NAME)}, 'planted'));
test(...property('another', 'not asked for'));
`;

test.each([
  ['node:test', 'node --test mine.test.js', `${suiteOf("import test from 'node:test';")}${TESTS}`],
  ['vitest', 'npx vitest run', `${suiteOf("import { test } from 'vitest';")}${TESTS}`],
  [
    'no test runner',
    'node mine.test.js',
    `${suiteOf('')}await property(${JSON.stringify(NAME)}, 'planted')[1]().catch((error) => console.log(error.message));`,
  ],
])('under %s', (_runner, start, text) => {
  project.write('mine.test.js', text);
  const first = project.run(start);
  const printed = first.out + first.err;
  const line = (label: string, from: string) => new RegExp(`^ *${label}: +(.*)$`, 'm').exec(from)?.[1];
  const again = project.run(line('reproduce', printed) ?? '');
  const second = again.out + again.err;
  expect(second).toContain('fails after 1 runs and 0 shrinks');
  expect(line('counterexample', second)).toBe(line('counterexample', printed));
  expect(second).not.toContain('not asked for');
  const { code, out, err } = project.run(line('or', printed) ?? '');
  expect(code, err).toBe(0);
  expect(out).toContain('digests compared up to moment 200,000');
});
