import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

/** What one run of the tests came to; `judge.ts` reads it. */
export interface TestRun {
  /** Test files that passed, with the seconds that each took. */
  readonly seconds: Record<string, number>;
  /** The first thing that failed: `file > test`, and the first line of why. */
  readonly failure?: { readonly by: string; readonly why: string };
}

const firstLine = (error: SerializedError | { message: string } | undefined) => error?.message?.split('\n')[0] ?? '';

/** Writes the run to the file that MUTATION_RUN names. */
export default class MutationReporter implements Reporter {
  private failure: TestRun['failure'];

  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === 'failed')
      this.fail(`${test.module.relativeModuleId} > ${test.fullName}`, firstLine(result.errors[0]));
  }

  onTestModuleEnd(module: TestModule): void {
    const [error] = module.errors();
    if (error !== undefined) this.fail(`${module.relativeModuleId} > (the file)`, firstLine(error));
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    if (errors[0] !== undefined) {
      const running = modules.find((module) => module.state() === 'pending' || module.state() === 'queued');
      this.fail(`${running?.relativeModuleId ?? modules[0]?.relativeModuleId} > (the process)`, firstLine(errors[0]));
    }
    const seconds: Record<string, number> = {};
    for (const module of modules) {
      const { collectDuration, duration, environmentSetupDuration, prepareDuration, setupDuration } =
        module.diagnostic();
      const all = collectDuration + duration + environmentSetupDuration + prepareDuration + setupDuration;
      if (module.state() === 'passed') seconds[module.relativeModuleId] = Math.ceil(all / 100) / 10;
    }
    const run: TestRun = { seconds, ...(this.failure && { failure: this.failure }) };
    writeFileSync(process.env.MUTATION_RUN!, JSON.stringify(run));
  }

  private fail(by: string, why: string): void {
    this.failure ??= { by, why };
  }
}
