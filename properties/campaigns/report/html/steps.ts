/**
 * Recovery latency by step as stacked bars on one linear scale. A bar that is too short to be read is drawn again,
 * wider, with a funnel from the one to the other and the factor written beside it.
 */
import { fitted, label, polygon, rect, svg, textWidth } from './svg.ts';

export interface StepBar {
  readonly name: string;
  readonly published?: boolean;
  readonly total: number;
  /** As the right-hand note says it. */
  readonly shownTotal: string;
  readonly steps: readonly {
    readonly name: string;
    readonly cls: string;
    readonly value: number;
    readonly shown: string;
  }[];
}

const BAR = 18;
/** A bar shorter than this part of the longest is drawn again. */
const TOO_SHORT = 0.25;

/** The drawing, for a width. All bars must be in one unit. */
export function stepBars(description: string, bars: readonly StepBar[], width: number, narrow: boolean): string {
  const left = narrow ? 4 : Math.max(...bars.map(({ name }) => textWidth(name))) + 14;
  const right = width - Math.max(...bars.map(({ shownTotal }) => textWidth(shownTotal))) - 12;
  const longest = Math.max(...bars.map(({ total }) => total));
  const parts: string[] = [];
  let y = 6;
  for (const bar of bars) {
    const style = bar.published ? 'name published' : 'name';
    if (narrow) {
      parts.push(label(left, y + 12, fitted(bar.name, width - 8), style));
      y += 17;
    } else parts.push(label(left - 10, y + BAR - 5, bar.name, style, 'end'));
    const end = left + ((right - left) * bar.total) / longest;
    parts.push(stacked(bar, left, end, y), label(end + 8, y + BAR - 5, bar.shownTotal, 'value'));
    y += BAR;
    if (bar.total > 0 && bar.total < TOO_SHORT * longest) {
      const gap = 20;
      const factor = longest / bar.total;
      parts.push(
        polygon(
          [
            [left, y],
            [end, y],
            [right, y + gap],
            [left, y + gap],
          ],
          'funnel',
        ),
        stacked(bar, left, right, y + gap),
        label(
          right + 8,
          y + gap + BAR - 5,
          `× ${factor >= 10 ? factor.toFixed(0) : factor.toFixed(1)}`,
          'value strong',
        ),
      );
      y += gap + BAR;
    }
    y += narrow ? 8 : 14;
  }
  return svg(width, y + 2, description, parts);
}

function stacked(bar: StepBar, from: number, to: number, y: number): string {
  let x = from;
  return bar.steps
    .map(({ name, cls, value, shown }) => {
      const w = bar.total > 0 ? ((to - from) * value) / bar.total : 0;
      const under = bar.published ? rect(x, y, w, BAR, 'under') : '';
      const drawn = under + rect(x, y, w, BAR, `${cls}${bar.published ? ' faint' : ''}`, `${name}: ${shown}`);
      const inside = w > textWidth(name) + 8 ? label(x + w / 2, y + BAR - 5, name, 'inside step-text', 'middle') : '';
      x += w;
      return drawn + inside;
    })
    .join('');
}
