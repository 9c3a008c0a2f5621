/**
 * Records the run of a trace anew, from the images, the configuration and the inputs inside it, under the present
 * engine: also traces that cannot be replayed any more, because they were recorded under another engine behaviour or
 * were cut off. Then compares the two recordings. Inputs are applied at their recorded positions; once the runs have
 * parted, what strikes an instruction (faults, pokes) keeps its moment, what comes from the world outside (console,
 * network) its virtual time. Relies on `record`; the old trace is only read.
 */
import {
  type Input,
  type InputEvent,
  type MachineEvent,
  type Moment,
  type Ticks,
  UserError,
} from '../../engine/index.ts';
import { openTrace, type Trace, type TracePlace } from '../../traces/index.ts';
import type { PlannedInput, Position, RecordedPosition, RecordResult } from '../base/index.ts';
import { compareRecordings, isOwnEnd, type RecordingComparison } from '../compare/index.ts';
import { describedConfig, inputsFromTrace, isSameFile } from '../container/index.ts';
import { record } from './record.ts';

export interface RecordAnewOptions {
  /** Where the new trace goes, as for `record`; not the old one's own place. */
  readonly path: TracePlace;
  /**
   * Stop at this moment. Without it: where the old recording was stopped; if it ended by itself, at twice its length.
   */
  readonly maxMoment?: Moment;
  /** The same in virtual time. */
  readonly maxTicks?: Ticks;
  readonly stopRequested?: () => boolean;
  readonly onEvent?: (event: MachineEvent) => void;
  readonly onProgress?: (moment: Moment) => void;
}

/** An input that could not be applied where it was recorded. */
export interface DisplacedInput {
  readonly input: Input;
  /** Where it was applied; undefined when the run ended before. */
  readonly appliedAt: Position | undefined;
}

export interface RecordAnewResult {
  readonly recorded: RecordResult;
  readonly comparison: RecordingComparison;
  readonly displaced: readonly DisplacedInput[];
}

/**
 * Records the run of `old` again and compares.
 * @throws TraceError when the old trace lacks an image or holds what this version does not know, UserError when this
 * engine cannot build its machine, or both traces would be one file; otherwise as `record`
 */
export async function recordAnew(old: Trace, options: RecordAnewOptions): Promise<RecordAnewResult> {
  if (typeof options.path === 'string' && isSameFile(old.path, options.path)) {
    throw new UserError(`${options.path} is the trace that is to be recorded anew: give the new one another name`);
  }
  const { header } = old;
  if (header.cut) {
    throw new UserError(
      `${old.path} begins at moment ${old.first.moment}, and a run can be recorded anew from its very start alone: ` +
        `rerun the whole recording, ${header.cut.of}`,
    );
  }
  if (old.inputs.length > MAX_INPUTS) {
    throw new UserError(`${old.path} has ${old.inputs.length} inputs: at most ${MAX_INPUTS} can be recorded anew`);
  }
  const inputs = [...inputsFromTrace(old)];
  const planned = inputs.map((input): PlannedInput => ({ trigger: recordedPosition(input), event: input.event }));
  const { path, stopRequested, onEvent, onProgress } = options;
  const recorded = await record({
    path,
    config: describedConfig(old),
    planned,
    ...lengthOf(old, options),
    digestEvery: header.digestEvery,
    checkpointEvery: header.checkpointEvery,
    // It is the same run: what made it is what is wanted to be known of it.
    commandLine: header.commandLine,
    ...(stopRequested && { stopRequested }),
    ...(onEvent && { onEvent }),
    ...(onProgress && { onProgress }),
  });
  const appliedAt = new Map(recorded.applied.map(({ planned: one, moment, ticks }) => [one, { moment, ticks }]));
  const displaced = inputs
    .map((input, n) => ({ input, appliedAt: appliedAt.get(planned[n]!) }))
    .filter(({ input, appliedAt: at }) => at?.moment !== input.moment || at.ticks !== input.ticks)
    // What lies behind the limit was not asked for.
    .filter(
      ({ input, appliedAt: at }) =>
        at || (input.moment <= (options.maxMoment ?? input.moment) && input.ticks <= (options.maxTicks ?? input.ticks)),
    );
  return { recorded, comparison: compareRecordings(old, openTrace(recorded.path)), displaced };
}

function recordedPosition({ moment, ticks, event }: Input): RecordedPosition {
  return { kind: 'recorded', moment, ticks, keeps: STRIKES_AN_INSTRUCTION[event.kind] ? 'moment' : 'ticks' };
}

const STRIKES_AN_INSTRUCTION: Readonly<Record<InputEvent['kind'], boolean>> = {
  fault: true,
  poke: true,
  console: false,
  net: false,
};

/** A plan is held whole. */
const MAX_INPUTS = 1_000_000;

/** A run that ended by itself may take longer now, but not for ever. */
const LONGER = 2;

function lengthOf(old: Trace, asked: Pick<RecordAnewOptions, 'maxMoment' | 'maxTicks'>) {
  const unlimited = Number.MAX_SAFE_INTEGER;
  const { maxMoment = unlimited, maxTicks = unlimited } = asked;
  if (maxMoment < unlimited || maxTicks < unlimited) return { maxMoment, maxTicks };
  const { end } = old;
  if (end && isOwnEnd(end)) return { maxMoment: unlimited, maxTicks: Math.min(LONGER * end.ticks, unlimited) };
  // The same limits, so that the same run ends for the same reason.
  if (end?.reason === 'moment') return { maxMoment: end.moment, maxTicks: end.ticks };
  // A recording that was cut off may hold inputs behind the last position that it vouches for.
  const lastInput = old.inputs.at(-1)?.ticks ?? 0;
  return { maxMoment: unlimited, maxTicks: Math.max(old.last.ticks, lastInput) };
}
