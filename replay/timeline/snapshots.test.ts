import { expect, it } from 'vitest';
import { SnapshotCache, type Start } from './snapshots.ts';

const at = (ticks: number, applied = 0): Start => ({
  moment: ticks,
  ticks,
  applied,
  isFirst: true,
  snapshot: () => {
    throw new Error('not read');
  },
});

it('states before and behind the inputs of one position are kept apart', () => {
  const cache = new SnapshotCache(at(0));
  cache.add(at(10, 0));
  cache.add(at(10, 2));
  expect(cache.latest(() => true)).toMatchObject({ ticks: 10, applied: 2 });
  expect(cache.latest(({ applied }) => applied < 2)).toMatchObject({ ticks: 10, applied: 0 });
});

it('of more snapshots than are kept, the start stays and those far from the present get sparse', () => {
  const cache = new SnapshotCache(at(0));
  const present = 1_000_000;
  for (let ticks = 1000; ticks <= present; ticks += 1000) cache.add(at(ticks));
  const kept = new Set<number>();
  for (let ticks = 0; ticks <= present; ticks += 1000) {
    const before = cache.latest((start) => start.ticks <= ticks)!.ticks;
    kept.add(before);
    expect(ticks - before, `to ${ticks}`).toBeLessThanOrEqual(Math.max(1000, (present - ticks) / 2));
  }
  expect(kept).toContain(0);
  expect(kept.size).toBeLessThan(100);
});
