/**
 * Runs a property and, when it fails, says what to type: the seed and path for this suite, and for scenarios the
 * `dejavm record` command that makes the failing run again.
 */
import fc from 'fast-check';
import { shellLine } from '../engine/index.ts';
import { type Scenario, type ScenarioSoftware, scenarioCommand } from './scenario.ts';

/** How often a failing property is run again to find a smaller counterexample, unless a check says otherwise. */
const MAX_SHRINK_RUNS = 200;

/** How this suite is started, when its check said so. */
let suite: string | undefined;

/**
 * Says how a suite is started whose failures are to be reproduced so: `npx vitest run --project property`. The printed
 * command has `-t` and the test's name behind it. Without it, the command is that of the test runner that is at work.
 */
export function setSuiteCommand(command: string): void {
  suite = command;
}

export interface CheckOptions<T> {
  /** The test's name: the printed command selects it by this. */
  readonly name: string;
  readonly runs: number;
  /** How a counterexample is reproduced outside the suite. */
  readonly reproduce?: (value: T) => string;
  /**
   * False: the first counterexample is reported as drawn. Shrinking takes about as long as the runs that it repeats.
   */
  readonly shrink?: boolean;
  /**
   * Runs spent on shrinking; the smallest counterexample found by then is reported. A count, so that a busy host finds
   * the same.
   */
  readonly maxShrinkRuns?: number;
}

/** @throws Error with the shrunk counterexample and its reproducers when the property does not hold. */
export async function check<T>(
  options: CheckOptions<T>,
  arbitrary: fc.Arbitrary<T>,
  holds: (value: T) => void | Promise<void>,
): Promise<void> {
  const numRuns = Number(process.env.FC_RUNS ?? options.runs);
  const maxShrinkRuns = options.maxShrinkRuns ?? MAX_SHRINK_RUNS;
  let shrinkRuns = 0;
  let failing = false;
  const property = fc.asyncProperty(arbitrary, async (value) => {
    // What is not run counts as passing: the shrinker then has nothing smaller left and ends.
    if (failing && ++shrinkRuns > maxShrinkRuns) return;
    try {
      await holds(value);
    } catch (error) {
      failing = true;
      throw error;
    }
  });
  const { FC_SEED, FC_PATH } = process.env;
  const seed = Number(FC_SEED ?? 0xde7a);
  const result = await fc.check(property, {
    numRuns,
    seed,
    ...(FC_PATH === undefined ? {} : { path: FC_PATH }),
    endOnFailure: options.shrink === false,
  });
  if (result.failed) throw new Error(failureText(options, result));
}

export interface ScenarioCheckOptions extends Omit<CheckOptions<Scenario>, 'reproduce'> {
  /** What the scenarios run, where it is not the embedded images: for the printed command. */
  readonly software?: ScenarioSoftware;
}

/** A property over scenarios. */
export function checkScenarios(
  { software, ...options }: ScenarioCheckOptions,
  arbitrary: fc.Arbitrary<Scenario>,
  holds: (scenario: Scenario) => void | Promise<void>,
): Promise<void> {
  const reproduce = (scenario: Scenario) => scenarioCommand(scenario, software);
  return check({ ...options, reproduce }, arbitrary, holds);
}

function failureText<T>(options: CheckOptions<T>, result: fc.RunDetails<[T]>): string {
  if (result.counterexample === null) return `${options.name}: no value could be drawn in ${result.numSkips} attempts`;
  const [value] = result.counterexample;
  const error = result.errorInstance;
  const again = `FC_SEED=${result.seed} FC_PATH=${result.counterexamplePath}`;
  return [
    `${options.name}: fails after ${result.numRuns} runs and ${result.numShrinks} shrinks`,
    `counterexample: ${fc.stringify(value)}`,
    `error: ${error instanceof Error ? error.message : String(error)}`,
    `reproduce: ${again} ${testCommand(options.name)}`,
    ...(options.reproduce ? [`or:        ${options.reproduce(value)}`] : []),
  ].join('\n');
}

/** Runs the test of this name once more, from the folder that this process was started in. */
function testCommand(name: string): string {
  const { VITEST, JEST_WORKER_ID, NODE_TEST_CONTEXT } = process.env;
  const pattern = name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const runner = suite ?? (VITEST ? 'npx vitest run' : JEST_WORKER_ID ? 'npx jest' : undefined);
  if (runner) return `${runner} ${shellLine(['-t', pattern])}`;
  const selects = NODE_TEST_CONTEXT ? [`--test-name-pattern=${pattern}`] : [];
  return shellLine(['node', ...selects, ...process.execArgv, ...process.argv.slice(1)]);
}
