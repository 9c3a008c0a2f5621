/** Rows of points on a logarithmic scale: lengths of steps that differ by orders of magnitude. */
import { circle, fitted, gridX, label, line, svg, textWidth } from './svg.ts';

export interface LogRow {
  readonly name: string;
  readonly points: readonly { readonly cls: string; readonly value: number; readonly title: string }[];
  /** To the right. */
  readonly note: string;
}

/** The drawing, for a width; values below 1 are drawn at 1. `head` stands over the notes. */
export function logDots(
  description: string,
  rows: readonly LogRow[],
  head: string,
  width: number,
  narrow: boolean,
): string {
  const left = narrow ? 14 : Math.min(300, Math.max(...rows.map(({ name }) => textWidth(name)))) + 18;
  const right = width - Math.max(textWidth(head), ...rows.map(({ note }) => textWidth(note))) - 16;
  const largest = Math.max(10, ...rows.flatMap(({ points }) => points.map(({ value }) => value)));
  const decades = Math.ceil(Math.log10(largest) - 1e-9);
  const x = (value: number) => left + ((right - left) * Math.log10(Math.max(1, value))) / decades;
  const pitch = narrow ? 34 : 20;
  const parts = [label(width, 12, head, 'tick', 'end')];
  let y = 18;
  for (const { name, points, note } of rows) {
    const middle = y + (narrow ? 24 : pitch / 2);
    if (narrow) parts.push(label(0, y + 12, fitted(name, width), 'name'));
    else parts.push(label(left - 14, middle + 4, fitted(name, left - 18), 'name', 'end'));
    const at = points.map(({ value }) => x(value));
    if (at.length > 1) parts.push(line(Math.min(...at), middle, Math.max(...at), middle, 'span'));
    // Equal lengths are drawn as rings in each other.
    points.forEach(({ cls, value, title }, i) => {
      parts.push(circle(x(value), middle, Math.max(2, 5.5 - 2.5 * i), cls, title));
    });
    parts.push(label(width, middle + 4, note, 'value', 'end'));
    y += pitch;
  }
  const every = Math.ceil(decades / (narrow ? 4 : 9));
  const ticks = Array.from({ length: Math.floor(decades / every) + 1 }, (_, i) => 10 ** (i * every));
  const names = ticks.map((tick) => [x(tick), powerName(tick)] as const);
  return svg(width, y + 26, description, [gridX(names, 18, y + 4), ...parts]);
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** 1, 10, 100, 1000, then 10⁴ and on. */
export function powerName(value: number): string {
  if (value < 10_000) return String(value);
  return `10${[...String(Math.round(Math.log10(value)))].map((digit) => SUPERSCRIPTS[Number(digit)]).join('')}`;
}
