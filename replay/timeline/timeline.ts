/**
 * Every position of a run, in any order: goes to the latest known state before a position and runs forward from there.
 * What makes going back quick is that each journey leaves snapshots behind, the denser the nearer to where it ended.
 * Relies on the player for moving forward. Does not verify digests: a run that cannot reach a position says so.
 *
 * One rule for positions that share a moment: `toMoment` means the first of them, and starts from no other of the same
 * moment; `toTicks` means exactly one. Either way the inputs of that very position are applied, or still pending.
 */
import type { Machine, Moment, RunLimit, StopReason, Ticks } from '../../engine/index.ts';
import { firstFrom, type RecordList } from '../../traces/index.ts';
import type { InputsHere, Place } from '../base/index.ts';
import type { Player } from './player.ts';
import { NEAREST, SnapshotCache, type Start } from './snapshots.ts';

export interface TimelineOptions {
  /** States known beforehand, in order of time: a trace's checkpoints, a golden run's points. */
  readonly starts: RecordList<Start>;
  /** The error for a run that does not come where it should. */
  readonly unreachable: (where: string) => Error;
  /** The state from which the whole run is known; undefined: the one that the player is in. */
  readonly first?: Start;
  /** False: no snapshots are left behind, for runs whose `starts` are close enough. */
  readonly leavesSnapshots?: boolean;
}

/** Which timeline moved a machine last: several may share one. */
const MOVED_BY = new WeakMap<Machine, Timeline>();

export class Timeline {
  readonly machine: Machine;
  readonly player: Player;
  private readonly options: TimelineOptions;
  /** Of a run that is being recorded there come to be more. */
  protected starts: RecordList<Start>;
  private readonly cache: SnapshotCache;
  /** Where the last journey ended; the machine is somewhere else when somebody else has moved it. */
  private arrived: Omit<Start, 'snapshot'> | undefined;

  constructor(player: Player, options: TimelineOptions) {
    this.player = player;
    this.machine = player.machine;
    this.options = options;
    this.starts = options.starts;
    if (!options.first) this.arrive(true);
    this.cache = new SnapshotCache(options.first ?? this.presentAsStart(true));
  }

  /** Goes to the first position with this moment. @throws what `unreachable` makes when the run does not get there */
  toMoment(moment: Moment, here: InputsHere = 'applied'): void {
    const { machine } = this;
    this.startFrom(
      'moment',
      moment,
      (at) => at.moment < moment || (at.moment === moment && at.isFirst && this.canStand(at, here)),
    );
    // Halving the distance each time leaves log2(distance) snapshots, whatever the distance.
    for (let left = moment - machine.moment; this.leaves(left); left = moment - machine.moment) {
      this.insist(this.player.toMoment(moment - Math.floor(left / 2)), `moment ${moment}`);
      this.leaveSnapshot(true);
    }
    this.insist(this.player.toMoment(moment, here), `moment ${moment}`);
    // From an earlier moment one comes to the first position; of this moment, no other was started from.
    this.arrive(true);
  }

  /** Goes to exactly this virtual time. @throws as `toMoment` */
  toTicks(ticks: Ticks, here: InputsHere): void {
    const { machine } = this;
    this.startFrom('ticks', ticks, (at) => at.ticks < ticks || (at.ticks === ticks && this.canStand(at, here)));
    for (let left = ticks - machine.ticks; this.leaves(left); left = ticks - machine.ticks) {
      if (!this.player.toTicks(ticks - Math.floor(left / 2), 'pending')) break;
      this.leaveSnapshot(false);
    }
    this.insist(this.player.toTicks(ticks, here), `tick ${ticks}`);
    this.arrive(false);
  }

  /** As `toMoment`, but executes every instruction from here on: for observing events. The moment lies ahead. */
  forwardToMoment(moment: Moment): void {
    this.insist(this.player.toMoment(moment), `moment ${moment}`);
    this.arrive(false);
  }

  /** As `toTicks`, but executes every instruction from here on. The virtual time lies ahead. */
  forwardToTicks(ticks: Ticks, here: InputsHere): void {
    this.insist(this.player.toTicks(ticks, here), `tick ${ticks}`);
    this.arrive(false);
  }

