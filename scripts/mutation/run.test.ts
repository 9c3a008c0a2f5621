import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { runBounded } from './bounded.ts';
import { nearestFirst } from './order.ts';
import { readKept, testsThatReach } from './reach.ts';
import { type Outcome, openResults, score, scoreLine } from './results.ts';
import { type Judge, judgeRange } from './run.ts';
import { drawn, enumerate, productSources, sourcesDigest } from './sample.ts';
import { SUITES, suiteOf, testFiles } from './suites.ts';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const SOURCES = new Map([
  ['a.ts', 'x = a < 1;\ny = b + 2;\nif (c && d) e();\n'],
  ['b.ts', 'return a - 3;\n'],
]);
const MUTANTS = enumerate(SOURCES, 'typescript');
const SAMPLED = { folder: 'a', seed: 1, sources: sourcesDigest(SOURCES), candidates: MUTANTS.length };

function resultsFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mutation-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'results.jsonl');
}

/** Judges by the line: the first does not compile, the second survives, the others are killed. */
function countingJudge(): { judge: Judge; asked: () => number } {
  let asked = 0;
  const judge: Judge = async ({ line }) => {
    asked++;
    if (line === 1) return { verdict: 'does not compile' };
    return line === 2 ? { verdict: 'survived' } : { verdict: 'killed', by: 'a.test.ts > t', why: 'w' };
  };
  return { judge, asked: () => asked };
}

it('a seed names its sample, and every mutant is drawn once', () => {
  const order = drawn(MUTANTS, 1n);
  expect(drawn(MUTANTS, 1n)).toEqual(order);
  expect(drawn(MUTANTS, 2n)).not.toEqual(order);
  expect(new Set(order)).toEqual(new Set(MUTANTS));
  // Kept: whoever names a seed in a report means these.
  expect(drawn(['a', 'b', 'c', 'd', 'e', 'f'], 1n).join('')).toBe('faebdc');
});

it('a mutant says where it is', () => {
  expect(MUTANTS.find(({ operator }) => operator === 'logic')).toMatchObject({
    file: 'a.ts',
    line: 3,
    column: 7,
    original: '&&',
  });
});

it('an interrupted run goes on, even within a line, and counts what compiles', async () => {
  const whole = resultsFile();
  const draws = drawn(MUTANTS, 1n);
  const range = { from: 0, to: 99, sample: 6 };
  const nothing = () => {};
  const all = await judgeRange(whole, draws, openResults(whole, SAMPLED), range, countingJudge().judge, nothing);
  expect(score(all).of).toBe(6);
  expect(all.length).toBeGreaterThan(6);

  const cut = resultsFile();
  await judgeRange(cut, draws, openResults(cut, SAMPLED), { ...range, to: 4 }, countingJudge().judge, nothing);
  appendFileSync(cut, '{"draw":4,"fi');
  const second = countingJudge();
  const earlier = openResults(cut, SAMPLED);
  expect(earlier.length).toBe(4);
  expect(await judgeRange(cut, draws, earlier, range, second.judge, nothing)).toEqual(all);
  expect(second.asked()).toBe(all.length - 4);
  expect(readFileSync(cut, 'utf8')).toBe(readFileSync(whole, 'utf8'));
});

it('results of other sources are not mixed in', () => {
  const path = resultsFile();
  openResults(path, SAMPLED);
  const other = sourcesDigest(new Map([...SOURCES, ['a.ts', 'changed']]));
  expect(() => openResults(path, { ...SAMPLED, sources: other })).toThrow(/sources that have changed.*--results/);
});

it('the score leaves out what does not compile', () => {
  const outcomes = ['killed', 'killed', 'killed', 'survived', 'does not compile'].map(
    (verdict) => ({ verdict }) as Outcome,
  );
  expect(scoreLine('replay', score(outcomes))).toBe('replay: 3 of 4 mutants killed, 75.0 % (95 %: 30.1 % to 95.4 %)');
  expect(scoreLine('replay', score([]))).toBe('replay: 0 of 0 mutants killed');
});

it('tests run nearest first, then those that killed, then the quick ones', () => {
  const seconds = { 'r/slow.test.ts': 9, 'r/quick.test.ts': 1, 'r/store.test.ts': 5, 'r/killer.test.ts': 7 };
  const earlier = [{ file: 'r/store.ts', verdict: 'killed', by: 'r/killer.test.ts > t' } as Outcome];
  const order = ['r/store.test.ts', 'r/killer.test.ts', 'r/quick.test.ts', 'r/slow.test.ts'];
  expect(nearestFirst('r/store.ts', seconds, earlier)).toEqual(order);
});

it('a mutant is judged by the test files that call its function, or load its module', () => {
  const folder = dirname(resultsFile());
  const keep = (test: string, functions: unknown) =>
    writeFileSync(
      join(folder, test),
      JSON.stringify({ test: `/r/${test}`, cpuSeconds: 7, functions: [['file:///r/a.ts', functions]] }),
    );
  keep('x.test.ts', [
    ['f', true],
    ['g', false],
  ]);
  keep('y.test.ts', [
    ['f', false],
    ['g', false],
  ]);
  const { reach, cpuSeconds } = readKept(folder, '/r');
  expect(cpuSeconds).toEqual({ 'x.test.ts': 7, 'y.test.ts': 7 });
  const reaching = (source: string, within: string) => [...testsThatReach(reach, source, within)];
  expect(reaching('a.ts', 'f')).toEqual(['x.test.ts']);
  expect(reaching('a.ts', 'g')).toEqual([]);
  expect(reaching('a.ts', '')).toEqual(['x.test.ts', 'y.test.ts']);
  expect(reaching('a.ts', 'named otherwise')).toEqual(['x.test.ts', 'y.test.ts']);
  expect(reaching('b.ts', 'f')).toEqual([]);
});

it('every declared folder has sources without tests among them, and tests', () => {
  for (const folder of Object.keys(SUITES)) {
    const sources = [...productSources(root, folder).keys()];
    expect(sources.length, folder).toBeGreaterThan(5);
    expect(sources.filter((path) => /\.(test|slow|gen)\.|testing/.test(path))).toEqual([]);
    expect(testFiles(root, suiteOf(`${folder}/inner`)).length, folder).toBeGreaterThan(10);
  }
  expect(() => suiteOf('tui')).toThrow(/no tests are declared/);
});

it('a program that never ends is ended by its CPU time, one that ends by itself is not', async () => {
  const run = (code: string) =>
    runBounded([process.execPath, '-e', code], { cwd: root, bounds: { cpuSeconds: 1, memoryBytes: 2 ** 33 } });
  expect((await run('for (;;);')).code).not.toBe(0);
  expect(await run("console.log('fine')")).toEqual({ code: 0, output: 'fine\n' });
});
