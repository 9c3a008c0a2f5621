/** Every figure of the report: which data each plot shows, its legend and its caption. */
import { pooledRate } from '../bootstrap.ts';
import { DASH, grouped, percent } from '../format.ts';
import { groupBy, recoveryName } from '../groups.ts';
import type { LadderSummary } from '../ladders.ts';
import { CAVEAT, PUBLISHED_LADDERS, PUBLISHED_OUTCOMES, PUBLISHED_OVERHEAD } from '../published.ts';
import { rateOf } from '../statistics.ts';
import type { GroupSummary, Report } from '../summarise.ts';
import { type BarRow, legend, type Segment, stackedBars } from './bars.ts';
import { logCdf } from './cdf.ts';
import { type DotRow, dotMinimum, dotRows } from './dots.ts';
import type { Figure } from './figure.ts';

const ENDS = [
  ['non-manifested', 'non-manifested'],
  ['latent', 'latent'],
  ['novmf', 'recovered, no VM affected'],
  ['vmlost', 'recovered, one AppVM lost'],
  ['failed', 'not recovered'],
  ['announced', 'error announced, not detected'],
  ['hang', 'undetected hang'],
  ['death', 'machine death'],
  ['sdc', 'silent corruption'],
] as const;

/** Runs without a recovery fail by construction: figures of what recovery does leave them out, tables have them. */
const recovering = ({ groups }: Report) => groups.filter(({ recovery }) => recovery !== 'none');

const headingOf = ({ setup, faultClass }: GroupSummary) => `${setup}, ${faultClass}`;

/** Stacked ends of all faults injected, ours and published. */
export function outcomesFigure(report: Report): Figure | undefined {
  const groups = report.groups.filter(({ injected }) => injected > 0);
  if (groups.length === 0) return undefined;
  const rows = groups.map((group): BarRow => {
    const { injected, effects, success, noVmf, bySeed } = group;
    const good = success.detected.hits;
    const values = [
      effects.nonManifested.hits,
      effects.latent.hits,
      noVmf.detected.hits,
      good - noVmf.detected.hits,
      effects.detected.hits - good,
      effects.announcedError.hits,
      effects.undetectedHang.hits,
      effects.machineDeath.hits,
      effects.sdc.hits,
    ].map((count) => (100 * count) / injected);
    const harmless = pooledRate(bySeed.map((seed) => ({ hits: seed.harmless, of: seed.injected }))).interval!;
    const ended = success.injected.interval!;
    return {
      heading: headingOf(group),
      name: group.mechanism,
      segments: endSegments(values),
      whiskers: (success.detected.hits > 0 ? [harmless, ended] : [ended]).map(({ low, high }) => ({
        low: 100 * low,
        high: 100 * high,
      })),
      note: `n ${grouped(injected)}`,
    };
  });
  const theirs = publishedOf(report).flatMap((row) =>
    (['rehype', 'nilihype'] as const).map((recovery): BarRow => {
      const { success, noVmf } = row[recovery];
      const shares = [row.nonManifested, 0, row.detected * noVmf, row.detected * (success - noVmf)];
      const values = [...shares, row.detected * (1 - success), 0, 0, 0, row.sdc].map((share) => 100 * share);
      return {
        heading: `DSN18 on Xen: ${row.setup}, ${row.faultClass}`,
        name: recoveryName(recovery),
        segments: endSegments(values),
        note: `n ${grouped(row.injected)}`,
        published: true,
      };
    }),
  );
  const all = [...rows, ...theirs];
  const chart = {
    description: 'How faults ended, in percent of those injected',
    rows: all,
    max: 100,
    unit: ' %',
    values: true,
  };
  return {
    id: 'figure-outcomes',
    legend: legend([
      ...ENDS.map(([cls, name]) => ({ cls, name })),
      { cls: 'ink', name: '95 % interval', mark: 'whisker' },
    ]),
    draw: (width, narrow) => stackedBars(chart, width, narrow),
    caption:
      'How faults ended, in percent of those injected. The first whisker bounds the share without visible effect, the ' +
      `second the share that ended well (the same where nothing was detected): what lies to its right failed.${theirs.length > 0 ? ` ${CAVEAT}` : ''}`,
  };
}

const endSegments = (values: readonly number[]): Segment[] =>
  ENDS.map(([cls, name], i) => ({ cls, value: values[i]!, title: `${name}: ${values[i]!.toFixed(2)} %` }));

const publishedOf = (report: Report) =>
  PUBLISHED_OUTCOMES.filter((row) => report.groups.some((group) => group.faultClass === row.faultClass));