  /**
   * Executes every instruction from here on to a limit, or to where the machine is told to stop (breakpoints).
   * @throws as `toMoment` when the run leaves its recording on the way
   */
  advance(until: RunLimit, here: InputsHere): StopReason {
    const stop = this.player.advance(until, here);
    if (stop.kind === 'misplaced') {
      this.arrived = undefined;
      throw this.options.unreachable(until.ticks === undefined ? `moment ${until.moment}` : `tick ${until.ticks}`);
    }
    this.arrive(false);
    return stop;
  }

  /** Where the machine stands. */
  get place(): Place {
    const { moment, ticks } = this.machine;
    return { moment, ticks, here: this.hereOf(ticks, this.player.applied) };
  }

  /** Leaves a snapshot of the present, so that it is quick to come back. */
  keepPresent(): void {
    this.leaveSnapshot(this.present()?.isFirst === true);
  }

  /**
   * The latest known state before a place: from there it can be reached by executing the least. undefined: the run
   * begins there.
   */
  knownBefore({ ticks, here }: Pick<Place, 'ticks' | 'here'>): Place | undefined {
    const { starts } = this;
    const applied = here === 'applied' ? this.player.inputsBefore(ticks + 1) : 0;
    const isBefore = (at: Omit<Start, 'snapshot'>) => at.ticks < ticks || (at.ticks === ticks && at.applied < applied);
    let n = firstFrom(starts, 'ticks', ticks + 1) - 1;
    while (n >= 0 && !isBefore(starts.at(n)!)) n--;
    const best = latestOf(n < 0 ? undefined : starts.at(n), this.cache.latest(isBefore));
    return best && { moment: best.moment, ticks: best.ticks, here: this.hereOf(best.ticks, best.applied) };
  }

  private hereOf(ticks: Ticks, applied: number): InputsHere {
    return applied >= this.player.inputsBefore(ticks + 1) ? 'applied' : 'pending';
  }

  /** Says that the machine has been changed from outside: where it stands now belongs to this run no more. */
  leave(): void {
    this.arrived = undefined;
  }

  /** At a position with inputs: whether a state there has not applied them already. */
  private canStand(at: Omit<Start, 'snapshot'>, here: InputsHere): boolean {
    return here === 'applied' || at.applied <= this.player.inputsBefore(at.ticks);
  }

  /** Goes to the latest known state that will do; none with more of `by` than `most` does. */
  private startFrom(by: 'moment' | 'ticks', most: number, willDo: (start: Omit<Start, 'snapshot'>) => boolean): void {
    const present = this.present();
    const { starts } = this;
    let n = firstFrom(starts, by, most + 1) - 1;
    while (n >= 0 && !willDo(starts.at(n)!)) n--;
    const best = latestOf(n < 0 ? undefined : starts.at(n), this.cache.latest(willDo));
    if (present && willDo(present) && present.ticks >= (best?.ticks ?? -1)) return;
    this.arrived = undefined;
    if (!best) return;
    this.player.restore(best.snapshot(), best.applied);
    this.arrive(best.isFirst);
    this.leaveSnapshot(best.isFirst);
  }

  /** Where the machine stands, if this timeline has brought it there. */
  private present(): Omit<Start, 'snapshot'> | undefined {
    const { arrived, machine } = this;
    const isHere = arrived?.ticks === machine.ticks && arrived.moment === machine.moment;
    return isHere && MOVED_BY.get(machine) === this && arrived.applied === this.player.applied ? arrived : undefined;
  }

  private arrive(isFirst: boolean): void {
    const { moment, ticks } = this.machine;
    this.arrived = { moment, ticks, applied: this.player.applied, isFirst };
    MOVED_BY.set(this.machine, this);
  }

  /** Whether a journey of this distance, in moments or ticks, leaves snapshots on its way. */
  private leaves(distance: number): boolean {
    return distance > NEAREST && this.options.leavesSnapshots !== false;
  }

  private leaveSnapshot(isFirst: boolean): void {
    if (this.options.leavesSnapshots !== false) this.cache.add(this.presentAsStart(isFirst));
  }

  private presentAsStart(isFirst: boolean): Start {
    const snapshot = this.machine.snapshot();
    const { moment, ticks } = snapshot;
    return { moment, ticks, applied: this.player.applied, isFirst, snapshot: () => snapshot };
  }

  private insist(reached: boolean, where: string): void {
    if (reached) return;
    this.arrived = undefined;
    throw this.options.unreachable(where);
  }
}

const latestOf = (a: Start | undefined, b: Start | undefined): Start | undefined =>
  a && (!b || a.ticks > b.ticks) ? a : b;
