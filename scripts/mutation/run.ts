/** One run over a sample: draws mutants in order, has each judged, and keeps what came of it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runTests } from './judge.ts';
import { nearestFirst } from './order.ts';
import { readKept, testsThatReach } from './reach.ts';
import { appendOutcome, type Outcome, outcomeOf } from './results.ts';
import type { Mutant } from './sample.ts';
import { type Suite, testFiles } from './suites.ts';
import { compiles, type Workbench, withMutant } from './workbench.ts';

export interface Range {
  /** Draws from here on; what lies before is another run's. */
  readonly from: number;
  /** Draws below. */
  readonly to: number;
  /** Stops when so many mutants are judged that compile, earlier runs of this file included. */
  readonly sample: number;
}

/** Says whether a mutant lives. */
export type Judge = (mutant: Mutant) => Promise<Pick<Outcome, 'verdict' | 'by' | 'why'>>;

/** Judges what is missing of a range, and tells each outcome as soon as it is in the file. */
export async function judgeRange(
  path: string,
  draws: readonly Mutant[],
  earlier: readonly Outcome[],
  { from, to, sample }: Range,
  judge: Judge,
  tell: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const known = new Map(earlier.map((outcome) => [outcome.draw, outcome]));
  const outcomes: Outcome[] = [];
  for (let draw = from; draw < Math.min(to, draws.length); draw++) {
    if (outcomes.filter(({ verdict }) => verdict !== 'does not compile').length >= sample) break;
    let outcome = known.get(draw);
    if (outcome === undefined) {
      outcome = outcomeOf(draw, draws[draw]!, await judge(draws[draw]!));
      appendOutcome(path, outcome);
      tell(outcome);
    }
    outcomes.push(outcome);
  }
  return outcomes;
}

/** With a mutant, a test file may use so many times the CPU time that the slowest of its judges takes without one. */
const PATIENCE = 5;
/** Bound of the run without a mutant, which sets the bound of the others. */
const FIRST_RUN_CPU_SECONDS = 3_600;
const LEAST_CPU_SECONDS = 20;

/**
 * A judge that compiles the mutant and runs those of the suite's tests that reach it, nearest first, until one fails.
 * @throws Error when the tests fail without any mutant
 */
export async function suiteJudge(bench: Workbench, suite: Suite, earlier: readonly Outcome[]): Promise<Judge> {
  const files = testFiles(bench.root, suite);
  const keepReach = join(bench.root, 'dist/mutation-reach');
  mkdirSync(keepReach);
  const { seconds, failure } = await runTests(bench, files, { cpuSeconds: FIRST_RUN_CPU_SECONDS, keepReach });
  if (failure !== undefined) throw new Error(`without any mutant, ${failure.by} fails: ${failure.why}`);
  const missing = files.filter((file) => seconds[file] === undefined);
  if (missing.length > 0) throw new Error(`did not run: ${missing.join(', ')}`);
  const kept = readKept(keepReach, bench.root);
  // What is compiled to wasm has no functions that V8 could name.
  const reach = suite.types === null ? undefined : kept.reach;
  const bound = (tests: readonly string[]) =>
    Math.ceil(PATIENCE * Math.max(...tests.map((test) => kept.cpuSeconds[test]!)));
  const outcomes = [...earlier];
  return (mutant) =>
    withMutant(bench, mutant, async () => {
      if (!(await compiles(bench, suite))) return { verdict: 'does not compile' };
      const reaching = reach && testsThatReach(reach, mutant.file, mutant.within);
      const tests = nearestFirst(mutant.file, seconds, outcomes).filter((test) => reaching?.has(test) ?? true);
      if (tests.length === 0) return { verdict: 'survived', why: 'no test calls it' };
      const cpuSeconds = Math.max(LEAST_CPU_SECONDS, bound(tests));
      const run = await runTests(bench, tests, { cpuSeconds });
      if (run.failure === undefined) return { verdict: 'survived', why: `${tests.length} test files did not notice` };
      const killed = { verdict: 'killed', ...run.failure } as const;
      outcomes.push(outcomeOf(-1, mutant, killed));
      return killed;
    });
}
