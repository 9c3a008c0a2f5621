/**
 * `node scripts/mutation/main.ts FOLDER [--seed 1] [--sample 200] [--from N] [--to M] [--results FILE] [--list]`: would
 * the tests notice a fault? Draws a sample of small changes of a folder's sources, tries each in a copy of the
 * repository, and prints which test notices it or that none does, then the share that was noticed with Wilson's 95 %
 * interval. Every outcome is appended to --results (JSON lines) at once, and the same command goes on where it ended.
 * Draws are numbered from 0; --from and --to bound them. --list prints the draws and tries none.
 *
 * Not Stryker: it cannot compile AssemblyScript, which holds the privileged architecture, and it has no sampling.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endCurrent } from './bounded.ts';
import { openResults, outcomeLine, score, scoreLine } from './results.ts';
import { judgeRange, type Range, suiteJudge } from './run.ts';
import { drawn, enumerate, type Mutant, productSources, sourcesDigest } from './sample.ts';
import { suiteOf } from './suites.ts';
import { openWorkbench } from './workbench.ts';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

interface Options extends Range {
  readonly folder: string;
  readonly seed: number;
  readonly results: string;
  readonly list: boolean;
}

/** @throws RangeError or TypeError for arguments that say nothing. */
function readOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const options = { seed: text, sample: text, from: text, to: text, results: text, list: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [folder, ...more] = positionals.map((name) => name.replace(/\/$/, ''));
  if (folder === undefined || more.length > 0) throw new RangeError('expected one folder, as engine/machine');
  const number = (name: 'seed' | 'sample' | 'from' | 'to', otherwise: number) => {
    const value = values[name] ?? String(otherwise);
    if (!/^\d{1,9}$/.test(value)) throw new RangeError(`--${name} ${value}: expected a whole number`);
    return Number(value);
  };
  const seed = number('seed', 1);
  return {
    folder,
    seed,
    sample: number('sample', 200),
    from: number('from', 0),
    to: number('to', 999_999_999),
    results: values.results ?? `${root}/mutation-results/${folder.replaceAll('/', '-')}-seed-${seed}.jsonl`,
    list: values.list ?? false,
  };
}

async function main(options: Options): Promise<void> {
  const { folder, seed, results } = options;
  const suite = suiteOf(folder);
  const sources = productSources(root, folder);
  const all = enumerate(sources, suite.language);
  const draws = drawn(all, BigInt(seed));
  if (options.list) return list(draws, options);
  const sampled = { folder, seed, sources: sourcesDigest(sources), candidates: all.length };
  const earlier = openResults(results, sampled);
  process.stdout.write(
    `${all.length} mutants in ${sources.size} files; ${earlier.length} judged before, in ${results}\n`,
  );
  const leave = () => {
    endCurrent();
    process.exit(130);
  };
  process.once('SIGINT', leave).once('SIGTERM', leave);
  const bench = await openWorkbench(root);
  try {
    const judge = await suiteJudge(bench, suite, earlier);
    const tell = (outcome: Parameters<typeof outcomeLine>[0]) => process.stdout.write(`${outcomeLine(outcome)}\n`);
    const outcomes = await judgeRange(results, draws, earlier, options, judge, tell);
    process.stdout.write(`${scoreLine(folder, score(outcomes))}\n`);
  } finally {
    bench.close();
  }
}

function list(draws: readonly Mutant[], { from, to, sample }: Range): void {
  for (let draw = from; draw < Math.min(to, from + sample, draws.length); draw++) {
    const { file, line, column, operator, original, replacement } = draws[draw]!;
    process.stdout.write(`${draw} ${file}:${line}:${column} ${operator}: ${original} → ${replacement}\n`);
  }
}

try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  const usage = error instanceof RangeError || error instanceof TypeError;
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = usage ? 2 : 4;
}
