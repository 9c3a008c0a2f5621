/** Figures of how long recovery takes: stacked bars, points for each step, and the published bars. */
import { DASH, grouped } from '../format.ts';
import { groupBy, recoveryName } from '../groups.ts';
import { type LatencySummary, mergedOrder } from '../latency.ts';
import { CAVEAT, PUBLISHED_LATENCY } from '../published.ts';
import type { Report } from '../summarise.ts';
import { legend } from './bars.ts';
import type { Figure } from './figure.ts';
import { type LogRow, logDots } from './log-dots.ts';
import { type StepBar, stepBars } from './steps.ts';

const STEP_COLOURS = 12;
/** Steps shorter than this part of every bar are drawn together. */
const SMALL_STEP = 0.01;
const OTHER_STEPS = 'shorter steps';

/** Recovery latency by step: a bar and points for each set-up, and the published one. */
export function latencyFigures(report: Report): Figure[] {
  if (report.latency.length === 0) return [];
  const mine = groupBy(report.latency, ({ setup }) => [setup]).flatMap((summaries, i) => [
    latencyBars(summaries, `figure-latency-${i + 1}`),
    latencyPoints(summaries, `figure-steps-${i + 1}`),
  ]);
  return [...mine, publishedLatencyFigure()];
}

function latencyBars(summaries: readonly LatencySummary[], id: string): Figure {
  const { setup } = summaries[0]!;
  const shareOf = ({ steps, totalInstructions }: LatencySummary, name: string) =>
    (steps.find((step) => step.name === name)?.instructions.mean ?? 0) / (totalInstructions.mean || 1);
  const names = stepNames(summaries).filter((name) => summaries.some((one) => shareOf(one, name) >= SMALL_STEP));
  const bars = summaries.map((summary): StepBar => {
    const total = summary.totalInstructions.mean;
    const large = names.map((name, at) => ({ name, cls: stepClass(at), value: shareOf(summary, name) * total }));
    const rest = Math.max(0, total - large.reduce((sum, { value }) => sum + value, 0));
    return {
      name: summary.mechanism,
      total,
      shownTotal: grouped(total),
      steps: [...large, { name: OTHER_STEPS, cls: 'plain-step', value: rest }]
        .filter(({ value }) => value > 0)
        .map((step) => ({ ...step, shown: `${grouped(step.value)} instructions` })),
    };
  });
  const items = names.map((name, at) => ({ cls: stepClass(at), name }));
  return {
    id,
    legend: legend([...items, { cls: 'plain-step', name: OTHER_STEPS }]),
    draw: (width, narrow) => stepBars(`Recovery latency by step, ${setup}`, bars, width, narrow),
    caption:
      `${setup}: mean instructions of all harts, by step, on one linear scale. A bar too short to read is drawn again, ` +
      'stretched by the factor beside it; steps below 1 % of every bar are drawn together.',
  };
}

function latencyPoints(summaries: readonly LatencySummary[], id: string): Figure {
  const { setup } = summaries[0]!;
  const rows = [...stepNames(summaries), 'total'].map((name): LogRow => {
    const lengths = summaries.map(({ steps, totalInstructions }) =>
      name === 'total' ? totalInstructions.mean : steps.find((step) => step.name === name)?.instructions.mean,
    );
    return {
      name,
      points: summaries.flatMap(({ mechanism, recovery }, i) => {
        const value = lengths[i];
        return value === undefined ? [] : [{ cls: recovery, value, title: `${mechanism}: ${grouped(value)}` }];
      }),
      note: lengths.map((value) => (value === undefined ? DASH : grouped(value))).join(' / '),
    };
  });
  const head = summaries.map(({ mechanism }) => mechanism).join(' / ');
  return {
    id,
    legend: legend(summaries.map(({ mechanism, recovery }) => ({ cls: recovery, name: mechanism, mark: 'dot' }))),
    draw: (width, narrow) => logDots(`Length of each step, ${setup}`, rows, head, width, narrow),
    caption: `${setup}: mean instructions of each step, on a logarithmic scale.`,
  };
}

/** In the order in which recoveries take them. */
const stepNames = (summaries: readonly LatencySummary[]): string[] =>
  mergedOrder(summaries.map(({ steps }) => steps.map(({ name }) => name)));

const stepClass = (index: number): string => `step-${index % STEP_COLOURS}`;

function publishedLatencyFigure(): Figure {
  const names = [...new Set(PUBLISHED_LATENCY.flatMap(({ steps }) => steps.map(({ name }) => name)))];
  const bars = PUBLISHED_LATENCY.map(
    ({ recovery, steps, totalMs }): StepBar => ({
      name: `${recoveryName(recovery)}, DSN18`,
      published: true,
      total: totalMs,
      shownTotal: `${totalMs} ms`,
      steps: steps.map(({ name, ms }) => ({ name, cls: stepClass(names.indexOf(name)), value: ms, shown: `${ms} ms` })),
    }),
  );
  return {
    id: 'figure-latency-published',
    legend: legend(names.map((name) => ({ cls: `faint ${stepClass(names.indexOf(name))}`, name }))),
    draw: (width, narrow) => stepBars('Published recovery latency by step', bars, width, narrow),
    caption: `Published, in ms on Xen (${PUBLISHED_LATENCY[0]!.source}). ${CAVEAT}`,
  };
}
