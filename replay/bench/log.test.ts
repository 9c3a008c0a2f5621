/** That the bench runs: what it times is not looked at. */
import { expect, test } from 'vitest';
import { traceStore } from '../replay.fixtures.ts';
import { measure } from './log.ts';

const store = traceStore();

test('the log of a small run is timed against its replay', async () => {
  const { ratios, entries } = measure(await store.take({ maxMoment: 3_000 }), 1);
  expect(ratios).toHaveLength(1);
  expect(entries).toBeGreaterThan(3);
});
