/**
 * What is wrong with the arguments is said in one line, before anything runs; exit status 1 is kept for differences.
 */
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('main.ts', import.meta.url));

it.each([
  [['--seed', 'x'], '--seed x: expected a whole number'],
  [['--cases', '-1'], 'cases'],
  [['--bogus'], '--bogus'],
  [['--keep', tmpdir()], `--keep ${tmpdir()}: cannot be written`],
])('%j is refused', (args, message) => {
  const { status, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
});
