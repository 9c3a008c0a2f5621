import { BaseSequencer, type TestSpecification } from 'vitest/node';
import base from '../../vitest.config.ts';

/** The files that judge a mutant, in order; from `judge.ts`. */
const files = (process.env.MUTATION_TESTS ?? '').split(',');

/** Runs the files one after another in the order given. */
class GivenOrder extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => files.findIndex((file) => moduleId.endsWith(`/${file}`));
    return specifications.sort((a, b) => place(a) - place(b));
  }
}

/**
 * For `vitest run` on a mutant: the tests of the root's configuration, one process per file, so that the bound on a
 * process's CPU time is one for each file.
 */
export default {
  test: {
    ...base.test,
    reporters: ['./scripts/mutation/reporter.ts'],
    setupFiles: ['./scripts/mutation/reach.setup.ts'],
    maxWorkers: 1,
    sequence: { sequencer: GivenOrder },
    projects: ['unit', 'slow'].map((name) => ({
      extends: true,
      test: { name, pool: 'forks', include: files.filter((file) => file.includes('.slow.') === (name === 'slow')) },
    })),
  },
};
