/**
 * `dejavm bisect A B`: the first moment, hart and instruction after which two runs differ, and in what. With --when:
 * see bisect-when.ts.
 */

import { codeText, shellLine } from '../../../engine/index.ts';
import { type BisectResult, bisectTraces } from '../../../replay/index.ts';
import {
  counted,
  EXIT,
  type ExitCode,
  grouped,
  hex,
  progressLine,
  table,
  UsageError,
  virtualTime,
} from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { toJson } from '../json/index.ts';
import { symbolOptions } from '../symbol-files.ts';
import { bisectConditionIn } from './bisect-when.ts';
import { openNamedTrace } from './open.ts';

export async function bisectCommand({
  args,
  flags,
  io,
}: CommandContext<'when' | 'symbols' | 'json'>): Promise<ExitCode> {
  const [first, second] = args;
  if ((second === undefined) === (flags.when === undefined)) {
    throw new UsageError("expected two traces to compare, or one and --when 'CONDITION'");
  }
  const a = openNamedTrace(first!, io);
  if (flags.when !== undefined) return await bisectConditionIn(a, flags.when, flags, io);
  const b = openNamedTrace(second!, io);
  const progress = progressLine(io);
  const result = bisectTraces(a, b, {
    symbols: symbolOptions(flags, io),
    onProgress: ({ moment, probes }) =>
      progress.show(() => `bisecting: probe ${probes + 1} at moment ${grouped(moment)}`),
  });
  progress.clear();
  if (flags.json) io.out(toJson('bisect', { a: a.path, b: b.path, ...result }));
  else io.out(`${bisectText(result)}\n`);
  if (result.identical) return EXIT.ok;
  if (result.moment !== undefined) {
    const look = (path: string) => shellLine(['dejavm', 'tui', path, '--script', `goto ${result.moment}`]);
    io.err(`dejavm: the runs differ; look there with: ${look(a.path)}\n  and: ${look(b.path)}\n`);
  }
  return EXIT.difference;
}

const MAX_DIFFERENCES = 20;

/** The result for people. */
export function bisectText(result: BisectResult): string {
  if (result.identical) return `the runs are identical${result.cause ? `: ${result.cause}` : ''}`;
  const rows: string[][] = [];
  if (result.moment !== undefined) {
    const time = result.ticks === undefined ? '' : `, ${virtualTime(result.ticks)} of virtual time`;
    rows.push(['first difference', `moment ${grouped(result.moment)}${time}`]);
  }
  if (result.hart !== undefined) rows.push(['hart', String(result.hart)]);
  if (result.pc !== undefined) rows.push(['pc', `${hex(result.pc, 8)}  ${codeText(result)}`.trimEnd()]);
  if (result.instruction !== undefined) rows.push(['instruction', result.instruction.replaceAll('\t', ' ')]);
  if (result.cause !== undefined) rows.push(['cause', result.cause]);
  rows.push(['probes', grouped(result.probes)]);
  return [table(rows), differencesText(result.differences)].join('\n').trimEnd();
}

/** Differing state as aligned rows: where, the two values, symbol, owner. */
export function differencesText(differences: BisectResult['differences']): string {
  if (differences.length === 0) return '';
  const rows = differences
    .slice(0, MAX_DIFFERENCES)
    .map((at) => [
      `  ${at.paddr === undefined ? at.where : hex(at.paddr)}`,
      hex(at.a),
      hex(at.b),
      [at.symbol, at.owner].filter((text) => text !== undefined).join(', '),
    ]);
  const more = differences.length - rows.length;
  return [
    `\n${counted(differences.length, 'difference')}:`,
    table([['  where', 'A', 'B', ''], ...rows]),
    ...(more > 0 ? [`  and ${more} more (--json lists all)`] : []),
  ].join('\n');
}