/** Success and noVMF of detected faults with whiskers and the success of each seed, beside the published ones. */
export function ratesFigure(report: Report): Figure | undefined {
  const groups = recovering(report).filter((group) => group.effects.detected.hits > 0);
  const classes = [...new Set(groups.map(({ faultClass }) => faultClass))];
  const rows = classes.flatMap((faultClass) => [
    ...groups.filter((group) => group.faultClass === faultClass).map(rateRow),
    ...publishedRateRows(faultClass),
  ]);
  if (rows.length === 0) return undefined;
  const chart = { description: 'Success and noVMF in percent of detected faults', rows, min: dotMinimum(rows) };
  const perSeed = rows.some(({ parts }) => parts) ? '; small dots are the success of each seed' : '';
  return {
    id: 'figure-rates',
    legend: legend([
      { cls: 'rehype', name: 'success', mark: 'dot' },
      { cls: 'rehype', name: 'noVMF', mark: 'diamond' },
      { cls: 'rehype', name: 'ReHype' },
      { cls: 'nilihype', name: 'NiLiHype' },
      { cls: 'hollow rehype', name: 'published', mark: 'dot' },
    ]),
    draw: (width, narrow) => dotRows(chart, width, narrow),
    caption: `Success / noVMF in percent of detected faults, with 95 % intervals${perSeed}. ${CAVEAT}`,
  };
}

function rateRow(group: GroupSummary): DotRow {
  const rates = [group.success.detected, group.noVmf.detected];
  return {
    heading: group.faultClass,
    name: `${group.setup}, ${group.mechanism}`,
    cls: group.recovery,
    dots: rates.map(({ share, interval }, i) => ({ share: share!, interval, mark: i === 0 ? 'dot' : 'diamond' })),
    ...(group.bySeed.length > 1 && {
      parts: group.bySeed.flatMap(({ success, detected }) => (detected > 0 ? [success / detected] : [])),
    }),
    note: rates.map(({ share }) => percent(share)).join(' / '),
  };
}

function publishedRateRows(faultClass: string): DotRow[] {
  return PUBLISHED_OUTCOMES.filter((row) => row.faultClass === faultClass).flatMap((row) =>
    (['rehype', 'nilihype'] as const).map((recovery): DotRow => {
      const { detected, success, noVmf } = row[recovery];
      return {
        heading: faultClass,
        name: `DSN18 ${row.setup}, ${recoveryName(recovery)}`,
        cls: recovery,
        published: true,
        dots: [success, noVmf].map((share, i) => ({
          share,
          interval: rateOf(Math.round(share * detected), detected).interval,
          mark: i === 0 ? 'dot' : 'diamond',
        })),
        note: `${percent(success)} / ${percent(noVmf)}`,
      };
    }),
  );
}

/** One ladder, rung by rung; cumulative ones with the published ladder of the same mechanism below. */
export function ladderFigure(ladder: LadderSummary, id: string): Figure | undefined {
  const { recovery, kind, title, setup, faultClass, rungs } = ladder;
  const heading = `Lazarus: ${setup}, ${faultClass}`;
  const full = kind === 'leave-one-out' ? rungs.find(({ against }) => against === undefined) : undefined;
  const rows = rungs.map(
    ({ name, success }): DotRow => ({
      heading,
      name,
      cls: recovery,
      dots: success.share === null ? [] : [{ share: success.share, interval: success.interval, mark: 'dot' }],
      note: percent(success.share),
    }),
  );
  if (rows.every(({ dots }) => dots.length === 0)) return undefined;
  const theirs =
    kind === 'cumulative' ? PUBLISHED_LADDERS.filter((one) => one.recovery === recovery).flatMap(publishedRungs) : [];
  const chart = {
    description: `${title} ladder: success in percent of detected faults`,
    rows: [...rows, ...theirs],
    connected: kind === 'cumulative',
    min: 0,
    ...(full?.success.interval && { band: { heading, interval: full.success.interval } }),
  };
  return {
    id,
    legend: '',
    draw: (width, narrow) => dotRows(chart, width, narrow),
    caption:
      'Success in percent of detected faults, with 95 % intervals. ' +
      (full ? 'The band is the interval of the full set.' : '') +
      (theirs.length > 0 ? CAVEAT : ''),
  };
}

function publishedRungs({ recovery, title, setup, rungs }: (typeof PUBLISHED_LADDERS)[number]): DotRow[] {
  return rungs.map(({ name, success, half }) => ({
    heading: `Published: ${title}, on Xen (${setup})`,
    name,
    cls: recovery,
    published: true,
    dots: [{ share: success, interval: half ? { low: success - half, high: success + half } : null, mark: 'dot' }],
    note: percent(success),
  }));
}

/** How long faults stay undetected, by fault class. */
export function detectionFigure(report: Report): Figure | undefined {
  const series = groupBy(report.groups, ({ faultClass }) => [faultClass])
    .map((groups) => ({
      name: groups[0]!.faultClass,
      cls: `class-${groups[0]!.faultClass}`,
      sample: groups.flatMap(({ detectionLatencies }) => detectionLatencies).sort((a, b) => a - b),
    }))
    .filter(({ sample }) => sample.length > 0);
  if (series.length === 0) return undefined;
  return {
    id: 'figure-detection',
    legend: legend(
      series.map(({ cls, name, sample }) => ({ cls, name: `${name} (${grouped(sample.length)})`, mark: 'line' })),
    ),
    draw: (width, narrow) => logCdf('Detection latency: cumulative share of detected faults', series, width, narrow),
    caption:
      'Share of detected faults that were detected within so many instructions of all harts, by fault class: set-ups and ' +
      'mechanisms together, logarithmic scale, latencies of 0 drawn at 1.',
  };
}

