/** Rows of points with whiskers on a common percent scale: rates beside published ones, and ladders. */
import type { Interval } from '../statistics.ts';
import { circle, diamond, fitted, gridX, label, niceTicks, polyline, rect, svg, textWidth, whisker } from './svg.ts';

export interface Dot {
  readonly share: number;
  readonly interval: Interval | null;
  readonly mark: 'dot' | 'diamond';
}

export interface DotRow {
  readonly heading: string;
  readonly name: string;
  /** Colours the marks: rehype, nilihype, none. */
  readonly cls: string;
  readonly published?: boolean;
  readonly dots: readonly Dot[];
  /** Shares of the first dot's parts, drawn small on its line: those of each seed. */
  readonly parts?: readonly number[];
  /** To the right. */
  readonly note: string;
}

export interface DotChart {
  readonly description: string;
  readonly rows: readonly DotRow[];
  /** Joins the first dots of rows under one heading by a line. */
  readonly connected?: boolean;
  /** A band to compare with, under one heading. */
  readonly band?: { readonly heading: string; readonly interval: Interval };
  /** Left end of the scale, 0…1. */
  readonly min: number;
}

/** Left end that leaves room for every interval: a multiple of 5 %. */
export function dotMinimum(rows: readonly DotRow[]): number {
  const lows = rows.flatMap(({ dots, parts = [] }) => [
    ...dots.map(({ share, interval }) => interval?.low ?? share),
    ...parts,
  ]);
  return Math.max(0, Math.floor((Math.min(1, ...lows) - 0.01) * 20) / 20);
}

/** The drawing, for a width. */
export function dotRows({ description, rows, connected, band, min }: DotChart, width: number, narrow: boolean): string {
  const names = Math.min(370, Math.max(80, ...rows.map(({ name }) => textWidth(name) + 14)));
  const left = narrow ? 16 : names + 8;
  const right = width - Math.max(14, ...rows.map(({ note }) => textWidth(note) + 16));
  const scale = (share: number) => left + ((right - left) * (share - min)) / (1 - min || 1);
  const pitch = narrow ? 40 : 24;
  const parts: string[] = [];
  const joints: [number, number][] = [];
  let y = 2;
  let heading: string | undefined;
  let bandTop = 0;
  const endBlock = () => {
    if (connected) parts.unshift(polyline(joints, 'joint'));
    if (band && band.heading === heading) {
      const [from, to] = [scale(Math.max(min, band.interval.low)), scale(band.interval.high)];
      parts.unshift(rect(from, bandTop, Math.max(1, to - from), y - bandTop, 'band'));
    }
    joints.length = 0;
  };
  for (const row of rows) {
    if (row.heading !== heading) {
      if (heading !== undefined) endBlock();
      y += heading === undefined ? 12 : 22;
      parts.push(label(0, y, fitted(row.heading, 0.88 * width), 'heading'));
      y += 6;
      bandTop = y;
      heading = row.heading;
    }
    const middle = y + (narrow ? 27 : pitch / 2);
    const style = row.published ? 'name published' : 'name';
    if (narrow) parts.push(label(0, y + 13, fitted(row.name, width), style));
    else parts.push(label(left - 14, middle + 4, fitted(row.name, left - 18), style, 'end'));
    parts.push(label(right + 12, middle + 4, row.note, 'value'));
    const first = row.dots[0];
    if (first) joints.push([scale(first.share), middle]);
    for (const share of row.parts ?? []) {
      parts.push(circle(scale(Math.max(min, share)), middle - (row.dots.length > 1 ? 4 : 0), 1.8, `${row.cls} faint`));
    }
    row.dots.forEach((dot, i) => {
      const at = middle + (row.dots.length > 1 ? (i === 0 ? -4 : 4) : 0);
      parts.push(dotOf(dot, at, row, scale, min));
    });
    y += pitch;
  }
  endBlock();
  const ticks = niceTicks(100 * min, 100, narrow ? 4 : 8).map(
    (tick) => [scale(tick / 100), `${+tick.toFixed(1)} %`] as const,
  );
  return svg(width, y + 26, description, [gridX(ticks, 8, y + 4), ...parts]);
}

function dotOf(dot: Dot, y: number, row: DotRow, scale: (share: number) => number, min: number): string {
  const cls = `${row.cls}${row.published ? ' hollow' : ''}`;
  const x = scale(Math.max(min, dot.share));
  const lines = dot.interval
    ? whisker(scale(Math.max(min, dot.interval.low)), scale(dot.interval.high), y, `stroke-${row.cls}`)
    : '';
  return lines + (dot.mark === 'dot' ? circle(x, y, 4, cls) : diamond(x, y, 4.5, cls));
}
