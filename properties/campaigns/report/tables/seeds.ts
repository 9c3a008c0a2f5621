/** What each seed did by itself: whether rates are those of a system, or of one run of it. */
import { DASH, grouped, ratePercent } from '../format.ts';
import { rateOf } from '../statistics.ts';
import type { GroupSummary, Report, SeedCounts } from '../summarise.ts';
import { number, ours, type Table, text } from './table.ts';

/** A terminal gets this many rows: the first groups. */
const SHOWN = 20;

/** One row for each seed of each group that has several. */
export function seedsTable(report: Report): Table {
  const rows = report.groups
    .filter(({ bySeed }) => bySeed.length > 1)
    .flatMap((group) => group.bySeed.map((counts) => seedRow(group, counts)));
  return {
    id: 'by-seed',
    title: 'Seed by seed',
    columns: [
      text('set-up'),
      text('fault'),
      text('mechanism'),
      number('seed'),
      number('injected'),
      number('detected'),
      number('success of\ndetected'),
      number('noVMF of\ndetected'),
    ],
    rows,
    shown: SHOWN,
    notes: [
      'Evaluation seeds by number, development seeds by value. Percent with Wilson 95 % intervals of that seed alone, which ' +
        'take its runs for independent.',
    ],
  };
}

function seedRow({ setup, faultClass, mechanism }: GroupSummary, counts: SeedCounts) {
  const { seed, evaluation = seed, injected, detected, success, noVmf } = counts;
  const rates = detected === 0 ? [DASH, DASH] : [success, noVmf].map((hits) => ratePercent(rateOf(hits, detected)));
  return ours(setup, faultClass, mechanism, String(evaluation), grouped(injected), grouped(detected), ...rates);
}
