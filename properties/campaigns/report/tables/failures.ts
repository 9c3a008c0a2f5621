/** Tables of rows that did not end well, with the commands that show them again. */
import type { FailureKind } from '../failures.ts';
import { grouped, pValue, ratio } from '../format.ts';
import type { Report } from '../summarise.ts';
import { number, ours, type Table, text, wide } from './table.ts';

const KINDS: Record<FailureKind, string> = {
  failed: 'failed',
  'vm lost': 'VM lost',
  sdc: 'SDC',
  'undetected-hang': 'hang',
  'announced-error': 'announced',
  'machine-death': 'death',
};
const MOST_SHOWN = 60;
const COMMAND = { label: 'reproduce', code: true } as const;

/** Failures alike, most frequent first, with the first of each. */
export function failureGroupsTable(report: Report): Table {
  return {
    id: 'failure-groups',
    title: 'Failures, alike together',
    shown: MOST_SHOWN,
    columns: [number('runs'), text('kind'), text('cause'), text('set-up'), text('fault'), text('mechanism'), COMMAND],
    rows: report.failureGroups.map(({ count, kind, cause, setup, faultClass, mechanism, command }) =>
      ours(grouped(count), KINDS[kind], cause, setup, faultClass, mechanism, command),
    ),
    notes: [
      'Ladders and runs without recovery are left out: they fail on purpose. The command runs the first of its kind again, ' +
        'exactly, and explains it.',
    ],
  };
}

/** What was hit when runs ended badly, the least likely by chance first. */
export function clustersTable(report: Report): Table {
  return {
    id: 'clusters',
    title: 'What was hit when runs ended badly',
    columns: [
      ...[text('set-up'), text('fault'), wide('hit'), number('bad'), number('of'), number('expected'), number('p')],
      ...[number('Holm'), wide('ends'), COMMAND],
    ],
    rows: report.clusters.map(({ setup, faultClass, hit, bad, of, expected, p, holm, ends, commands }) =>
      ours(
        ...[setup, faultClass, hit, grouped(bad), grouped(of), ratio(expected), pValue(p), pValue(holm)],
        ...[ends.map(({ end, count }) => `${count} ${end}`).join(', '), commands[0] ?? ''],
      ),
    ),
    notes: [
      'Injections, whatever the mechanisms, of all that hit the same; expected: at the rate of their set-up and fault ' +
        'class; p: exact, one-sided, before and after Holm. At most 20, of two injections or more; --json has three ' +
        'examples of each.',
    ],
  };
}

/** Rows that have no outcome because dejavm itself failed. */
export function internalErrorsTable(report: Report): Table {
  return {
    id: 'internal-errors',
    title: 'Rows without an outcome: internal errors of dejavm',
    shown: MOST_SHOWN,
    columns: [COMMAND, wide('error')],
    rows: report.internalErrors.map(({ command, message }) => ours(command, message)),
    notes: ['They are in no count and no rate; the next run of the campaign tries them again.'],
  };
}

/** Every failure, ladders too. */
export function failuresTable(report: Report): Table {
  return {
    id: 'failures',
    title: 'Every failure',
    columns: [
      COMMAND,
      text('kind'),
      text('cause'),
      text('set-up'),
      text('fault'),
      text('mechanism'),
      text('rung'),
      text('hit'),
      text('detection'),
      text('detail'),
    ],
    rows: report.failures.map((one) =>
      ours(
        one.command,
        KINDS[one.kind],
        one.cause,
        one.setup,
        one.faultClass,
        one.mechanism,
        one.rung ?? '',
        one.hit,
        one.detection,
        one.detail,
      ),
    ),
    notes: [],
  };
}
