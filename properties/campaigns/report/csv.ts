/**
 * The report's numbers as one CSV file (RFC 4180) in long form, one number with its interval a line, for spreadsheets
 * and plotting programs. Relies on the report; the rows themselves are exported by campaigns.
 */

import type { SeedKind } from './seeds.ts';
import type { Rate, Spread } from './statistics.ts';
import type { Report } from './summarise.ts';

/** One line: what the number is about, its name, and the number; counts and bounds where it is a rate. */
interface Entry {
  readonly table: string;
  readonly setup: string;
  readonly fault_class: string;
  readonly mechanism: string;
  /** `evaluation`, or `development`: not to be reported; empty where the number is of runs of both, or of no fault. */
  readonly seeds?: SeedKind;
  /** Rung, step, detector, cause, or which pair. */
  readonly item: string;
  readonly measure: string;
  readonly value: number | null;
  readonly hits?: number;
  readonly of?: number;
  readonly low?: number | null;
  readonly high?: number | null;
}

type About = Pick<Entry, 'table' | 'setup' | 'fault_class' | 'mechanism' | 'seeds' | 'item'>;

const COLUMNS = [
  'table',
  'setup',
  'fault_class',
  'mechanism',
  'seeds',
  'item',
  'measure',
  'value',
  'hits',
  'of',
  'low',
  'high',
] as const satisfies readonly (keyof Entry)[];

/** The whole report; lines end in CRLF. Shares are 0…1, empty where there is none. */
export function csvReport(report: Report): string {
  const lines = entriesOf(report).map((entry) => COLUMNS.map((column) => field(entry[column])).join(','));
  return `${[COLUMNS.join(','), ...lines].join('\r\n')}\r\n`;
}

function entriesOf(report: Report): Entry[] {
  return [
    ...report.groups.flatMap(groupEntries),
    ...report.latency.flatMap(latencyEntries),
    ...report.latencyRatios.flatMap(({ setup, instructions, ticks, instructionsBesidesFrames }) => {
      const about = { table: 'latency', setup, fault_class: '', mechanism: 'ReHype : NiLiHype', item: 'ratio' };
      return [
        value(about, 'instructions', instructions),
        value(about, 'ticks', ticks),
        value(about, 'instructions_besides_frames', instructionsBesidesFrames),
      ];
    }),
    ...report.ladders.flatMap(({ ladder, setup, faultClass, recovery, seedKind, rungs }) =>
      rungs.flatMap(({ name, success, noVmf, against }) => {
        const subject = { setup, fault_class: faultClass, mechanism: recovery, seeds: seedKind };
        const about = { table: `ladder ${ladder}`, ...subject, item: name };
        const change = against
          ? [value(about, 'change_points', against.points), value(about, 'paired_p', against.p)]
          : [];
        return [rate(about, 'success_of_detected', success), rate(about, 'novmf_of_detected', noVmf), ...change];
      }),
    ),
    ...report.paired.flatMap(({ setup, faultClass, first, second, metric, ...counts }) => {
      const about = {
        table: 'paired',
        setup,
        fault_class: faultClass,
        mechanism: `${first} : ${second}`,
        item: metric,
      };
      return Object.entries(counts).map(([name, count]) => value(about, name, count));
    }),
    ...report.overhead.flatMap(overheadEntries),
  ];
}

function overheadEntries({ setup, operations, checks, added, addedInAll }: Report['overhead'][number]): Entry[] {
  const about = (table: string, item = ''): About => ({ table, setup, fault_class: '', mechanism: '', item });
  const costs = (item: About, name: string, cost: (typeof checks)[number]['alone']) =>
    Object.entries(cost ?? {}).map(([part, share]) => value(item, `${name}_${part}`, share));
  return [
    value(about('overhead'), 'undo_log_added', added),
    value(about('overhead'), 'undo_log_added_in_all', addedInAll),
    ...operations.flatMap((one) => [
      value(about('overhead', one.name), 'hypervisor_instructions', one.hypervisorInstructions),
      value(about('overhead', one.name), 'machine_instructions', one.machineInstructions),
      value(about('overhead', one.name), 'total_instructions', one.totalInstructions),
      value(about('overhead', one.name), 'vm_exits', one.vmExits),
      ...costs(about('overhead', one.name), 'added', one.added),
    ]),
    ...checks.flatMap(({ check, leftOut, alone, worth }) => [
      ...costs(about('self-checks', check), 'left_out', leftOut),
      ...costs(about('self-checks', check), 'alone', alone),
      ...worth.flatMap(({ faultClass, recovery, success, silent }) => {
        const without = { ...about('self-checks', check), fault_class: faultClass, mechanism: recovery };
        return [rate(without, 'success_of_detected_without', success), rate(without, 'sdc_without', silent)];
      }),
    ]),
  ];
}

