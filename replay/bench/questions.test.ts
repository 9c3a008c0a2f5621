/** That the bench runs, and finds what it asks for: what it times is not looked at. */
import { afterAll, expect, test } from 'vitest';
import { openStudio } from '../equivalence/testing.ts';
import { measure } from './questions.ts';

const studio = openStudio();
afterAll(() => studio.close());

test('questions to a short run of Lazarus are timed against its replay', async () => {
  const trace = await studio.record([], { ramBytes: 32 << 20 });
  const { words, conditions, hits } = measure(trace, 1, 0.98);
  expect(words).toHaveLength(3);
  expect(conditions).toHaveLength(2);
  expect(hits).toBeGreaterThan(10_000);
});
