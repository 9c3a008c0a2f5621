/** Tables of normal operation: what undo log and self-checks cost, and what each check is worth. */
import { DASH, grouped, percent, points, ratePercent } from '../format.ts';
import { recoveryName } from '../groups.ts';
import { CAVEAT, PUBLISHED_OVERHEAD } from '../published.ts';
import type { Rate } from '../statistics.ts';
import type { Report } from '../summarise.ts';
import { number, ours, published, type Table, type TableRow, text, wide } from './table.ts';

type OverheadSummary = Report['overhead'][number];

/** Instructions of fault-free runs, one row for each kind of operation. */
export function overheadTable(report: Report): Table {
  const theirs = PUBLISHED_OVERHEAD.flatMap(({ workload, withUndoLog, withoutUndoLog }) => {
    const row = (name: string, added: number) =>
      published('DSN18', `${workload}, ${name}`, ...new Array<string>(8).fill(DASH), percent(added));
    return [row('no undo log', withoutUndoLog), row('undo log', withUndoLog)];
  });
  return {
    id: 'overhead',
    title: 'Normal operation: what undo log and self-checks cost',
    columns: [
      text('set-up'),
      wide('operation'),
      number('HS\n%'),
      number('M\n%'),
      number('VM exits'),
      number('HS per\nexit'),
      number('M per\nexit'),
      number('adds\nin HS'),
      number('adds\nin M'),
      number('adds\nin all'),
      number('% of\nHS'),
    ],
    rows: report.overhead.length === 0 ? [] : [...report.overhead.flatMap(operationRows), ...theirs],
    notes: [
      "Instructions retired in HS-mode and in M-mode in fault-free runs, the firmware's and the recovery block's among the " +
        'latter. What is added is counted against the run with everything off, in percent of all its instructions, the last ' +
        'column in percent of its instructions in HS-mode. Every run has a schedule of its own: where something costs ' +
        'little, the difference can be negative.',
      `Published: ${PUBLISHED_OVERHEAD[0]!.source}. Percent of stock Xen. ${CAVEAT}`,
    ],
  };
}

function operationRows({ setup, operations }: OverheadSummary): TableRow[] {
  return operations.map((one) => {
    const perExit = (count: number) => (one.vmExits > 0 ? grouped(count / one.vmExits) : DASH);
    return ours(
      setup,
      one.name,
      percent(one.hypervisorShare),
      percent(one.machineShare),
      grouped(one.vmExits),
      perExit(one.hypervisorInstructions),
      perExit(one.machineInstructions),
      ...[one.added?.hypervisor, one.added?.machine, one.added?.all].map((share) => percent(share ?? null, 2)),
      percent(one.addedToHypervisor),
    );
  });
}

/** What each self-check costs, beside what becomes of faults without it. */
export function checksTable(report: Report): Table {
  return {
    id: 'self-checks',
    title: 'Self-checks: cost beside worth',
    columns: [
      text('set-up'),
      text('check'),
      number('cost\nin HS'),
      number('in M'),
      number('in\nall'),
      number('alone'),
      text('fault'),
      text('mechanism'),
      number('success of\ndetected'),
      number('change'),
      number('SDC of\ninjected'),
      number('change'),
    ],
    rows: report.overhead.flatMap(checkRows),
    notes: [
      'Cost: what all checks cost more than all but this one, and what it costs by itself beside the undo log, in percent ' +
        'of all instructions with everything off. Worth: the rung of a leave-one-out ladder without it, and by how ' +
        'many points that differs from all checks; where the campaign has none, dashes.',
    ],
  };
}

function checkRows({ setup, checks }: OverheadSummary): TableRow[] {
  return checks.flatMap(({ check, leftOut, alone, worth }) => {
    const cost = [leftOut?.hypervisor, leftOut?.machine, leftOut?.all, alone?.all].map((of) => percent(of ?? null, 2));
    if (worth.length === 0) return ours(setup, check, ...cost, ...new Array<string>(6).fill(DASH));
    return worth.map(({ faultClass, recovery, success, successOfAll, silent, silentOfAll }) =>
      ours(
        setup,
        check,
        ...cost,
        faultClass,
        recoveryName(recovery),
        ...[ratePercent(success), changed(success, successOfAll)],
        ...[ratePercent(silent), changed(silent, silentOfAll)],
      ),
    );
  });
}

const changed = (without: Rate, all: Rate): string =>
  without.share === null || all.share === null ? DASH : points(100 * (without.share - all.share));
