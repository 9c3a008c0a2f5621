/**
 * Runs a property and, when it fails, says what to type: the seed and path for this suite, and for scenarios the
 * `dejavm record` command that makes the failing run again.
 */
import fc from 'fast-check';
import { type Scenario, scenarioCommand } from './scenario.ts';

export interface CheckOptions<T> {
  readonly name: string;
  readonly runs: number;
  /** How a counterexample is reproduced outside the suite. */
  readonly reproduce?: (value: T) => string;
}

/** @throws Error with the shrunk counterexample and its reproducers when the property does not hold. */
export function check<T>(options: CheckOptions<T>, arbitrary: fc.Arbitrary<T>, holds: (value: T) => void): void {
  const numRuns = Number(process.env.FC_RUNS ?? options.runs);
  const result = fc.check(fc.property(arbitrary, holds), { numRuns, seed: fc.readConfigureGlobal().seed ?? 0xde7a });
  if (result.failed) throw new Error(failureText(options, result));
}

/** A property over scenarios. */
export function checkScenarios(
  options: Omit<CheckOptions<Scenario>, 'reproduce'>,
  arbitrary: fc.Arbitrary<Scenario>,
  holds: (scenario: Scenario) => void,
): void {
  check({ ...options, reproduce: scenarioCommand }, arbitrary, holds);
}

function failureText<T>(options: CheckOptions<T>, result: fc.RunDetails<[T]>): string {
  const value = result.counterexample?.[0] as T;
  const error = result.errorInstance;
  return [
    `${options.name}: fails after ${result.numRuns} runs and ${result.numShrinks} shrinks`,
    `counterexample: ${fc.stringify(value)}`,
    `error: ${error instanceof Error ? error.message : String(error)}`,
    `reproduce: FC_SEED=${result.seed} FC_PATH=${result.counterexamplePath} npx vitest run --project property -t '${options.name}'`,
    ...(options.reproduce ? [`or:        ${options.reproduce(value)}`] : []),
  ].join('\n');
}
