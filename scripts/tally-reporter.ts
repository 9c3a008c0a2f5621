import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Prints `tests: N passed, N failed, N skipped` as one plain last line that CI can add up. */
export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const tally = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      tally.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') tally.passed++;
        else if (state === 'failed') tally.failed++;
        else tally.skipped++;
      }
    }
    process.once('exit', () => {
      process.stdout.write(`tests: ${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped\n`);
    });
  }
}
