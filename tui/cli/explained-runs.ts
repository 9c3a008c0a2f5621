/**
 * The two runs that an explanation compares, when only one name is given: a campaign's row is recorded again, with its
 * fault and without; for a trace, the command that records the run without.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shellLine } from '../../engine/index.ts';
import { parseRowReference, recordRow } from '../../properties/index.ts';
import type { Trace } from '../../traces/index.ts';
import { grouped, type Io, progressLine, UsageError } from '../base/index.ts';

/** A row of a campaign's database. */
export type RowReference = NonNullable<ReturnType<typeof rowNamed>>;

/** What RESULTS#ROW names; undefined: it is the name of a trace. */
export const rowNamed = (name: string): { readonly path: string; readonly id: number } | undefined =>
  parseRowReference(name);

/** Ctrl-C, where only an error gets out. */
class Stopped extends Error {}

/**
 * Records a row with its fault and without, and gives the paths of both traces to `use`. They are in `keep`, which is
 * made if need be, or in a folder that is gone when this ends, however it does.
 * @returns what `use` does; undefined: Ctrl-C came while it was being recorded
 * @throws as recordRow
 */
export async function recordedAgain<R>(
  { path, id }: RowReference,
  keep: string | undefined,
  io: Io,
  use: (faulted: string, golden: string) => Promise<R>,
): Promise<R | undefined> {
  if (keep !== undefined) makeFolder(keep);
  const folder = keep ?? mkdtempSync(join(tmpdir(), 'dejavm-explain-'));
  // Held for as long as the folder is there: who dies of a signal leaves it behind.
  let interrupted = false;
  const release = io.onInterrupt(() => {
    interrupted = true;
  });
  const progress = progressLine(io);
  try {
    progress.show(() => `row ${id}: booting, and running without its fault`);
    const onProgress = (moment: number) => {
      if (interrupted) throw new Stopped();
      progress.show(() => `recording row ${id}: moment ${grouped(moment)}`);
    };
    const { faulted, golden } = await recordRow(path, id, folder, { onProgress });
    progress.clear();
    return interrupted ? undefined : await use(faulted.path, golden.path);
  } catch (error) {
    if (error instanceof Stopped) return undefined;
    throw error;
  } finally {
    progress.clear();
    release();
    if (keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** Only the last part of the path: Node never ends making parents in /proc. @throws UsageError when it cannot be */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'the folder that it would be in does not exist' : `${code}`;
    throw new UsageError(`--keep ${path}: expected a folder, or a name for a new one; it cannot be made: ${why}`);
  }
}

/** Says that a golden run is needed, and how this trace's is recorded, as far as its own command line tells. */
export function withoutFaultHint({ path, header }: Trace): string {
  const expected = `expected --golden GOLDEN: a recording of the same run as ${path} without what went wrong`;
  const [program, verb, ...rest] = header.commandLine;
  if (verb === 'inject') {
    const words = without(rest, ['--record', '--golden']);
    return `${expected}; record it with: ${shellLine([program!, verb, ...words, '--golden', 'golden.djvm'])}`;
  }
  if (verb === 'record' && rest.some((word) => word.startsWith('--fault'))) {
    const words = without(rest, ['--fault', '--out', '-o']);
    return `${expected}; record it with: ${shellLine([program!, verb, ...words, '-o', 'golden.djvm'])}`;
  }
  return `${expected}; of an injection it is made by: dejavm inject RESULTS#ROW --record faulted.djvm --golden golden.djvm`;
}

/** The words of a command line without these options, which take a value, and their values. */
function without(words: readonly string[], options: readonly string[]): string[] {
  const kept: string[] = [];
  for (let n = 0; n < words.length; n++) {
    const word = words[n]!;
    if (options.includes(word)) n++;
    else if (!options.some((option) => option.startsWith('--') && word.startsWith(`${option}=`))) kept.push(word);
  }
  return kept;
}
