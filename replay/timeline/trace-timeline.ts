/**
 * A trace opened for travel: any moment, forwards and backwards, on a machine of its own. What the terminal UI, bisect,
 * equivalence and reverse execution move along. Starts from the trace's checkpoints. Does not verify digests:
 * `replayTrace` does.
 */
import { createMachine, type MachineSymbols, type Moment, readMachineSymbols, type Ticks } from '../../engine/index.ts';
import { convertRecords, firstFrom, type RecordList, type Trace, TraceError } from '../../traces/index.ts';
import { type InputsHere, MomentError, type Position, type TimeTravel } from '../base/index.ts';
import { configFromTrace, inputsFromTrace } from '../container/index.ts';
import { type ConsoleLine, lastLines } from './console-lines.ts';
import { insistGoesOn } from './growing.ts';
import { createPlayer, type Player, type RecordedPlayer, type Recording } from './player.ts';
import type { Start } from './snapshots.ts';
import { Timeline } from './timeline.ts';

/**
 * A player of a trace, on a new machine at moment 0, before any input. @throws TraceError, UserError when the trace
 * cannot run here
 */
export function createTracePlayer(trace: Trace): RecordedPlayer {
  return createPlayer(createMachine(configFromTrace(trace)), recordingOf(trace));
}

/** A trace as a player takes it; for one that goes on with more of the same recording, too. */
export function recordingOf(trace: Trace): Recording {
  const { path, last } = trace;
  return { path, last, inputs: inputsFromTrace(trace) };
}

/**
 * Opens a trace at moment 0, the inputs of the very beginning applied. @throws TraceError, UserError when the trace
 * cannot run here
 */
export function openTimeline(trace: Trace): TraceTimeline {
  const timeline = new TraceTimeline(trace, createTracePlayer(trace));
  timeline.seek(0);
  return timeline;
}

/** Moments run from 0 to `last.moment`. */
export class TraceTimeline extends Timeline implements TimeTravel {
  private known: Trace;
  private readonly recorded: RecordedPlayer;
  private lines: { readonly bytes: number; readonly lines: readonly ConsoleLine[] } = { bytes: 0, lines: [] };
  private symbolTables: MachineSymbols | undefined;

  constructor(trace: Trace, player: RecordedPlayer) {
    super(player, {
      starts: startsOf(trace, player),
      unreachable: (where) => doesNotReplay(trace, player, where),
    });
    this.known = trace;
    this.recorded = player;
  }

  /**
   * Goes on with the same file, of which more has been written meanwhile; one stands where one stood.
   * @throws TraceError when it is another recording by now, or has been damaged: nothing has changed then
   */
  grow(trace: Trace): void {
    insistGoesOn(this.known, trace);
    this.recorded.extend(recordingOf(trace));
    this.starts = startsOf(trace, this.recorded);
    this.known = trace;
  }

  get trace(): Trace {
    return this.known;
  }

  get moment(): Moment {
    return this.machine.moment;
  }
  get ticks(): Ticks {
    return this.machine.ticks;
  }
  get last(): Position {
    return this.trace.last;
  }
  /** Symbols of the images in the trace. */
  get symbols(): MachineSymbols {
    this.symbolTables ??= readMachineSymbols(this.machine.config);
    return this.symbolTables;
  }

  /**
   * Goes to a moment. `pending`: before the inputs of that position, so that a fault's own moment can be looked at
   * before it strikes. @throws MomentError past the end, TraceError when the trace does not replay
   */
  seek(moment: Moment, here: InputsHere = 'applied'): void {
    if (!Number.isSafeInteger(moment) || moment < 0 || moment > this.last.moment) {
      throw new MomentError(`moment ${moment}: ${this.trace.path} has moments 0 to ${this.last.moment}`);
    }
    this.toMoment(moment, here);
  }

  /** Forward n instructions (clamped to the end). */
  stepForward(n = 1): void {
    this.seek(Math.min(this.moment + n, this.last.moment));
  }

  /** Back n instructions (clamped to 0). */
  stepBackward(n = 1): void {
    this.seek(Math.max(0, this.moment - n));
  }

  /** Console text written up to the present moment, its last 64 KiB, per line with the moment of its first byte. */
  consoleLines(): readonly ConsoleLine[] {
    const { console } = this.trace;
    const bytes = firstFrom(console, 'moment', this.moment + 1);
    if (bytes !== this.lines.bytes) this.lines = { bytes, lines: lastLines(console, bytes) };
    return this.lines.lines;
  }
}

function startsOf(trace: Trace, player: Player): RecordList<Start> {
  return convertRecords(trace.checkpoints, ({ moment, ticks }, n) => ({
    moment,
    ticks,
    applied: player.inputsBefore(ticks),
    // A file may hold any position of its moment; only the very start is known to be the first.
    isFirst: ticks === 0,
    snapshot: () => trace.checkpoint(n),
  }));
}

function doesNotReplay(trace: Trace, { machine }: Player, where: string): TraceError {
  return new TraceError(
    'incompatible',
    trace.path,
    `does not replay: on the way to ${where} the run parts from the recording at moment ${machine.moment}; 'dejavm verify' says where`,
  );
}
