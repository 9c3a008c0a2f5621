/**
 * Tables of effects, success, VMs affected, detection, causes and what recovery left behind: one row for each group.
 */
import { DETECTORS, type FailureCause } from '../../injection/index.ts';
import { pooledRate } from '../bootstrap.ts';
import { bounds, DASH, grouped, percent, ratePercent } from '../format.ts';
import { recoveryName } from '../groups.ts';
import { intervalNote } from '../intervals.ts';
import { CAVEAT, PUBLISHED_CAUSES, PUBLISHED_OUTCOMES } from '../published.ts';
import { rateOf } from '../statistics.ts';
import type { GroupSummary, Report } from '../summarise.ts';
import { number, ours, published, type Table, type TableRow, text } from './table.ts';

const SUBJECT = [text('set-up'), text('fault'), text('mechanism')];
const subject = ({ setup, faultClass, mechanism }: GroupSummary) => [setup, faultClass, mechanism];

/** Published rows whose fault class this campaign has too. */
const publishedFor = (report: Report) =>
  PUBLISHED_OUTCOMES.filter((row) => report.groups.some((group) => group.faultClass === row.faultClass));

/** Injected, not reached, and each effect. */
export function effectsTable(report: Report): Table {
  const rows = report.groups.map((group) => {
    const { nonManifested, latent, detected } = group.effects;
    const undetected = pooledRate(
      group.bySeed.map((seed) => ({ hits: seed.injected - seed.harmless - seed.detected, of: seed.injected })),
    );
    return ours(
      ...subject(group),
      grouped(group.injected),
      grouped(group.notReached),
      ...[nonManifested, latent, undetected, detected].map(ratePercent),
    );
  });
  const theirs = publishedFor(report).map((row) =>
    published(
      row.setup,
      row.faultClass,
      'DSN18, both',
      grouped(row.injected),
      DASH,
      ...[row.nonManifested, null, row.sdc, row.detected].map((share) => percent(share)),
    ),
  );
  return {
    id: 'effects',
    title: 'What became of the faults',
    columns: [
      ...SUBJECT,
      number('injected'),
      number('not\nreached'),
      number('non-manifested'),
      number('latent'),
      number('undetected'),
      number('detected'),
    ],
    rows: [...rows, ...theirs],
    notes: [
      `${intervalNote(report)} Of the injected; triggers that were never reached are counted apart.`,
      'Latent: right output, but the final state differs from the golden run. The papers do not look for it: theirs is ' +
        'in non-manifested.',
      'Undetected: harm that no detector saw, which the papers call SDC; what it was stands in the next table.',
      ...sourced(theirs),
    ],
  };
}

/** What harm it was that nothing detected. */
export function undetectedTable(report: Report): Table {
  return {
    id: 'undetected',
    title: 'Harm that nothing detected',
    columns: [
      ...SUBJECT,
      number('announced\nerror'),
      number('undetected\nhang'),
      number('machine\ndeath'),
      number('silent\ncorruption'),
    ],
    rows: report.groups.map((group) => {
      const { announcedError, undetectedHang, machineDeath, sdc } = group.effects;
      return ours(...subject(group), ...[announcedError, undetectedHang, machineDeath, sdc].map(ratePercent));
    }),
    notes: [
      `${intervalNote(report)} Of the injected. Announced error: a VM itself reports what went wrong. Hang: a VM or the machine ` +
        'never ends. Death: the machine stops itself while VMs are at work. Silent corruption: an output is wrong ' +
        'without a word, or isolation is broken.',
    ],
  };
}

/** Success over detected, manifested and injected. */
export function successTable(report: Report): Table {
  return coverageTable(report, {
    id: 'success',
    title: 'Success',
    of: 'success',
    meaning:
      'Success: recovered, at most one AppVM affected (set-ups with one AppVM: none), and a VM created afterwards runs.',
  });
}

/** No VM affected, over detected, manifested and injected. */
export function noVmfTable(report: Report): Table {
  return coverageTable(report, {
    id: 'novmf',
    title: 'No VM affected (noVMF)',
    of: 'noVmf',
    meaning: 'noVMF: a success that no VM noticed.',
  });
}