function groupEntries(group: Report['groups'][number]): Entry[] {
  const { setup, faultClass, mechanism, seedKind, effects, success, noVmf } = group;
  const subject = { setup, fault_class: faultClass, mechanism, seeds: seedKind };
  const about = (table: string, item = ''): About => ({ table, ...subject, item });
  return [
    ...(['planned', 'run', 'errors', 'notReached', 'injected'] as const).map((name) =>
      value(about('effects'), name, group[name]),
    ),
    ...Object.entries(effects).map(([name, share]) => rate(about('effects'), name, share)),
    ...Object.entries(success).map(([of, share]) => rate(about('success'), `of_${of}`, share)),
    ...Object.entries(noVmf).map(([of, share]) => rate(about('novmf'), `of_${of}`, share)),
    ...group.vmsAffected.map((count, vms) => value(about('vms', String(vms)), 'detected', count)),
    ...group.vmsAffectedSilently.map((count, vms) => value(about('vms', String(vms)), 'undetected', count)),
    ...group.regions.flatMap(({ region, share, ...rates }) => [
      rate(about('regions', region), 'of_injected', share),
      ...Object.entries(rates).map(([name, its]) => rate(about('regions', region), name, its)),
    ]),
    ...group.detectors.map(({ detector, share }) => rate(about('detection', detector), 'of_detected', share)),
    ...spread(about('detection'), 'instructions', group.detectionLatency),
    ...group.causes.map(({ cause, share }) => rate(about('causes', cause), 'of_detected', share)),
    ...group.bySeed.flatMap(({ seed, injected, detected, success: recovered, noVmf: unharmed }) =>
      Object.entries({ injected, detected, success: recovered, novmf: unharmed }).map(([name, count]) =>
        value(about('seeds', String(seed)), name, count),
      ),
    ),
    rate(about('after'), 'detected_again', group.detectedAgain),
    rate(about('after'), 'vm_state_equivalent', group.equivalence.equivalent),
  ];
}

function latencyEntries({
  setup,
  mechanism,
  steps,
  totalInstructions,
  totalTicks,
}: Report['latency'][number]): Entry[] {
  const about = (item: string): About => ({ table: 'latency', setup, fault_class: '', mechanism, item });
  const lengths = [...steps, { name: 'total', instructions: totalInstructions, ticks: totalTicks }];
  return lengths.flatMap(({ name, instructions, ticks }) => [
    ...spread(about(name), 'instructions', instructions),
    ...spread(about(name), 'ticks', ticks),
  ]);
}

const value = (about: About, measure: string, number: number | null): Entry => ({ ...about, measure, value: number });

const rate = (about: About, measure: string, { hits, of, share, interval }: Rate): Entry => ({
  ...about,
  measure,
  value: share,
  hits,
  of,
  low: interval?.low ?? null,
  high: interval?.high ?? null,
});

const spread = (about: About, unit: string, found: Spread | null): Entry[] =>
  found ? (['mean', 'median', 'p95', 'max'] as const).map((name) => value(about, `${unit}_${name}`, found[name])) : [];

/** Quoted where RFC 4180 wants it. Text that a spreadsheet would take for a formula gets an apostrophe before it. */
function field(content: string | number | null | undefined): string {
  if (content === undefined || content === null) return '';
  if (typeof content === 'number') return String(content);
  const safe = /^[=+\-@\t\r]/.test(content) ? `'${content}` : content;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
