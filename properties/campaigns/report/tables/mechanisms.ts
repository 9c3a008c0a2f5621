/** Tables that compare mechanisms: latency by step, ladders, pairs. */
import { DASH, duration, grouped, percent, points, pValue, ratePercent, ratio } from '../format.ts';
import { recoveryName } from '../groups.ts';
import { intervalNote } from '../intervals.ts';
import type { LadderSummary, RungSummary } from '../ladders.ts';
import type { LatencySummary } from '../latency.ts';
import { CAVEAT, PUBLISHED_LADDERS, PUBLISHED_LATENCY, VEE11_ANCHORS } from '../published.ts';
import { separation } from '../statistics.ts';
import type { Report } from '../summarise.ts';
import { number, ours, published, type Table, type TableRow, text, wide } from './table.ts';

/** Recovery latency by step. */
export function latencyTable(report: Report): Table {
  const theirs = PUBLISHED_LATENCY.flatMap(({ recovery, steps, totalMs }) => {
    const of = (name: string, ms: number) => [
      'DSN18',
      recoveryName(recovery),
      name,
      ...[DASH, DASH, `${ms} ms`, DASH, percent(ms / totalMs)],
    ];
    return [...steps.map(({ name, ms }) => published(...of(name, ms))), published(...of('total', totalMs))];
  });
  return {
    id: 'latency',
    title: 'Recovery latency by step',
    columns: [
      text('set-up'),
      text('mechanism'),
      text('step'),
      number('instructions\nmean'),
      number('\nmedian'),
      number('virtual time\nmean'),
      number('\nmedian'),
      number('share\n%'),
    ],
    rows: report.latency.length === 0 ? [] : [...report.latency.flatMap(stepRows), ...theirs],
    notes: [
      ...latencyNotes(report),
      'Runs that recovered at their one detection, all fault classes together; instructions of all harts. A step lasts from ' +
        'the mark before to its own.',
      `Published: ${PUBLISHED_LATENCY[0]!.source}. ${CAVEAT}`,
    ],
  };
}

function stepRows(summary: LatencySummary): TableRow[] {
  const { setup, mechanism, steps, totalInstructions, totalTicks, recoveries } = summary;
  const cells = (
    name: string,
    { instructions, ticks }: Pick<LatencySummary['steps'][number], 'instructions' | 'ticks'>,
  ) => [
    setup,
    mechanism,
    name,
    grouped(instructions.mean),
    grouped(instructions.median),
    duration(ticks.mean),
    duration(ticks.median),
    totalInstructions.mean > 0 ? percent(instructions.mean / totalInstructions.mean) : DASH,
  ];
  const total = cells(`total of ${grouped(recoveries)}`, { instructions: totalInstructions, ticks: totalTicks });
  return [...steps.map((step) => ours(...cells(step.name, step))), { cells: total, kind: 'total' }];
}

function latencyNotes({ latencyRatios }: Report): string[] {
  const [rehype, nilihype] = PUBLISHED_LATENCY.map(({ totalMs, steps }) => {
    const check = steps.find(({ name }) => name === 'page-frame check')!.ms;
    return { all: totalMs, besides: totalMs - check };
  });
  const theirs = `DSN18, in time: ${ratio(rehype!.all / nilihype!.all)} and ${ratio(rehype!.besides / nilihype!.besides)}.`;
  return latencyRatios.map(({ setup, instructions, ticks, instructionsBesidesFrames }) => {
    const besides = instructionsBesidesFrames === null ? DASH : ratio(instructionsBesidesFrames);
    return (
      `${setup}: ReHype takes ${ratio(instructions)} times the instructions of NiLiHype (${ratio(ticks)} times the virtual ` +
      `time), ${besides} times without the page-frame check, which both take. ${theirs}`
    );
  });
}

const SEPARATED = { higher: 'yes', lower: 'yes, lower', none: 'no' } as const;
const SEPARATED_FROM_ALL = { higher: 'yes, higher', lower: 'yes', none: 'no' } as const;

/** One table for each ladder, then the published ones. */
export function ladderTables(report: Report): Table[] {
  const tables = report.ladders.map((ladder, at) => ladderTable(report, ladder, at));
  return tables.length === 0 ? [] : [...tables, ...publishedLadderTables()];
}

/** Anchor of a ladder's table and figure. */
export const ladderId = (at: number): string => `ladder-${at + 1}`;

