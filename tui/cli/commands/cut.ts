/**
 * `dejavm cut TRACE --from A --to B`: a part of a recording as a smaller trace that replays by itself. Relies on
 * replay/cut; says how much smaller it is.
 */
import { shellLine } from '../../../engine/index.ts';
import { cutTrace, defaultTracePaths } from '../../../replay/index.ts';
import { byteSize, counted, EXIT, type ExitCode, grouped, UsageError } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { driven } from '../driven.ts';
import { toJson } from '../json/index.ts';
import { openRun } from '../symbol-files.ts';
import { travelToStretch } from '../travel-to.ts';
import { openNamedTrace } from './open.ts';

export async function cutCommand({
  args,
  flags,
  io,
}: CommandContext<'from' | 'to' | 'out' | 'symbols' | 'json'>): Promise<ExitCode> {
  if (!flags.from && !flags.to) throw new UsageError('expected where to cut: --from, --to or both');
  const trace = openNamedTrace(args[0]!, io);
  const run = openRun(trace, flags, io);
  const to = await travelToStretch(run, flags, io);
  if (!to) return EXIT.interrupted;
  const cutting = cutTrace(run, { from: run.place, to, path: flags.out ?? defaultTracePaths('cut') });
  const last = grouped(to.moment);
  const { result, interrupted } = await driven(cutting, io, ({ moment }) => `cutting: ${grouped(moment)} of ${last}`);
  if (!result) {
    if (interrupted) io.err('dejavm: stopped by Ctrl-C: nothing was cut\n');
    return EXIT.interrupted;
  }
  if (flags.json) io.out(toJson('cut', { trace: trace.path, wholeBytes: trace.sizeBytes, ...result }));
  else {
    const marks = result.bookmarks === 0 ? '' : ` and ${counted(result.bookmarks, 'bookmark')}`;
    io.out(
      `moments ${grouped(result.from.moment)} to ${grouped(result.to.moment)} of ${trace.path}${marks} are in ` +
        `${result.path}: ${byteSize(result.bytes)} of ${byteSize(trace.sizeBytes)}\n`,
    );
  }
  if (result.bytes >= trace.sizeBytes) {
    io.err('dejavm: it is no smaller: the state that it begins with takes more than what was left out\n');
  }
  io.err(`dejavm: replay it with: ${shellLine(['dejavm', 'replay', result.path])}\n`);
  return EXIT.ok;
}
