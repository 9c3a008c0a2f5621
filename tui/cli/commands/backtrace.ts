/**
 * `dejavm backtrace TRACE -g MOMENT`: the stack of a hart at a moment, across firmware, hypervisor and guest. Relies on
 * replay/stack.
 */
import { backtrace, parseMomentText } from '../../../replay/index.ts';
import { EXIT, type ExitCode, grouped, UsageError, virtualTime } from '../../base/index.ts';
import { describeStack, stackText } from '../../panels/index.ts';
import type { CommandContext } from '../command.ts';
import { driven } from '../driven.ts';
import { toJson } from '../json/index.ts';
import { openRun } from '../symbol-files.ts';
import { travelTo } from '../travel-to.ts';
import { openNamedTrace } from './open.ts';

/** Frames that are listed unless --depth says otherwise. */
const MOST_FRAMES = 100;

type BacktraceFlag = 'moment' | 'hart' | 'depth' | 'symbols' | 'json';

export async function backtraceCommand({ args, flags, io }: CommandContext<BacktraceFlag>): Promise<ExitCode> {
  const trace = openNamedTrace(args[0]!, io);
  const run = openRun(trace, flags, io);
  const { machine, symbols } = run;
  const { harts } = machine.config;
  if (flags.hart !== undefined && flags.hart >= harts) {
    throw new UsageError(`there is no hart ${flags.hart}: this machine has harts 0 to ${harts - 1}`);
  }
  if (!(await travelTo(run, flags.moment ?? parseMomentText('end'), io))) return EXIT.interrupted;
  const hart = flags.hart ?? machine.next().hart;
  const { moment, ticks } = run.place;
  const found = await driven(
    backtrace(run, hart, symbols, flags.depth ?? MOST_FRAMES),
    io,
    (at) => `looking for the trap that led here: moment ${grouped(at.moment)}`,
  );
  if (!found.result) return EXIT.interrupted;
  const stack = describeStack(found.result, machine, symbols);
  if (flags.json) io.out(toJson('backtrace', { trace: trace.path, moment, ticks, hart, ...stack }));
  else io.out(`hart ${hart} at moment ${grouped(moment)}, ${virtualTime(ticks)}\n${stackText(stack)}\n`);
  return EXIT.ok;
}
