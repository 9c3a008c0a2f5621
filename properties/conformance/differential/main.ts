/**
 * `npm run test:differential -- [--cases N] [--seed S|random] [--only I] [--failures N] [--keep FILE] [--retired N]`:
 * compares our machine with Debian's qemu-system-riscv64 on generated cases, shrinks what differs, and prints it with
 * the command that shows it again; --keep appends the same to a file. With --retired it compares nothing and says how
 * much of what is drawn runs. Exit status 0: all agree; 1: a difference; 2: QEMU is missing or the arguments are wrong;
 * 4: an error of this program or of the engine, such as a case that does not run the same way twice.
 */
import { randomInt } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { UserError } from '../../../engine/index.ts';
import { compare } from './compare.ts';
import { retiredShares } from './retired.ts';

const DEFAULT_CASES = 10_000;
const RANDOM_SEEDS = 1_000_000;

function wholeNumber(text: string, flag: string): number {
  if (!/^\d+$/.test(text)) throw new UserError(`--${flag} ${text}: expected a whole number`);
  return Number(text);
}

/**
 * Appends what was found, each with the command that shows it again. @throws UserError when the file cannot be written.
 */
function keep(file: string, findings: readonly string[]): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    appendFileSync(file, findings.map((text) => `${text}\n\n`).join(''));
  } catch (error) {
    throw new UserError(`--keep ${file}: cannot be written (${(error as Error).message})`);
  }
}

function main(): number {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: String(DEFAULT_CASES) },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      failures: { type: 'string', default: '3' },
      keep: { type: 'string' },
      retired: { type: 'string' },
    },
  });
  const seed = values.seed === 'random' ? randomInt(RANDOM_SEEDS) : wholeNumber(values.seed, 'seed');
  if (values.retired !== undefined) {
    const lines = retiredShares(seed, wholeNumber(values.retired, 'retired'));
    process.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  }
  process.stdout.write(`seed ${seed}\n`);
  // A file that cannot be written is known before the work begins.
  if (values.keep !== undefined) keep(values.keep, []);
  const outcome = compare({
    cases: wholeNumber(values.cases, 'cases'),
    seed,
    only: values.only === undefined ? undefined : wholeNumber(values.only, 'only'),
    maxFailures: wholeNumber(values.failures, 'failures'),
    log: (line) => process.stdout.write(`${line}\n`),
  });
  if (values.keep !== undefined) keep(values.keep, outcome.failures);
  return outcome.failures.length === 0 ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  const isUsage = error instanceof UserError || (error instanceof TypeError && 'code' in error);
  process.stderr.write(`${isUsage ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = isUsage ? 2 : 4;
}
