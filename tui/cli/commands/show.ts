/** `dejavm show TRACE -g MOMENT WHAT…`: the state of the machine at a moment, as text or JSON. */

import { parseMomentText } from '../../../replay/index.ts';
import { EXIT, type ExitCode } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { toJson } from '../json/index.ts';
import { collect, parseRequest, showText } from '../show/index.ts';
import { openRun } from '../symbol-files.ts';
import { travelTo } from '../travel-to.ts';
import { openNamedTrace } from './open.ts';

/** Registers are set in columns up to this width. */
const MOST_COLUMNS = 120;

export async function showCommand({
  args,
  flags,
  io,
}: CommandContext<'moment' | 'hart' | 'bytes' | 'symbols' | 'json'>): Promise<ExitCode> {
  const [name, ...words] = args;
  const request = parseRequest(words);
  const trace = openNamedTrace(name!, io);
  const travel = openRun(trace, flags, io);
  const moment = flags.moment ?? parseMomentText('end');
  if (!(await travelTo(travel, moment, io))) return EXIT.interrupted;
  const context = { machine: travel.machine, symbols: travel.symbols };
  const shown = collect(context, moment.here, request, flags);
  if (flags.json) io.out(toJson('show', { trace: trace.path, ...shown }));
  else {
    const columns = Math.min(io.stdout.columns ?? MOST_COLUMNS, MOST_COLUMNS);
    io.out(`${showText(shown, context, request.parts, columns)}\n`);
  }
  return EXIT.ok;
}
