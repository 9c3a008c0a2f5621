/** Table of what the struck harts were executing. */
import { grouped, percent, ratePercent } from '../format.ts';
import { intervalNote } from '../intervals.ts';
import type { Report } from '../summarise.ts';
import { number, ours, type Table, text } from './table.ts';

/** Outcome and success by where faults struck: one row for each region of each group. */
export function regionsTable(report: Report): Table {
  return {
    id: 'regions',
    title: 'Where faults struck',
    columns: [
      ...[text('set-up'), text('fault'), text('mechanism'), text('executing')],
      number('injected'),
      number('of all\n%'),
      number('for no VM\n%'),
      number('detected\n%'),
      number('undetected\n%'),
      number('success\nof detected'),
    ],
    rows: report.groups.flatMap(({ setup, faultClass, mechanism, regions }) =>
      regions.map(({ region, share, nobody, detected, undetected, success }) =>
        ours(
          ...[setup, faultClass, mechanism, region, grouped(share.hits)],
          ...[share, nobody, detected, undetected].map((rate) => percent(rate.share)),
          ratePercent(success),
        ),
      ),
    ),
    notes: [
      'What the hart was executing: a handler of VM exits or interrupts, the scheduler, the way into or out of a VM, the ' +
        'idle loop, a recovery, or the firmware and the recovery block (M-mode). For no VM: hgatp names none. ' +
        intervalNote(report),
    ],
  };
}
