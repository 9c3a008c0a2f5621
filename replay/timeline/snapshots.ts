/**
 * Snapshots that a timeline has left behind, as places to start from. At most so many; what stays gets sparser with
 * distance from the present, so that a step back from anywhere is short and a long journey is never much longer than
 * half of it. Relies on snapshots sharing the pages that did not change between them.
 */
import type { Moment, Snapshot, Ticks } from '../../engine/index.ts';

/** A state of the run from which it can go on. */
export interface Start {
  readonly moment: Moment;
  readonly ticks: Ticks;
  /** Inputs applied before this state. */
  readonly applied: number;
  /** Whether it is known to be the first position of its moment. */
  readonly isFirst: boolean;
  /** May be read from a file. @throws TraceError */
  readonly snapshot: () => Snapshot;
}

/** Snapshots kept at most. */
const MAX_CACHED = 96;
/** Distances below this (ticks) count the same: so far, a step back runs at most. */
export const NEAREST = 1024;

export class SnapshotCache {
  /** In order of virtual time. The first is the start of the run and always stays. */
  private readonly cached: Start[];

  constructor(first: Start) {
    this.cached = [first];
  }

  /** The latest one that will do. */
  latest(willDo: (start: Start) => boolean): Start | undefined {
    return this.cached.findLast(willDo);
  }

  /** Takes one more, unless one with the same inputs is there; drops another when there are too many. */
  add(start: Start): void {
    const at = this.cached.findLastIndex(({ ticks }) => ticks <= start.ticks);
    const same = this.cached[at];
    if (same?.ticks === start.ticks && same.applied === start.applied) {
      if (start.isFirst && !same.isFirst) this.cached[at] = start;
      return;
    }
    this.cached.splice(at + 1, 0, start);
    if (this.cached.length > MAX_CACHED) this.thin(start.ticks);
  }

  /**
   * Drops the one that is missed least: whose neighbours lie closest together, measured against their distance from the
   * present.
   */
  private thin(present: Ticks): void {
    let [drop, least] = [1, Number.POSITIVE_INFINITY];
    for (let n = 1; n < this.cached.length; n++) {
      const before = this.cached[n - 1]!.ticks;
      const own = this.cached[n]!.ticks;
      const next = this.cached[n + 1]?.ticks ?? 2 * own - before;
      const missed = (next - before) / (Math.abs(present - own) + NEAREST);
      if (missed < least) [drop, least] = [n, missed];
    }
    this.cached.splice(drop, 1);
  }
}
