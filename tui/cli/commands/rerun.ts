/**
 * `dejavm rerun TRACE`: records its run anew under the present engine, from the images, the configuration and the
 * inputs inside it, and compares the two recordings. What the guest prints is in the new trace, and not repeated here.
 */

import { ENGINE_BEHAVIOUR, shellLine } from '../../../engine/index.ts';
import {
  type DisplacedInput,
  defaultTracePaths,
  describeEvent,
  type RecordAnewResult,
  recordAnew,
  type StreamComparison,
} from '../../../replay/index.ts';
import type { Trace } from '../../../traces/index.ts';
import { byteSize, counted, EXIT, type ExitCode, grouped, progressLine, table, virtualTime } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { toJson } from '../json/index.ts';
import { becomesLatest } from './latest.ts';
import { runLimits } from './limits.ts';
import { openNamedTrace } from './open.ts';

export async function rerunCommand({
  args,
  flags,
  io,
}: CommandContext<'out' | 'maxMoment' | 'maxTime' | 'json'>): Promise<ExitCode> {
  const old = openNamedTrace(args[0]!, io);
  let interrupted = false;
  const release = io.onInterrupt(() => {
    interrupted = true;
  });
  const progress = progressLine(io);
  try {
    const result = await recordAnew(old, {
      path: flags.out ?? defaultTracePaths('rerun'),
      ...runLimits(flags),
      stopRequested: () => interrupted,
      onProgress: (moment) => progress.show(() => `recording: ${grouped(moment)} instructions`),
    });
    progress.clear();
    if (!interrupted) becomesLatest(result.recorded.path, io);
    io.out(flags.json ? toJson('rerun', jsonOf(old, result)) : `${textOf(old, result).join('\n')}\n`);
    if (interrupted) return EXIT.interrupted;
    if (isSame(result)) return EXIT.ok;
    io.err(
      `dejavm: the runs part; look at both with: ${shellLine(['dejavm', 'diff', old.path, result.recorded.path])}\n`,
    );
    return EXIT.difference;
  } finally {
    progress.clear();
    release();
  }
}

const isSame = ({ comparison, displaced }: RecordAnewResult): boolean => comparison.equal && displaced.length === 0;

function jsonOf(old: Trace, { recorded, comparison, displaced }: RecordAnewResult) {
  const { path, end, stop, bytes } = recorded;
  return {
    trace: old.path,
    engineBehaviour: { recorded: old.header.engineBehaviour, present: ENGINE_BEHAVIOUR },
    recorded: { path, end, stop, bytes },
    equal: comparison.equal && displaced.length === 0,
    mismatch: comparison.mismatch ?? null,
    streams: comparison.streams,
    displaced: displaced.map(({ input, appliedAt }) => ({ ...input, appliedAt: appliedAt ?? null })),
  };
}

const MAX_INPUT_LINES = 10;

function textOf(old: Trace, result: RecordAnewResult): string[] {
  const { recorded, comparison, displaced } = result;
  const from = old.header.engineBehaviour;
  const lines = [
    `recorded anew: ${grouped(recorded.end.moment)} instructions, ${byteSize(recorded.bytes)} in ${recorded.path}`,
    `compared with ${old.path}${from === ENGINE_BEHAVIOUR ? '' : `, of engine behaviour ${from} (now ${ENGINE_BEHAVIOUR})`}:`,
    table(comparison.streams.map((stream) => [`  ${stream.stream}`, streamText(stream)])),
    ...displaced.slice(0, MAX_INPUT_LINES).map(displacedText),
  ];
  if (displaced.length > MAX_INPUT_LINES)
    lines.push(`and ${counted(displaced.length - MAX_INPUT_LINES, 'input')} more`);
  const { mismatch } = comparison;
  if (mismatch) {
    const { agreedAt, differsAt } = mismatch;
    const between = `after moment ${grouped(agreedAt.moment)} and not later than ${grouped(differsAt.moment)}`;
    lines.push(`the runs PART ${between}, ${virtualTime(differsAt.ticks)} of virtual time: ${mismatch.stream}`);
  } else if (displaced.length > 0) {
    lines.push(`the runs PART not later than the input at moment ${grouped(displaced[0]!.input.moment)}`);
  } else lines.push('the runs are equal');
  return lines;
}

function streamText({ equal, difference, incomparable }: StreamComparison): string {
  if (incomparable) return `cannot be compared: ${incomparable}`;
  if (!difference) return equal === 0 ? 'nothing to compare' : `${grouped(equal)} equal`;
  return `${grouped(equal)} equal, then recorded ${difference.a}, now ${difference.b}`;
}

function displacedText({ input, appliedAt }: DisplacedInput): string {
  const where = `input recorded at moment ${grouped(input.moment)}, tick ${grouped(input.ticks)} (${describeEvent(input.event)})`;
  if (!appliedAt) return `${where}: NOT APPLIED, the run ended before`;
  return `${where}: applied at moment ${grouped(appliedAt.moment)}, tick ${grouped(appliedAt.ticks)}`;
}