/** VMs lost per detected fault. */
export function vmsFigure(report: Report): Figure | undefined {
  const groups = recovering(report).filter((group) => group.effects.detected.hits > 0);
  if (groups.length === 0) return undefined;
  const most = Math.max(...groups.map(({ vmsAffected }) => vmsAffected.length - 1));
  const bins = Array.from({ length: most }, (_, i) => i + 1);
  const rows = groups.map((group): BarRow => {
    const total = group.effects.detected.hits;
    return {
      heading: headingOf(group),
      name: group.mechanism,
      segments: bins.map((bin) => {
        const count = group.vmsAffected[bin] ?? 0;
        return {
          cls: `vms-${Math.min(bin, 4)}`,
          value: (100 * count) / total,
          title: `${bin} VMs: ${count} of ${total}`,
        };
      }),
      note: `${grouped(total - (group.vmsAffected[0] ?? 0))} of ${grouped(total)}`,
    };
  });
  return {
    id: 'figure-vms',
    legend: legend(bins.map((bin) => ({ cls: `vms-${Math.min(bin, 4)}`, name: `${bin} VM${bin === 1 ? '' : 's'}` }))),
    draw: (width, narrow) => stackedBars({ ...barScale(rows), description: 'VMs affected' }, width, narrow),
    caption: 'Detected faults that took VMs with them, in percent of detected; those that took none are left out.',
  };
}

const CAUSE_CLASSES = [
  'recovery not entered',
  'recovery failed',
  'failed again',
  'hang after recovery',
  'privvm failed',
  'new vm failed',
  'several vms affected',
  'one vm affected',
] as const;

/** Causes of failure, in percent of detected. */
export function causesFigure(report: Report): Figure | undefined {
  const groups = recovering(report).filter(({ effects }) => effects.detected.hits > 0);
  if (groups.every(({ causes }) => causes.length === 0)) return undefined;
  if (groups.length === 0) return undefined;
  const seen = CAUSE_CLASSES.filter((cause) => groups.some(({ causes }) => causes.some((one) => one.cause === cause)));
  const rows = groups.map((group): BarRow => {
    const counts = seen.map((cause) => group.causes.find((one) => one.cause === cause)?.share.hits ?? 0);
    const total = group.effects.detected.hits;
    return {
      heading: headingOf(group),
      name: group.mechanism,
      segments: seen.map((cause, i) => ({
        cls: `cause-${CAUSE_CLASSES.indexOf(cause)}`,
        value: (100 * counts[i]!) / total,
        title: `${cause}: ${counts[i]} of ${total}`,
      })),
      note: `${grouped(counts.reduce((a, b) => a + b, 0))} of ${grouped(total)}`,
    };
  });
  return {
    id: 'figure-causes',
    legend: legend(seen.map((cause) => ({ cls: `cause-${CAUSE_CLASSES.indexOf(cause)}`, name: causeName(cause) }))),
    draw: (width, narrow) => stackedBars({ ...barScale(rows), description: 'Failure causes' }, width, narrow),
    caption: 'Detected faults that ended badly or cost a VM, by cause, in percent of detected.',
  };
}

const causeName = (cause: string): string => cause.replace('privvm', 'PrivVM').replace(/\bvm(s?)\b/, 'VM$1');

/** What the undo log adds to hypervisor instructions. */
export function overheadFigure(report: Report): Figure | undefined {
  const mine = report.overhead.flatMap(({ setup, added }): BarRow[] =>
    added === null ? [] : [bar('Lazarus', setup, Math.max(0, 100 * added), `${percent(added)} %`)],
  );
  if (mine.length === 0) return undefined;
  const theirs = PUBLISHED_OVERHEAD.map(({ workload, withUndoLog, withoutUndoLog }): BarRow => {
    const added = (1 + withUndoLog) / (1 + withoutUndoLog) - 1;
    return { ...bar('DSN18 on Xen, derived', workload, 100 * added, `${percent(added)} %`), published: true };
  });
  const rows = [...mine, ...theirs];
  return {
    id: 'figure-overhead',
    legend: '',
    draw: (width, narrow) => stackedBars({ ...barScale(rows), description: 'Cost of the undo log' }, width, narrow),
    caption: `What the undo log adds in fault-free runs: hypervisor instructions here, hypervisor cycles on Xen. ${CAVEAT}`,
  };
}

const bar = (heading: string, name: string, value: number, note: string): BarRow => ({
  heading,
  name,
  segments: [{ cls: 'plain', value, title: `${name}: ${note}` }],
  note: note || DASH,
});

/** A percent scale that ends a little beyond the longest bar. */
function barScale(rows: readonly BarRow[]): { rows: readonly BarRow[]; max: number; unit: string } {
  const longest = Math.max(...rows.map(({ segments }) => segments.reduce((sum, { value }) => sum + value, 0)));
  const max =
    [0.5, 1, 2, 3, 4, 5, 7, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 100].find((end) => end >= longest) ?? longest;
  return { rows, max, unit: ' %' };
}
