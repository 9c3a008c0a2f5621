/**
 * What each hart was doing over the run: privilege mode or VM, as runs between transitions. Fed in order of moments
 * by scan.ts. Keeps at most `LIMIT` entries per hart; beyond that it forgets the shortest ones (the resolution
 * halves), so that a run of any length fits. Does not know the screen.
 */
import type { Mode } from '../../engine/index.ts';

/** A hart's activity as a number: one of the constants, or VM_BASE + VMID. */
export const ACTIVITY = { unknown: -1, U: 0, S: 1, HS: 2, M: 3 } as const;
export const VM_BASE = 16;

const LIMIT = 1 << 20;

export interface Lanes {
  readonly hartCount: number;
  /** How far the run has been scanned. */
  scannedTo: number;
  /** From `moment` on, the hart does `activity`. Moments of a hart must not decrease. */
  push(hart: number, moment: number, activity: number): void;
  /** Activity of a hart at a moment. */
  at(hart: number, moment: number): number;
  /** The prevailing activity in each of `width` equal parts of [from, to). */
  cells(hart: number, from: number, to: number, width: number): readonly number[];
}

export function activityOf(mode: Mode, vmid: number): number {
  return mode === 'VS' || mode === 'VU' ? VM_BASE + vmid : ACTIVITY[mode];
}

interface Lane {
  moments: number[];
  activities: number[];
  /** Entries closer than this are merged, once there were too many. */
  resolution: number;
}

export function createLanes(hartCount: number): Lanes {
  const lanes: Lane[] = Array.from({ length: hartCount }, () => ({ moments: [], activities: [], resolution: 1 }));
  const cache = new Map<string, readonly number[]>();
  const self: Lanes = {
    hartCount,
    scannedTo: 0,
    push(hart, moment, activity) {
      const lane = lanes[hart];
      if (lane) append(lane, moment, activity);
    },
    at(hart, moment) {
      const lane = lanes[hart];
      if (!lane || moment > self.scannedTo) return ACTIVITY.unknown;
      return lane.activities[indexAt(lane.moments, moment)] ?? ACTIVITY.unknown;
    },
    cells(hart, from, to, width) {
      const key = `${hart} ${from} ${to} ${width} ${Math.min(to, self.scannedTo)}`;
      let cells = cache.get(key);
      if (!cells) {
        if (cache.size > 64) cache.clear();
        cells = prevailing(lanes[hart]!, from, to, width, self.scannedTo);
        cache.set(key, cells);
      }
      return cells;
    },
  };
  return self;
}

function append(lane: Lane, moment: number, activity: number): void {
  const last = lane.moments.length - 1;
  if (lane.activities[last] === activity) return;
  if (last >= 0 && moment - lane.moments[last]! < (lane.resolution > 1 ? lane.resolution : 0)) {
    lane.activities[last] = activity;
    return;
  }
  if (lane.moments[last] === moment) {
    // Several transitions without an instruction between them: the last one is what the hart went on with.
    lane.activities[last] = activity;
    return;
  }
  lane.moments.push(moment);
  lane.activities.push(activity);
  if (lane.moments.length > LIMIT) coarsen(lane);
}

function coarsen(lane: Lane): void {
  while (lane.moments.length > LIMIT / 2) {
    lane.resolution *= 2;
    const { moments, activities, resolution } = lane;
    lane.moments = [];
    lane.activities = [];
    moments.forEach((moment, i) => {
      const last = lane.moments.length - 1;
      if (last >= 0 && moment - lane.moments[last]! < resolution) lane.activities[last] = activities[i]!;
      else {
        lane.moments.push(moment);
        lane.activities.push(activities[i]!);
      }
    });
  }
}

/** Index of the last entry at or before `moment`, or -1. */
function indexAt(moments: readonly number[], moment: number): number {
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (moments[middle]! <= moment) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function prevailing(lane: Lane, from: number, to: number, width: number, scannedTo: number): readonly number[] {
  const cells: number[] = [];
  const size = (to - from) / width;
  let index = Math.max(0, indexAt(lane.moments, from));
  for (let cell = 0; cell < width; cell++) {
    const begin = from + cell * size;
    const end = Math.min(begin + size, Math.max(scannedTo, begin));
    const shares = new Map<number, number>();
    while (lane.moments[index + 1] !== undefined && lane.moments[index + 1]! <= begin) index++;
    for (let i = index; i < lane.moments.length && lane.moments[i]! < end; i++) {
      const share = Math.min(lane.moments[i + 1] ?? end, end) - Math.max(lane.moments[i]!, begin);
      const activity = lane.activities[i]!;
      if (share > 0) shares.set(activity, (shares.get(activity) ?? 0) + share);
    }
    cells.push(largest(shares));
  }
  return cells;
}

function largest(shares: ReadonlyMap<number, number>): number {
  let best: number = ACTIVITY.unknown;
  let most = 0;
  for (const [activity, share] of shares) {
    if (share > most) {
      most = share;
      best = activity;
    }
  }
  return best;
}
