/**
 * `dejavm replay TRACE`: runs a trace again and compares; with `-g MOMENT`, goes there and says where the machine is.
 */

import { shellLine, trapLoops } from '../../../engine/index.ts';
import { type MomentExpression, openTimeline, type ReplayResult, replayTrace } from '../../../replay/index.ts';
import type { Trace } from '../../../traces/index.ts';
import { counted, EXIT, type ExitCode, grouped, hex, type Io, progressLine, UsageError } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { toJson } from '../json/index.ts';
import { trapLoopLines } from '../trap-loops.ts';
import { travelTo } from '../travel-to.ts';
import { placeText, whereIs } from '../where.ts';
import { differencesText } from './bisect.ts';
import { runLimits } from './limits.ts';
import { openNamedTrace } from './open.ts';

export async function replayCommand({
  args,
  flags,
  io,
}: CommandContext<'moment' | 'fromCheckpoint' | 'maxMoment' | 'maxTime' | 'json'>): Promise<ExitCode> {
  const trace = openNamedTrace(args[0]!, io);
  if (flags.moment !== undefined) return await goThere(trace, flags.moment, flags.json, io);
  const from = flags.fromCheckpoint;
  if (from !== undefined && from >= trace.checkpoints.length) {
    const last = trace.checkpoints.length - 1;
    throw new UsageError(`${trace.path} has no checkpoint ${from}: the last one is ${last}`);
  }
  const result = replayWithProgress(trace, io, runLimits(flags), from);
  if (flags.json) io.out(toJson('replay', { trace: trace.path, ...result }));
  else io.out(`${replayText(result, trace)}\n`);
  if (result.ok) return EXIT.ok;
  const start = from === undefined ? [] : ['--from-checkpoint', String(from)];
  io.err(`dejavm: ${trace.path} diverged; reproduce with: ${shellLine(['dejavm', 'replay', trace.path, ...start])}\n`);
  return EXIT.difference;
}

/** Replays from the beginning or a checkpoint, up to a limit, showing how far it is on a terminal. */
export function replayWithProgress(
  trace: Trace,
  io: Io,
  limits: ReturnType<typeof runLimits>,
  fromCheckpoint?: number,
): ReplayResult {
  const progress = progressLine(io);
  const last = Math.max(1, trace.last.moment);
  const result = replayTrace(trace, {
    until: limits.maxMoment,
    ...(limits.maxTicks !== undefined && { untilTicks: limits.maxTicks }),
    ...(fromCheckpoint !== undefined && { fromCheckpoint }),
    onProgress: (moment) =>
      progress.show(() => `replaying: ${grouped(moment)} of ${grouped(last)}, ${Math.floor((moment / last) * 100)}%`),
  });
  progress.clear();
  return result;
}

/** The outcome for people: agreement, or where it ends and what differs there. */
export function replayText(result: ReplayResult, trace: Trace): string {
  const compared = counted(result.digestsCompared, 'digest');
  const { divergence } = result;
  if (!divergence) {
    const more = result.complete ? '' : `; the recording goes on to moment ${grouped(trace.last.moment)}`;
    return `replay agrees: ${compared} compared up to moment ${grouped(result.end.moment)}${more}`;
  }
  const { agreedAt, differsAt, what, expected, actual, vms, differencesAt } = divergence;
  return [
    `replay DIVERGES after moment ${grouped(agreedAt.moment)} and not later than ${grouped(differsAt.moment)}`,
    `  ${what}: recorded ${hex(expected)}, this run ${hex(actual)}; ${compared} agreed before`,
    ...(vms.length > 0 ? [`  memory is not as recorded in VM ${vms.join(', ')}`] : []),
    ...(differencesAt ? [`  what differs at the checkpoint at moment ${grouped(differencesAt.moment)}:`] : []),
    differencesText(divergence.differences),
  ]
    .join('\n')
    .trimEnd();
}

async function goThere(trace: Trace, moment: MomentExpression, json: boolean, io: Io): Promise<ExitCode> {
  const travel = openTimeline(trace);
  if (!(await travelTo(travel, moment, io))) return EXIT.interrupted;
  const place = whereIs(travel.machine, travel.symbols);
  if (json) io.out(toJson('replay --goto', { trace: trace.path, ...place, trapLoops: trapLoops(travel.machine) }));
  else io.out(`${[placeText(place), ...trapLoopLines(travel.machine, travel.symbols)].join('\n')}\n`);
  return EXIT.ok;
}
