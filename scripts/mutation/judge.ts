/** Runs the tests on the copy as it is, and says what killed it, if anything did. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runBounded } from './bounded.ts';
import type { TestRun } from './reporter.ts';
import type { Workbench } from './workbench.ts';

/** More than any test file needs, by far. */
const MEMORY_BYTES = 6 * 2 ** 30;

/**
 * Runs test files in the given order until the first one fails.
 * @param cpuSeconds bound of each file's process
 * @param keepReach runs all of them, and keeps in this folder which functions each calls
 * @throws Error when the tests did not run at all
 */
export async function runTests(
  bench: Workbench,
  files: readonly string[],
  { cpuSeconds, keepReach }: { cpuSeconds: number; keepReach?: string },
): Promise<TestRun> {
  const report = join(bench.root, 'dist/mutation-run.json');
  rmSync(report, { force: true });
  const vitest = [process.execPath, 'node_modules/vitest/vitest.mjs', 'run', '--root', '.'];
  const command = [...vitest, '--config', 'scripts/mutation/vitest.config.ts', ...(keepReach ? [] : ['--bail', '1'])];
  const ended = await runBounded(command, {
    cwd: bench.root,
    env: { MUTATION_TESTS: files.join(','), MUTATION_RUN: report, ...(keepReach && { MUTATION_REACH: keepReach }) },
    bounds: { cpuSeconds, memoryBytes: MEMORY_BYTES },
  });
  if (ended.ended !== undefined)
    return { seconds: {}, failure: { by: `${files[0]} > (the process)`, why: ended.ended } };
  if (!existsSync(report)) throw new Error(`the tests did not run:\n${ended.output}`);
  return JSON.parse(readFileSync(report, 'utf8')) as TestRun;
}
