/**
 * Our machine against Debian's QEMU on the cases of two fixed seeds. Needs qemu-system-misc.
 * A failure prints the command that shows it again.
 */
import { expect, it } from 'vitest';
import { compare } from './compare.ts';

const run = (seed: number, cases: number) => {
  const lines: string[] = [];
  const outcome = compare({ seed, cases, maxFailures: 1, log: (line) => lines.push(line) });
  return { ...outcome, text: lines.join('\n') };
};

it('agrees with QEMU on the cases of a fixed seed', () => {
  const outcome = run(1, 1200);
  expect(outcome.failures, outcome.text).toEqual([]);
  expect(outcome.cases).toBe(1200);
  // The cases are worth something: most kinds of exceptions were met, among them those of two stages.
  for (const cause of ['1', '2', '5', '7', '12', '13', '15', '20', '21', '22', '23', 'i1', 'i5', 'i9']) {
    expect(outcome.causes.get(cause) ?? 0, `cause ${cause}`).toBeGreaterThan(0);
  }
  expect(outcome.timedOut).toBeLessThan(outcome.cases / 4);
});

it('agrees with QEMU on the cases of another seed', () => {
  const outcome = run(4, 800);
  expect(outcome.failures, outcome.text).toEqual([]);
});