/** As published, to the second decimal, with the interval that its count gives. */
function publishedRate(share: number, detected: number): string {
  const { interval } = rateOf(Math.round(share * detected), detected);
  return `${(100 * share).toFixed(2)} ${bounds(interval!)}`;
}

interface CoverageTable {
  readonly id: string;
  readonly title: string;
  readonly of: 'success' | 'noVmf';
  readonly meaning: string;
}

function coverageTable(report: Report, { id, title, of, meaning }: CoverageTable): Table {
  const row = (group: GroupSummary, mechanism: string, coverage: GroupSummary['success']) => {
    const { detected, manifested, manifestedOrLatent, injected } = coverage;
    return ours(
      ...[group.setup, group.faultClass, mechanism, grouped(detected.of)],
      ...[detected, manifested, manifestedOrLatent, injected].map(ratePercent),
    );
  };
  const rows = report.groups.flatMap((group) => {
    const { mechanism, proper } = group;
    if (!proper || proper.fellBack.hits === 0) return [row(group, mechanism, group[of])];
    return [
      row(group, `${mechanism} proper`, proper[of]),
      row(group, `${mechanism}, ${proper.fellBack.hits} by a reboot`, group[of]),
    ];
  });
  const theirs = publishedFor(report).flatMap((row) =>
    (['rehype', 'nilihype'] as const).map((recovery) => {
      const { detected, ...shares } = row[recovery];
      const share = shares[of];
      return published(
        row.setup,
        row.faultClass,
        `DSN18 ${recoveryName(recovery)}`,
        grouped(detected),
        publishedRate(share, detected),
        percent((share * row.detected) / (row.detected + row.sdc)),
        DASH,
        percent(row.nonManifested + share * row.detected),
      );
    }),
  );
  return {
    id,
    title,
    columns: [
      ...SUBJECT,
      number('detected'),
      number('of detected'),
      number('of manifested'),
      number('of manifested\nor latent'),
      number('of injected'),
    ],
    rows: [...rows, ...theirs],
    notes: [
      `${meaning} ${intervalNote(report)}`,
      "Manifested, the papers' way: detected, or harm undetected (announced errors, hangs, machine deaths, SDC), which never " +
        'counts as good. Stricter: latent faults too, none of which counts as good. Of injected: faults without visible ' +
        'effect count as good.',
      ...fallBackNotes(report),
      ...sourced(theirs, 'intervals and the columns behind are derived from its figures'),
    ],
  };
}

/** What a fall-back is, and that there was none. */
function fallBackNotes({ groups }: Report): string[] {
  const propers = groups.flatMap(({ proper }) => proper ?? []);
  if (propers.length === 0) return [];
  const fallBacks = propers.reduce((sum, { fellBack }) => sum + fellBack.hits, 0);
  return fallBacks === 0
    ? ['No microreset failed before it resumed a VM: none fell back to a reboot.']
    : [
        'Proper: a microreset that failed before it resumed a VM is a failure; a second line counts the reboot that ' +
          'followed it.',
      ];
}

/** How many VMs each detected or silent fault took. */
export function vmsTable(report: Report): Table {
  const width = Math.max(2, ...report.groups.flatMap((g) => [g.vmsAffected.length, g.vmsAffectedSilently.length]));
  const bins = Array.from({ length: width }, (_, i) => i);
  const cells = (counts: readonly number[], of: number) =>
    bins.map((bin) => (of === 0 ? DASH : grouped(counts[bin] ?? 0)));
  return {
    id: 'vms',
    title: 'VMs affected',
    columns: [
      ...SUBJECT,
      ...bins.map((bin) => number(`detected\n${bin} VM${bin === 1 ? '' : 's'}`)),
      ...bins.map((bin) => number(`undetected\n${bin} VM${bin === 1 ? '' : 's'}`)),
    ],
    rows: report.groups.map((group) =>
      ours(
        ...subject(group),
        ...cells(group.vmsAffected, group.effects.detected.hits),
        ...cells(group.vmsAffectedSilently, group.manifested - group.effects.detected.hits),
      ),
    ),
    notes: ['Runs by the number of VMs whose output was wrong or that did not finish, the PrivVM included.'],
  };
}

