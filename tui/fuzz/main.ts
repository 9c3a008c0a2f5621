/**
 * `npm run test:fuzz -- [--cases N] [--seed S|random] [--only I] [--kind K] [--failures N] [--keep FILE] [--expect
 * CODES]`: gives the command line traces, campaigns' databases and plans, executables, kernels and device trees that
 * were changed, checksums made right again, and prints what it neither uses nor refuses in words, with the command that
 * shows it again; --keep appends the same to a file. --kind: only the cases of one kind of file. --expect: the exit
 * codes that are fine, 0,1,2,3 unless given; with fewer it shows what is refused, and how. Exit status 0: nothing
 * found; 1: something found; 2: wrong arguments; 4: an error of this program.
 */
import { randomInt } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../base/errors.ts';
import { EXIT } from '../base/exit-codes.ts';
import { fuzzBounded } from './bounded.ts';
import type { Tally } from './fuzz.ts';
import { KINDS } from './kinds.ts';

/** What a file may come to, unless said otherwise. */
const DOCUMENTED: readonly number[] = [EXIT.ok, EXIT.difference, EXIT.usage, EXIT.damaged];
const DEFAULT_CASES = 1_000;
const RANDOM_SEEDS = 1_000_000;

function wholeNumber(text: string, flag: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${flag} ${text}: expected a whole number`);
  return Number(text);
}

/** Appends what was found. @throws UsageError when the file cannot be written. */
function keep(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    appendFileSync(file, text);
  } catch (error) {
    throw new UsageError(`--keep ${file}: cannot be written (${(error as Error).message})`);
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: String(DEFAULT_CASES) },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      kind: { type: 'string' },
      failures: { type: 'string', default: '3' },
      keep: { type: 'string' },
      expect: { type: 'string' },
    },
  });
  const seed = values.seed === 'random' ? randomInt(RANDOM_SEEDS) : wholeNumber(values.seed, 'seed');
  const only = values.only === undefined ? undefined : wholeNumber(values.only, 'only');
  const expected = values.expect?.split(',').map((code) => wholeNumber(code, 'expect')) ?? DOCUMENTED;
  const cases = wholeNumber(values.cases, 'cases');
  const maxFindings = wholeNumber(values.failures, 'failures');
  const { kind } = values;
  if (kind !== undefined && !KINDS.some((name) => name === kind)) {
    throw new UsageError(`--kind ${kind}: expected one of ${KINDS.map((name) => `'${name}'`).join(', ')}`);
  }
  // A file that cannot be written is known before the work begins.
  if (values.keep !== undefined) keep(values.keep, '');
  process.stdout.write(`seed ${seed}\n`);
  let found = 0;
  const tally = await fuzzBounded({
    seed,
    expected,
    ...(only === undefined ? { from: 0, to: cases } : { from: only, to: only + 1 }),
    ...(kind !== undefined && { kind }),
    maxFindings,
    onFinding({ n, text }) {
      found++;
      const codes = values.expect === undefined ? '' : ` --expect ${values.expect}`;
      const told = `${text}\n  reproduce with: npm run test:fuzz -- --seed ${seed} --only ${n}${codes}\n\n`;
      process.stdout.write(told);
      if (values.keep !== undefined) keep(values.keep, told);
    },
  });
  process.stdout.write(tallyText(tally));
  return found === 0 ? 0 : 1;
}

/** A line for each kind of file: how often each exit code came out. */
function tallyText(tally: Tally): string {
  const line = ([subject, counts]: [string, Tally[string]]) => {
    const of = (code: string) => (code === '-1' ? 'not a file' : `exit code ${code}`);
    return `${subject}: ${Object.entries(counts)
      .map(([code, count]) => `${count} × ${of(code)}`)
      .join(', ')}\n`;
  };
  return Object.entries(tally).map(line).join('');
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  process.stderr.write(`${isUsage ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = isUsage ? 2 : 4;
}
