/**
 * Opens a recorded run for travel: any moment, forwards and backwards. Going back is restoring a snapshot before and
 * running forward; what makes it quick is that each journey leaves snapshots behind, the denser the nearer to where it
 * ended. Relies on the player for inputs. Does not verify digests: `replayTrace` does.
 */
import type { Moment, Snapshot } from '../engine/index.ts';
import { type Trace, TraceError } from '../traces/index.ts';
import { type ConsoleLine, linesOf } from './diff-console.ts';
import { MomentError } from './errors.ts';
import { createPlayer, type Player } from './player.ts';
import type { TimeTravel } from './types.ts';

/** A snapshot in memory, and how many inputs were applied before it. */
interface Kept {
  readonly snapshot: Snapshot;
  readonly applied: number;
}

/** Snapshots are left behind down to this distance before the goal; so far, a reverse step runs at most. */
const NEAREST = 1024;
/** Kept in memory at most. They share unchanged pages. */
const MAX_KEPT = 96;

/** A trace opened at moment 0. @throws TraceError, UserError when the trace cannot run here */
export function openTimeTravel(trace: Trace): TimeTravel {
  return new Travel(trace, createPlayer(trace));
}

class Travel implements TimeTravel {
  readonly trace: Trace;
  private readonly player: Player;
  /** In order of moments. */
  private kept: Kept[];
  /** Virtual time where the last journey ended: elsewhere, somebody else has moved the machine. */
  private arrivedTicks: number | undefined;
  private lines: { readonly bytes: number; readonly lines: readonly ConsoleLine[] } = { bytes: 0, lines: [] };

  constructor(trace: Trace, player: Player) {
    this.trace = trace;
    this.player = player;
    this.kept = [{ snapshot: player.machine.snapshot(), applied: 0 }];
    this.seek(0);
  }

  get machine() {
    return this.player.machine;
  }
  get moment() {
    return this.player.machine.moment;
  }
  get last() {
    return this.trace.last;
  }

  seek(moment: Moment): void {
    if (!Number.isSafeInteger(moment) || moment < 0 || moment > this.last.moment) {
      throw new MomentError(`moment ${moment}: ${this.trace.path} has moments 0 to ${this.last.moment}`);
    }
    const isHere = this.machine.ticks === this.arrivedTicks;
    if (isHere && this.moment === moment) return;
    this.arrivedTicks = undefined;
    this.startBefore(moment, isHere);
    // Halving the distance each time leaves log2(distance) snapshots, whatever the distance.
    for (let left = moment - this.moment; left > NEAREST; left = moment - this.moment) {
      this.run(moment - Math.floor(left / 2));
      this.keep();
    }
    this.run(moment);
    this.arrivedTicks = this.machine.ticks;
  }

  stepForward(n = 1): void {
    this.seek(Math.min(this.moment + n, this.last.moment));
  }

  stepBackward(n = 1): void {
    this.seek(Math.max(0, this.moment - n));
  }

  consoleLines(): readonly ConsoleLine[] {
    const { console } = this.trace;
    let bytes = console.findIndex((record) => record.moment > this.moment);
    if (bytes < 0) bytes = console.length;
    if (bytes !== this.lines.bytes) this.lines = { bytes, lines: linesOf(console.slice(0, bytes)) };
    return this.lines.lines;
  }

  /** Puts the machine to the latest state that is known at or before `moment`. */
  private startBefore(moment: Moment, isHere: boolean): void {
    const here = isHere && this.moment <= moment ? this.moment : -1;
    const inMemory = this.kept.findLast(({ snapshot }) => snapshot.moment <= moment);
    const n = this.trace.checkpoints.findLastIndex((checkpoint) => checkpoint.moment <= moment);
    const inFile = this.trace.checkpoints[n];
    const memoryMoment = inMemory?.snapshot.moment ?? -1;
    if (here >= Math.max(memoryMoment, inFile?.moment ?? -1)) return;
    if (inFile && inFile.moment > memoryMoment) {
      this.player.restore(this.trace.checkpoint(n), this.player.inputsBefore(inFile.ticks));
      this.keep();
    } else if (inMemory) {
      this.player.restore(inMemory.snapshot, inMemory.applied);
    }
  }

  private run(moment: Moment): void {
    if (this.player.toMoment(moment)) return;
    throw new TraceError(
      'incompatible',
      this.trace.path,
      `does not replay: the run parts from the recording at moment ${this.moment}; 'dejavm verify' says where`,
    );
  }

  private keep(): void {
    const { moment } = this.machine;
    const at = this.kept.findLastIndex(({ snapshot }) => snapshot.moment <= moment);
    if (this.kept[at]?.snapshot.moment === moment) return;
    this.kept.splice(at + 1, 0, { snapshot: this.machine.snapshot(), applied: this.player.applied });
    if (this.kept.length > MAX_KEPT) this.thin(moment);
  }

  /**
   * Drops the snapshot that is missed least: whose neighbours lie closest together, measured against their distance
   * from the present. What stays gets sparser with distance. The first, moment 0, always stays.
   */
  private thin(present: Moment): void {
    let [drop, least] = [1, Number.POSITIVE_INFINITY];
    for (let n = 1; n < this.kept.length; n++) {
      const before = this.kept[n - 1]!.snapshot.moment;
      const own = this.kept[n]!.snapshot.moment;
      const next = this.kept[n + 1]?.snapshot.moment ?? this.last.moment;
      const missed = (next - before) / (Math.abs(present - own) + NEAREST);
      if (missed < least) [drop, least] = [n, missed];
    }
    this.kept.splice(drop, 1);
  }
}
