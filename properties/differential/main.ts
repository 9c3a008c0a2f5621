/**
 * `npm run test:differential -- [--cases N] [--seed S] [--only I] [--keep-going]`: compares our machine with Debian's
 * qemu-system-riscv64 on generated cases, shrinks what differs, and prints it with the command that shows it again.
 */
import { parseArgs } from 'node:util';
import { UserError } from '../../engine/index.ts';
import { compare } from './compare.ts';

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
    },
  });
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
