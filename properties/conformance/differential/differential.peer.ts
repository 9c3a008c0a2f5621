/**
 * Our machine against Debian's QEMU: the cases of fixed seeds, and single cases that once differed. Needs
 * qemu-system-misc. A failure prints the shrunk case and the command that shows it again. A round of a seed that nobody
 * chose is `.ci/run`'s, which reports what it finds and passes: a QEMU that is wrong in a new way is no reason to stop.
 */
import { expect, it } from 'vitest';
import { compare } from './compare.ts';

const run = (seed: number, cases: number, only?: number) => {
  const lines: string[] = [];
  const outcome = compare({ seed, cases, only, maxFailures: 1, log: (line) => lines.push(line) });
  return { ...outcome, text: lines.join('\n') };
};

it('agrees with QEMU on the cases of a fixed seed', () => {
  const outcome = run(1, 1000);
  expect(outcome.failures, outcome.text).toEqual([]);
  expect(outcome.cases).toBe(1000);
  // The cases are worth something: most kinds of exceptions were met, among them those of two stages.
  for (const cause of ['1', '2', '5', '7', '12', '13', '15', '20', '21', '22', '23', 'i1', 'i5', 'i9']) {
    expect(outcome.causes.get(cause) ?? 0, `cause ${cause}`).toBeGreaterThan(0);
  }
  expect(outcome.endless).toBeLessThan(outcome.cases / 10);
  // Quirks of QEMU are rare; a machine that needs them often to agree does something wrong.
  expect([...outcome.quirks.values()].reduce((sum, n) => sum + n, 0)).toBeLessThan(outcome.cases / 20);
});

it.each([4, 404])('agrees with QEMU on the cases of seed %i', (seed) => {
  const outcome = run(seed, 400);
  expect(outcome.failures, outcome.text).toEqual([]);
});

/**
 * Found by a round of CI's, then settled: the seed, the number of the case, and the first words of the quirk it met.
 */
it.each([[991002, 112, 'a user page that supervisor mode loaded from']])(
  'agrees with QEMU on what was found: seed %i, case %i',
  (seed, only, quirk) => {
    const outcome = run(seed, 1, only);
    expect(outcome.failures, outcome.text).toEqual([]);
    expect([...outcome.quirks.keys()]).toEqual([expect.stringContaining(quirk)]);
  },
);
