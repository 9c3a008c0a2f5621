/** Stacked horizontal bars, one row each, with a common scale. */
import { escapeHtml, fitted, gridX, label, line, niceTicks, rect, svg, textWidth, whisker } from './svg.ts';

export interface Segment {
  /** Class that colours it, see style.ts. */
  readonly cls: string;
  readonly value: number;
  readonly title: string;
}

export interface BarRow {
  /** Rows with the same heading stand together under it. */
  readonly heading: string;
  readonly name: string;
  readonly segments: readonly Segment[];
  /** Intervals, in the unit of the values. */
  readonly whiskers?: readonly { readonly low: number; readonly high: number }[];
  /** To the right of the bar. */
  readonly note?: string;
  readonly published?: boolean;
}

export interface BarChart {
  readonly description: string;
  readonly rows: readonly BarRow[];
  /** Right end of the scale. */
  readonly max: number;
  readonly unit: string;
  /** Whether to write values into segments that have room. */
  readonly values?: boolean;
}

const BAR = 16;

/** The drawing, for a width. */
export function stackedBars(
  { description, rows, max, unit, values }: BarChart,
  width: number,
  narrow: boolean,
): string {
  const names = Math.min(260, Math.max(80, ...rows.map(({ name }) => textWidth(name) + 18)));
  const left = narrow ? 14 : names;
  const noteWidth = Math.max(0, ...rows.map(({ note }) => (note ? textWidth(note) + 10 : 0)));
  const right = width - Math.max(18, noteWidth);
  const scale = (value: number) => left + ((right - left) * Math.min(value, max)) / max;
  const parts: string[] = [];
  let y = 4;
  let heading: string | undefined;
  for (const row of rows) {
    if (row.heading !== heading) {
      y += heading === undefined ? 12 : 24;
      parts.push(label(0, y, fitted(row.heading, 0.88 * width), 'heading'));
      y += 10;
      heading = row.heading;
    }
    const style = row.published ? 'name published' : 'name';
    if (narrow) {
      y += 14;
      parts.push(label(0, y - 1, fitted(row.name, width), style));
      y += 4;
    } else {
      parts.push(label(left - 10, y + BAR - 4, fitted(row.name, left - 14), style, 'end'));
    }
    parts.push(barOf(row, y, scale, values === true));
    if (row.note) parts.push(label(right + 8, y + BAR - 4, row.note, 'value'));
    y += BAR + (narrow ? 6 : 9) + (row.whiskers ? 4 + 4 * row.whiskers.length - (narrow ? 0 : 3) : 0);
  }
  const ticks = niceTicks(0, max, narrow ? 4 : 8).map((tick) => [scale(tick), `${shown(tick)}${unit}`] as const);
  return svg(width, y + 24, description, [gridX(ticks, 8, y), ...parts]);
}

function barOf(row: BarRow, y: number, scale: (value: number) => number, values: boolean): string {
  let sum = 0;
  const parts: string[] = [];
  for (const { cls, value, title } of row.segments) {
    const [from, to] = [scale(sum), scale(sum + value)];
    sum += value;
    if (value <= 0) continue;
    if (row.published) parts.push(rect(from, y, to - from, BAR, 'under'));
    parts.push(rect(from, y, to - from, BAR, `${cls}${row.published ? ' faint' : ''}`, title));
    const text = value.toFixed(1);
    if (values && to - from > textWidth(text) + 6) {
      parts.push(label((from + to) / 2, y + BAR - 4, text, row.published ? 'inside' : `inside on-${cls}`, 'middle'));
    }
  }
  // Under the bar, one below the other: with few runs they overlap.
  row.whiskers?.forEach(({ low, high }, i) => {
    parts.push(whisker(scale(low), scale(high), y + BAR + 4 + 5 * i, 'ink', 2));
  });
  if (row.segments.every(({ value }) => value <= 0)) parts.push(line(scale(0), y, scale(0), y + BAR, 'ink'));
  return parts.join('');
}

const shown = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(1));

/** Swatches with names, above a figure. */
export function legend(
  items: readonly { readonly cls: string; readonly name: string; readonly mark?: string }[],
): string {
  const item = ({ cls, name, mark }: (typeof items)[number]) => {
    const shape =
      mark === 'dot'
        ? `<circle cx="6" cy="6" r="4.5" class="${cls}"/>`
        : mark === 'diamond'
          ? `<polygon points="6,1 11,6 6,11 1,6" class="${cls}"/>`
          : mark === 'line'
            ? `<line x1="0" y1="6" x2="12" y2="6" class="${cls}"/>`
            : mark === 'whisker'
              ? '<path d="M1 6H11M1 3V9M11 3V9" class="ink"/>'
              : `<rect width="12" height="12" class="${cls}"/>`;
    return `<li><svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">${shape}</svg>${escapeHtml(name)}</li>`;
  };
  return `<ul class="legend">${items.map(item).join('')}</ul>`;
}
