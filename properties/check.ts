/**
 * Runs a property and, when it fails, says what to type: the seed and path for this suite, and for scenarios the
 * `dejavm record` command that makes the failing run again.
 */
import fc from 'fast-check';
import { quote, type Scenario, type ScenarioSoftware, scenarioCommand } from './scenario.ts';

/** Within the time that vitest gives a property; when more runs are asked for there is none. */
const TIME_LIMIT_MS = 45_000;

export interface CheckOptions<T> {
  /** The test's name: the printed command selects it by this. */
  readonly name: string;
  readonly runs: number;
  /** How a counterexample is reproduced outside the suite. */
  readonly reproduce?: (value: T) => string;
  /** False: the first counterexample is reported as drawn. Shrinking takes about as long as the runs that it repeats. */
  readonly shrink?: boolean;
  /** Host time for drawing and shrinking; what has been found by then is reported. */
  readonly timeLimitMs?: number;
}

/** @throws Error with the shrunk counterexample and its reproducers when the property does not hold. */
export async function check<T>(
  options: CheckOptions<T>,
  arbitrary: fc.Arbitrary<T>,
  holds: (value: T) => void | Promise<void>,
): Promise<void> {
  const numRuns = Number(process.env.FC_RUNS ?? options.runs);
  const property = fc.asyncProperty(arbitrary, async (value) => {
    await holds(value);
  });
  const { FC_SEED, FC_PATH } = process.env;
  const seed = Number(FC_SEED ?? 0xde7a);
  const timeLimitMs = options.timeLimitMs ?? TIME_LIMIT_MS;
  const result = await fc.check(property, {
    numRuns,
    seed,
    ...(FC_PATH === undefined ? {} : { path: FC_PATH }),
    endOnFailure: options.shrink === false,
    ...(process.env.FC_RUNS ? {} : { interruptAfterTimeLimit: timeLimitMs, markInterruptAsFailure: true }),
  });
  if (result.failed) throw new Error(failureText(options, timeLimitMs, result));
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

function failureText<T>(options: CheckOptions<T>, timeLimitMs: number, result: fc.RunDetails<[T]>): string {
  if (result.counterexample === null) {
    return `${options.name}: only ${result.numRuns} runs in ${timeLimitMs / 1000} s, no counterexample; draw fewer`;
  }
  const [value] = result.counterexample;
  const error = result.errorInstance;
  const again = `FC_SEED=${result.seed} FC_PATH=${result.counterexamplePath}`;
  return [
    `${options.name}: fails after ${result.numRuns} runs and ${result.numShrinks} shrinks`,
    `counterexample: ${fc.stringify(value)}`,
    `error: ${error instanceof Error ? error.message : String(error)}`,
    `reproduce: ${again} npx vitest run --project property -t ${quote(options.name)}`,
    ...(options.reproduce ? [`or:        ${options.reproduce(value)}`] : []),
  ].join('\n');
}