/** Which detector fired, and how many instructions after the fault. */
export function detectionTable(report: Report): Table {
  const seen = [...DETECTORS, 'unknown' as const].filter((name) =>
    report.groups.some((g) => g.detectors.some((d) => d.detector === name)),
  );
  return {
    id: 'detection',
    title: 'Detection',
    columns: [
      ...SUBJECT,
      number('detected'),
      ...seen.map((name) => number(`${name}\n%`)),
      number('latency\nmedian'),
      number('p95'),
      number('max'),
    ],
    rows: report.groups.map((group) => {
      const latency = group.detectionLatency;
      return ours(
        ...subject(group),
        grouped(group.effects.detected.hits),
        ...seen.map((name) => detectorCell(group, name)),
        ...(['median', 'p95', 'max'] as const).map((key) => (latency ? grouped(latency[key]) : DASH)),
      );
    }),
    notes: ['Latency in instructions of all harts between the fault and its first detection.'],
  };
}

function detectorCell(group: GroupSummary, name: string): string {
  if (group.effects.detected.hits === 0) return DASH;
  const found = group.detectors.find(({ detector }) => detector === name);
  return found ? percent(found.share.share) : '0';
}

const CAUSE_COLUMNS: readonly (readonly [FailureCause, string])[] = [
  ['recovery not entered', 'not\nentered'],
  ['recovery failed', 'recovery\nfailed'],
  ['failed again', 'failed\nagain'],
  ['hang after recovery', 'hang\nafter'],
  ['privvm failed', 'PrivVM\nfailed'],
  ['new vm failed', 'new VM\nfailed'],
  ['several vms affected', 'several\nVMs'],
  ['one vm affected', 'one\nVM'],
];

/** Why recoveries failed, or lost a VM. */
export function causesTable(report: Report): Table {
  return {
    id: 'causes',
    title: 'Failure causes',
    columns: [...SUBJECT, number('detected'), ...CAUSE_COLUMNS.map(([, label]) => number(label))],
    rows: report.groups.map((group) =>
      ours(
        ...subject(group),
        grouped(group.effects.detected.hits),
        ...CAUSE_COLUMNS.map(([cause]) => {
          const found = group.causes.find((one) => one.cause === cause);
          return found ? grouped(found.share.hits) : group.effects.detected.hits === 0 ? DASH : '0';
        }),
      ),
    ),
    notes: [
      'Runs by the first cause that holds. One VM: a success in set-ups with several AppVMs, a failure in the others.',
      `${PUBLISHED_CAUSES.text} ${CAVEAT}`,
    ],
  };
}

/** VM-state equivalence, and hypervisors that failed again. */
export function afterTable(report: Report): Table {
  return {
    id: 'after',
    title: 'After recovery',
    columns: [
      ...SUBJECT,
      number('recoveries\ncompared'),
      number('changed no VM\n%'),
      number('detected more\nthan once %'),
      text('most frequent difference'),
    ],
    rows: report.groups.map((group) => {
      const { equivalent, reasons } = group.equivalence;
      const [first] = reasons;
      return ours(
        ...subject(group),
        grouped(equivalent.of),
        ratePercent(equivalent),
        ratePercent(group.detectedAgain),
        first ? `${first.reason} (${first.count})` : DASH,
      );
    }),
    notes: [
      'VM-state equivalence: memory of each VM at the freeze against memory at resumption, registers of each ' +
        'vCPU at its last exit against those at its next entry.',
      intervalNote(report),
    ],
  };
}

/** Source and caveat, where any published row stands in the table. */
function sourced(rows: readonly TableRow[], derived?: string): string[] {
  if (rows.length === 0) return [];
  return [`Published: ${PUBLISHED_OUTCOMES[0]!.source}${derived ? `; ${derived}` : ''}. ${CAVEAT}`];
}