function ladderTable(report: Report, ladder: LadderSummary, at: number): Table {
  const { kind, rungs, setup, faultClass, title } = ladder;
  const words = kind === 'cumulative' ? SEPARATED : SEPARATED_FROM_ALL;
  const row = (rung: RungSummary) =>
    ours(
      rung.name,
      grouped(rung.injected),
      grouped(rung.success.of),
      ratePercent(rung.success),
      ratePercent(rung.noVmf),
      rung.against ? points(rung.against.points) : DASH,
      rung.against ? words[rung.against.separated] : DASH,
      rung.against ? pValue(rung.against.p) : DASH,
    );
  const against = kind === 'cumulative' ? 'the rung before' : "the full set, 'all'";
  return {
    id: ladderId(at),
    title: `Ladder: ${title} (${setup}, ${faultClass})`,
    columns: [
      wide('rung'),
      number('injected'),
      number('detected'),
      number('success of\ndetected'),
      number('noVMF of\ndetected'),
      number('change,\npoints'),
      text('CI-\nseparated'),
      number('paired\np'),
    ],
    rows: rungs.map(row),
    notes: [
      `Change, separation of the 95 % intervals and exact McNemar p (unadjusted) against ${against}; pairs within each seed.`,
      intervalNote(report),
      ladderVerdict(ladder),
    ].filter((note) => note !== ''),
  };
}

/** How the ladder's shape holds, in one sentence. */
function ladderVerdict({ kind, rungs }: LadderSummary): string {
  const judged = rungs.flatMap(({ against }) => against ?? []);
  if (judged.length === 0) return '';
  const apart = judged.filter(({ separated }) => separated === (kind === 'cumulative' ? 'higher' : 'lower')).length;
  const down = judged.filter(({ separated }) => separated === (kind === 'cumulative' ? 'lower' : 'higher')).length;
  const what = kind === 'cumulative' ? 'rise CI-separated above the one before' : 'lie CI-separated below the full set';
  return `${apart} of ${judged.length} rungs ${what}${down > 0 ? `, ${down} the other way` : ''}.`;
}

function publishedLadderTables(): Table[] {
  return PUBLISHED_LADDERS.map(({ recovery, title, setup, faultClass, rungs, source }) => ({
    id: `ladder-published-${recovery}`,
    title: `Published ladder: ${title} (${setup}, ${faultClass})`,
    columns: [wide('rung'), number('success of detected'), number('change,\npoints'), text('CI-\nseparated')],
    rows: rungs.map((rung, i) => {
      const before = rungs[i - 1];
      return published(
        rung.name,
        `${percent(rung.success)}${rung.half ? ` ± ${(100 * rung.half).toFixed(1)}` : ''}`,
        before ? points(100 * (rung.success - before.success)) : DASH,
        before ? SEPARATED[separation(around(before), around(rung))] : DASH,
      );
    }),
    notes: [`${source}.${recovery === 'rehype' ? ` ${VEE11_ANCHORS}` : ''} ${CAVEAT}`],
  }));
}

const around = ({ success, half }: { readonly success: number; readonly half: number | null }) => ({
  low: success - (half ?? 0),
  high: success + (half ?? 0),
});

/** Paired comparison of mechanisms. */
export function pairedTable(report: Report): Table {
  return {
    id: 'paired',
    title: 'Mechanisms paired',
    columns: [
      text('set-up'),
      text('fault'),
      text('first : second'),
      text('outcome'),
      number('pairs'),
      number('both'),
      number('only\nfirst'),
      number('only\nsecond'),
      number('neither'),
      number('p'),
      number('Holm\np'),
    ],
    rows: report.paired.map((one) =>
      ours(
        one.setup,
        one.faultClass,
        `${one.first} : ${one.second}`,
        one.metric,
        ...[one.pairs, one.both, one.onlyFirst, one.onlySecond, one.neither].map(grouped),
        one.pairs === 0 ? DASH : pValue(one.p),
        one.pairs === 0 ? DASH : pValue(one.holm),
      ),
    ),
    notes: [
      'Pairs: same set-up, fault class, seed and index. Exact McNemar, two-sided; Holm over this whole table. Success and ' +
        'noVMF on pairs that both runs detected; good end (no visible effect, or success) on all that both reached.',
    ],
  };
}

/** How far the pairs are pairs. */
export function alignmentTable(report: Report): Table {
  return {
    id: 'alignment',
    title: 'How far the pairs are pairs',
    columns: [
      text('set-up'),
      text('fault'),
      text('first : second'),
      number('pairs by\nindex'),
      number('same plan\n%'),
      number('reached\nby both'),
      number('same instruction\nhit, %'),
    ],
    rows: report.alignment.map(({ setup, faultClass, first, second, samePlan, samePlace }) =>
      ours(
        setup,
        faultClass,
        `${first} : ${second}`,
        grouped(samePlan.of),
        percent(samePlan.share),
        grouped(samePlace.of),
        percent(samePlace.share),
      ),
    ),
    notes: [
      'Pairs with unequal plans are left out above. Where a mechanism changes what runs before the fault, equal plans may ' +
        'hit different instructions.',
    ],
  };
}
