/**
 * `--symbols`: reads the files that it names, and opens runs with them. Damaged debug information is told when it is
 * come upon, a line each.
 */
import { basename } from 'node:path';
import { checkSymbolFile, type SymbolFile, type SymbolOptions } from '../../engine/index.ts';
import { openTimeline, type TraceTimeline } from '../../replay/index.ts';
import type { Trace } from '../../traces/index.ts';
import { type Io, type NamedSymbols, readInputFile } from '../base/index.ts';

/** As large as a Linux kernel with all of its debug information, twice. */
const MAX_FILE_BYTES = 1024 * 1024 * 1024;

/** The flag's value. */
export interface SymbolFlags {
  readonly symbols?: readonly NamedSymbols[] | undefined;
}

/**
 * What symbols come from besides the images. `io`: where damage is told; undefined: nowhere, as on a screen.
 * @throws UsageError for a file that cannot be read, UserError for one that has nothing to tell
 */
export function symbolOptions({ symbols = [] }: SymbolFlags, io: Io | undefined): SymbolOptions {
  const files = symbols.map(({ path, ...place }): SymbolFile => {
    const bytes = readInputFile(`--symbols ${path}`, path, MAX_FILE_BYTES);
    const file = { image: { name: basename(path), bytes }, ...place };
    checkSymbolFile(file, '--symbols');
    return file;
  });
  const onProblem = (line: string) => io?.err(`dejavm: warning: debug information of ${line}\n`);
  return { files, ...(io && { onProblem }) };
}

/** Opens a run with the symbols that the command line names. @throws as symbolOptions and openTimeline do */
export function openRun(trace: Trace, flags: SymbolFlags, io: Io): TraceTimeline {
  return openTimeline(trace, symbolOptions(flags, io));
}
