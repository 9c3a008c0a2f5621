/**
 * A trace opened for travel: any moment, forwards and backwards, on a machine of its own. What the terminal UI, bisect,
 * equivalence and reverse execution move along. Starts from the trace's checkpoints. Does not verify digests:
 * `replayTrace` does.
 */
import {
  createMachine,
  type MachineSymbols,
  type Moment,
  readMachineSymbols,
  type SymbolOptions,
  type Ticks,
} from '../../engine/index.ts';
import { convertRecords, firstFrom, type RecordList, type Trace, TraceError } from '../../traces/index.ts';
import { type InputsHere, MomentError, type Position, type TimeTravel } from '../base/index.ts';
import { configFromTrace, inputsFromTrace } from '../container/index.ts';
import { type ConsoleLine, lastLines } from './console-lines.ts';
import { insistGoesOn } from './growing.ts';
import { createPlayer, type Player, type RecordedPlayer, type Recording } from './player.ts';
import type { Start } from './snapshots.ts';
import { Timeline } from './timeline.ts';

/**
 * A player of a trace, on a new machine where the trace begins, before any input of that position.
 * @throws TraceError, UserError when the trace cannot run here
 */
export function createTracePlayer(trace: Trace): RecordedPlayer {
  const player = createPlayer(createMachine(configFromTrace(trace)), recordingOf(trace));
  // A machine that was just switched on is where every other trace begins.
  if (trace.header.cut) player.restore(trace.checkpoint(0));
  return player;
}

/** A trace as a player takes it; for one that goes on with more of the same recording, too. */
export function recordingOf(trace: Trace): Recording {
  const { path, last } = trace;
  return { path, last, inputs: inputsFromTrace(trace) };
}

/**
 * Opens a trace where it begins, the inputs of the very beginning applied. `options`: symbols besides those of its
 * images. @throws TraceError, UserError when the trace cannot run here
 */
export function openTimeline(trace: Trace, options: SymbolOptions = {}): TraceTimeline {
  const timeline = new TraceTimeline(trace, createTracePlayer(trace), options);
  timeline.seek(trace.first.moment);
  return timeline;
}

/** Moments run from `first.moment` to `last.moment`. */
export class TraceTimeline extends Timeline implements TimeTravel {
  private known: Trace;
  private readonly recorded: RecordedPlayer;
  private lines: { readonly bytes: number; readonly lines: readonly ConsoleLine[] } = { bytes: 0, lines: [] };
  private symbolTables: MachineSymbols | undefined;
  private readonly symbolOptions: SymbolOptions;

  constructor(trace: Trace, player: RecordedPlayer, symbolOptions: SymbolOptions) {
    super(player, {
      starts: startsOf(trace, player),
      unreachable: (where) => doesNotReplay(trace, player, where),
    });
    this.known = trace;
    this.recorded = player;
    this.symbolOptions = symbolOptions;
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
  get first(): Position {
    return this.trace.first;
  }
  get last(): Position {
    return this.trace.last;
  }
  /** Symbols of the images in the trace, and of what was named besides. */
  get symbols(): MachineSymbols {
    this.symbolTables ??= readMachineSymbols(this.machine.config, { machine: this.machine, ...this.symbolOptions });
    return this.symbolTables;
  }

  /**
   * Goes to a moment. `pending`: before the inputs of that position, so that a fault's own moment can be looked at
   * before it strikes. @throws MomentError for one that the trace does not have, TraceError when it does not replay
   */
  seek(moment: Moment, here: InputsHere = 'applied'): void {
    if (!Number.isSafeInteger(moment) || moment < this.first.moment || moment > this.last.moment) {
      throw new MomentError(`moment ${moment}: ${momentsOf(this.trace)}`);
    }
    this.toMoment(moment, here);
  }

  /** As `Timeline.toTicks`. @throws MomentError, too: before the trace begins */
  override toTicks(ticks: Ticks, here: InputsHere): void {
    if (ticks < this.first.ticks) throw new MomentError(`tick ${ticks}: ${momentsOf(this.trace)}`);
    super.toTicks(ticks, here);
  }

  /** Forward n instructions (clamped to the end). */
  stepForward(n = 1): void {
    this.seek(Math.min(this.moment + n, this.last.moment));
  }

  /** Back n instructions (clamped to the beginning). */
  stepBackward(n = 1): void {
    this.seek(Math.max(this.first.moment, this.moment - n));
  }

  /** Console text written up to the present moment, its last 64 KiB, per line with the moment of its first byte. */
  consoleLines(): readonly ConsoleLine[] {
    const { console } = this.trace;
    const bytes = firstFrom(console, 'moment', this.moment + 1);
    if (bytes !== this.lines.bytes) this.lines = { bytes, lines: lastLines(console, bytes) };
    return this.lines.lines;
  }
}

/** Which moments a trace has, for messages about others; of a cut, also where those are. */
export function momentsOf({ path, first, last, header }: Pick<Trace, 'path' | 'first' | 'last' | 'header'>): string {
  const rest = header.cut ? `; it is a cut, the whole run is recording ${header.cut.of}` : '';
  return `${path} has moments ${first.moment} to ${last.moment}${rest}`;
}

function startsOf(trace: Trace, player: Player): RecordList<Start> {
  return convertRecords(trace.checkpoints, ({ moment, ticks }, n) => ({
    moment,
    ticks,
    applied: player.inputsBefore(ticks),
    // A file may hold any position of its moment; only the very start is known to be the first.
    isFirst: ticks === trace.first.ticks,
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
