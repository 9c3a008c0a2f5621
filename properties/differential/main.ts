/**
 * `npm run test:differential -- [--cases N] [--seed S] [--only I] [--failures N] [--retired N]`: compares our machine with
 * Debian's qemu-system-riscv64 on generated cases, shrinks what differs, and prints it with the command that shows it
 * again. With --retired it compares nothing and says how much of what is drawn runs.
 */
import { parseArgs } from 'node:util';
import { UserError } from '../../engine/index.ts';
import { compare } from './compare.ts';
import { retiredShares } from './retired.ts';

const DEFAULT_CASES = 10_000;

function wholeNumber(text: string, flag: string): number {
  if (!/^\d+$/.test(text)) throw new UserError(`--${flag} ${text}: expected a whole number`);
  return Number(text);
}

function main(): number {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: String(DEFAULT_CASES) },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      failures: { type: 'string', default: '3' },
      retired: { type: 'string' },
    },
  });
  if (values.retired !== undefined) {
    const lines = retiredShares(wholeNumber(values.seed, 'seed'), wholeNumber(values.retired, 'retired'));
    process.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  }
  const outcome = compare({
    cases: wholeNumber(values.cases, 'cases'),
    seed: wholeNumber(values.seed, 'seed'),
    only: values.only === undefined ? undefined : wholeNumber(values.only, 'only'),
    maxFailures: wholeNumber(values.failures, 'failures'),
    log: (line) => process.stdout.write(`${line}\n`),
  });
  return outcome.failures.length === 0 ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
