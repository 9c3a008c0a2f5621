/**
 * A fixed round of changed files, and that the fuzzer finds what there is to find: a code that is not expected, a case
 * that takes too much, each with the command that shows it again.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packageFile } from '../base/package-root.ts';
import { type BoundedOptions, fuzzBounded } from './bounded.ts';
import type { Finding } from './fuzz.ts';
import { KINDS } from './kinds.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-fuzz-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const temporary = join(folder, 'tmp');
mkdirSync(temporary);
const env = { ...process.env, TMPDIR: temporary };
const root = packageFile('.');
function main(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [packageFile('tui/fuzz/main.ts'), ...args], { encoding: 'utf8', cwd: root, env });
}

describe('files that were changed, their checksums made right again', () => {
  it('are used, or refused in words, whatever reads them', () => {
    // One trace for each file of another kind.
    const all = String(2 * (KINDS.length - 1));
    const { status, stdout, stderr } = main('--seed', '1', '--cases', all);
    expect(readdirSync(temporary)).toEqual([]);
    expect({ status, stdout, stderr }).toMatchObject({ status: 0, stderr: '' });
    for (const kind of KINDS) expect(stdout).toMatch(new RegExp(`^${kind}: `, 'm'));
    // Both happen, or nothing was tried.
    expect(stdout).toMatch(/^traces: .*exit code 0.*exit code 3/m);
  });
});

describe('what is found', () => {
  const plans = ['--kind', 'campaign file', '--expect', '0'];

  it('is printed and kept, with one command that finds it again', () => {
    const kept = join(folder, 'found/fuzz.txt');
    const { status, stdout } = main('--seed', '1', '--cases', '16', '--failures', '1', '--keep', kept, ...plans);
    expect(status).toBe(1);
    const [finding] = /^case \d+, campaign file: (?:.*\n)*? {2}the change: .*\n/m.exec(stdout)!;
    expect(finding).toMatch(/planning: exit code 2: dejavm: trial\.yaml/);
    expect(readFileSync(kept, 'utf8')).toContain(finding);
    const [, command] = / {2}reproduce with: (.*)/.exec(stdout)!;
    const again = spawnSync('bash', ['-c', command!], { encoding: 'utf8', cwd: root });
    expect(again.status).toBe(1);
    expect(again.stdout).toContain(finding);
  });

  it('may be a case that takes too much, or ends its thread; those behind it run', async () => {
    const findings: Finding[] = [];
    const options: BoundedOptions = {
      ...{ seed: 1, from: 0, to: 5, expected: [], maxFindings: 9, maxCaseCpuS: 0.5 },
      worker: new URL('./endless.fixtures.ts', import.meta.url),
      onFinding: (finding) => findings.push(finding),
    };
    const tally = await fuzzBounded(options);
    expect(findings).toEqual([
      { n: 1, text: 'case 1, planted: takes more than 0.5 s of processor time' },
      { n: 2, text: expect.stringMatching(/^case 2, planted: ends the thread: Error: planted/) },
    ]);
    expect(tally).toEqual({ planted: { 0: 2 } });
  });
});

it.each([
  [['--seed', 'x'], '--seed x: expected a whole number'],
  [['--kind', 'spoon'], "--kind spoon: expected one of 'traces', "],
  [['--keep', tmpdir()], `--keep ${tmpdir()}: cannot be written`],
])('%j is refused', (args, message) => {
  const { status, stderr } = main(...args);
  expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
});
