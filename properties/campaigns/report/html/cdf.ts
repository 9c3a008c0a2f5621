/** Cumulative distribution on a logarithmic scale: the share of a sample that is at most x. */
import { powerName } from './log-dots.ts';
import { gridX, label, line, polyline, svg } from './svg.ts';

export interface CdfSeries {
  readonly cls: string;
  /** Ascending. */
  readonly sample: readonly number[];
}

/** Points of a curve are enough at this many places. */
const MOST_POINTS = 240;

/** The drawing, for a width. Values below 1 are drawn at 1. */
export function logCdf(description: string, series: readonly CdfSeries[], width: number, narrow: boolean): string {
  const [left, top, bottom] = [44, 10, narrow ? 220 : 300];
  const right = width - 14;
  const largest = Math.max(1, ...series.map(({ sample }) => sample.at(-1) ?? 1));
  const decades = Math.max(1, Math.ceil(Math.log10(largest) - 1e-9));
  const x = (value: number) => left + ((right - left) * Math.log10(Math.max(1, value))) / decades;
  const y = (share: number) => bottom - (bottom - top) * share;
  const every = Math.ceil(decades / (narrow ? 5 : 10));
  const ticks = Array.from({ length: Math.floor(decades / every) + 1 }, (_, i) => i * every);
  const rows = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      line(left, y(share), right, y(share), 'grid') + label(left - 8, y(share) + 4, `${100 * share} %`, 'tick', 'end'),
  );
  return svg(width, bottom + 42, description, [
    gridX(
      ticks.map((power) => [x(10 ** power), powerName(10 ** power)] as const),
      top,
      bottom,
    ),
    ...rows,
    label((left + right) / 2, bottom + 36, 'instructions from fault to detection', 'tick', 'middle'),
    ...series
      .filter(({ sample }) => sample.length > 0)
      .map(({ cls, sample }) => polyline(curve(sample, x, y, right), `curve ${cls}`)),
  ]);
}

function curve(
  sample: readonly number[],
  x: (value: number) => number,
  y: (share: number) => number,
  right: number,
): [number, number][] {
  const n = sample.length;
  const points: [number, number][] = [[x(sample[0]!), y(0)]];
  const step = Math.max(1, Math.floor(n / MOST_POINTS));
  for (let i = 0; i < n; i += step) {
    const last = Math.min(n, i + step);
    points.push([x(sample[i]!), y(i / n)], [x(sample[i]!), y(i / n)], [x(sample[last - 1]!), y(last / n)]);
  }
  points.push([right, y(1)]);
  return points;
}
