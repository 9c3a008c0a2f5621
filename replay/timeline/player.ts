/**
 * One run at one position: moves a machine forward and applies each input at its exact virtual time. Everything that
 * runs a machine along known inputs does it here: replay, the timeline, golden runs, injections.
 * Relies on inputs being in order of time. Does not check digests, and does not go back: the timeline does.
 *
 * A moment can have several positions (traps and idle time pass without retiring). The state *at* a moment is the one
 * at the first of them. Inputs belong to a position, not to a moment: one stands there with them `pending`, as digests
 * and checkpoints were taken, or `applied`, as the next instruction finds the machine.
 */
import {
  type Input,
  type Machine,
  type Moment,
  type RunLimit,
  type Snapshot,
  type StopReason,
  type Ticks,
  UserError,
} from '../../engine/index.ts';
import { firstFrom, type RecordList, TraceError } from '../../traces/index.ts';
import type { InputsHere, Position, TimedInput } from '../base/index.ts';

/** An input does not fall where it was recorded: the run has left its recording. */
export interface Misplaced {
  readonly kind: 'misplaced';
}

export interface Player {
  readonly machine: Machine;
  readonly inputs: RecordList<TimedInput>;
  /** How many of the inputs have been applied. */
  readonly applied: number;
  /** Puts the machine into a state before which `applied` inputs were applied; by default those before its time. */
  restore(snapshot: Snapshot, applied?: number): void;
  /** Inputs that lie before a position. */
  inputsBefore(ticks: Ticks): number;
  /**
   * Runs to the first of the limits, inputs on the way applied; or until the machine stops by itself, or (`ticks`) to
   * the end of the recording.
   */
  advance(until: RunLimit, here: InputsHere): StopReason | Misplaced;
  /**
   * Goes forward to a moment, past breakpoints and watchpoints. False when the machine stops before, or an input does
   * not fall where it was recorded.
   */
  toMoment(moment: Moment, here?: InputsHere): boolean;
  /** Goes forward to a virtual time. False as above. */
  toTicks(ticks: Ticks, here: InputsHere): boolean;
}

/** Plays planned inputs, none of which can be misplaced. */
export interface WorkloadPlayer extends Player {
  advance(until: RunLimit, here: InputsHere): StopReason;
}

/** Plays a recording, and can go on when more of it has been written. */
export interface RecordedPlayer extends Player {
  /** Goes on where it stands, with the same recording, of which more is known. */
  extend(recording: Recording): void;
}

/** The run that a player plays again. */
export interface Recording {
  /** The file, for messages. */
  readonly path: string;
  readonly inputs: RecordList<Input>;
  readonly last: Position;
}

/**
 * A player of recorded inputs: each has a moment, and a run that is elsewhere at its time has left the recording. It
 * goes no further beyond `last` than one instruction: a run that has left its recording could run for ever. What the
 * machine cannot take, a state or an input, is the file's fault: a TraceError, whatever the file's checksums say.
 */
export function createPlayer(machine: Machine, recording: Recording): RecordedPlayer {
  return new InputPlayer(machine, recording.inputs, recording);
}

/** A player of a workload's inputs. An idle machine gets its next one early: nothing else can wake it. */
export function createWorkloadPlayer(machine: Machine, inputs: RecordList<TimedInput>): WorkloadPlayer {
  return new InputPlayer(machine, inputs) as Player as WorkloadPlayer;
}

class InputPlayer implements RecordedPlayer {
  readonly machine: Machine;
  inputs: RecordList<TimedInput>;
  applied = 0;
  /** undefined: inputs were not recorded, but planned. */
  private recording: Recording | undefined;

  constructor(machine: Machine, inputs: RecordList<TimedInput>, recording?: Recording) {
    this.machine = machine;
    this.inputs = inputs;
    this.recording = recording;
  }

  extend(recording: Recording): void {
    this.recording = recording;
    this.inputs = recording.inputs;
  }

  restore(snapshot: Snapshot, applied: number = this.inputsBefore(snapshot.ticks)): void {
    this.blaming(`the checkpoint at moment ${snapshot.moment}`, () => this.machine.restore(snapshot));
    this.applied = applied;
  }

  inputsBefore(ticks: Ticks): number {
    return firstFrom(this.inputs, 'ticks', ticks);
  }

  toMoment(moment: Moment, here: InputsHere = 'applied'): boolean {
    return this.reach({ moment }, here) && this.machine.moment === moment;
  }

  toTicks(ticks: Ticks, here: InputsHere): boolean {
    return this.reach({ ticks }, here) && this.machine.ticks === ticks;
  }

  /** As `advance`, and no observer stops it. False when an input is misplaced. */
  private reach(until: RunLimit, here: InputsHere): boolean {
    for (;;) {
      const { kind } = this.advance(until, here);
      if (kind !== 'breakpoint' && kind !== 'watchpoint') return kind !== 'misplaced';
    }
  }

  advance(until: RunLimit, here: InputsHere): StopReason | Misplaced {
    const { machine, recording } = this;
    const { count, work } = until;
    const last = recording?.last ?? { moment: Number.POSITIVE_INFINITY, ticks: Number.MAX_SAFE_INTEGER };
    const moment = Math.min(until.moment ?? Number.POSITIVE_INFINITY, last.moment + 1);
    const ticks = Math.min(until.ticks ?? last.ticks, last.ticks);
    const retired = machine.retired(count?.of ?? 'privileged');
    const worked = machine.work;
    for (;;) {
      const left = {
        ...(count && { count: { ...count, instructions: count.instructions - (machine.retired(count.of) - retired) } }),
        ...(work !== undefined && { work: work - (machine.work - worked) }),
      };
      const stop = arrival(machine, moment, ticks, left);
      const input = this.inputs.at(this.applied);
      const isDue = input !== undefined && input.ticks <= machine.ticks;
      if (isDue && (here === 'applied' || !stop)) {
        if (!this.apply(input)) return { kind: 'misplaced' };
        continue;
      }
      if (stop) return stop;
      const ran = machine.run({
        ...(Number.isFinite(moment) && { moment }),
        ticks: Math.min(ticks, input?.ticks ?? ticks),
        ...left,
      });
      if (ran.kind === 'halted' || ran.kind === 'breakpoint' || ran.kind === 'watchpoint' || ran.kind === 'event')
        return ran;
      if (ran.kind !== 'idle') continue;
      if (recording || !input || input.ticks >= ticks || !this.apply(input)) return ran;
    }
  }

  private apply(input: TimedInput): boolean {
    const { machine, recording } = this;
    if (recording && (input.ticks !== machine.ticks || (input as Input).moment !== machine.moment)) return false;
    this.blaming(`the input at moment ${machine.moment}`, () => machine.apply(input.event));
    this.applied++;
    return true;
  }

  /** Does what the recording asks for. @throws TraceError when the machine cannot */
  private blaming(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!this.recording || !(error instanceof UserError)) throw error;
      throw new TraceError('damaged', this.recording.path, `${what} cannot be right: ${error.message}`);
    }
  }
}

/** Which limit the machine has reached. */
function arrival(
  machine: Machine,
  moment: Moment,
  ticks: Ticks,
  left: Pick<RunLimit, 'count' | 'work'>,
): StopReason | undefined {
  if (machine.moment >= moment) return { kind: 'moment' };
  if (machine.ticks >= ticks) return { kind: 'ticks' };
  if (left.count && left.count.instructions <= 0) return { kind: 'count' };
  return left.work !== undefined && left.work <= 0 ? { kind: 'work' } : undefined;
}
