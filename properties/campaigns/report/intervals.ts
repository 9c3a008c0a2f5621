/** What stands below tables of rates: how their intervals were made. Relies on bootstrap.ts for what it says. */
import { REPLICATES } from './bootstrap.ts';
import type { Report } from './summarise.ts';

const ONE = 'the variance between seeds is not in them';

/** One or two sentences, for the seeds that the report's groups and rungs have. */
export function intervalNote({ groups, ladders }: Pick<Report, 'groups' | 'ladders'>): string {
  const rungs = ladders.flatMap((ladder) => ladder.rungs);
  const seeds = [...groups.map(({ bySeed }) => bySeed.length), ...rungs.map((rung) => rung.seeds)];
  if (seeds.every((count) => count <= 1)) {
    return `Percent with Wilson 95 % intervals of runs of one seed: ${ONE}.`;
  }
  const several =
    "Percent with 95 % intervals: on each side the wider of Wilson's over all runs, and of a cluster bootstrap " +
    `(${REPLICATES} times, seeds with replacement, then runs within each seed).`;
  return seeds.includes(1) ? `${several} Where all runs are of one seed, Wilson's alone: ${ONE}.` : several;
}
