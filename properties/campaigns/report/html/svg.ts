/**
 * SVG by hand: elements as strings, every text escaped, no ids and no scripts, colours by class (style.ts). Lengths are
 * pixels of a drawing that is shown at its own size or smaller.
 */
import { visible } from '../../../../engine/index.ts';

/** Text in which no character means anything to HTML or SVG, or turns the text around it. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return visible(text).replace(/[&<>"']/g, (char) => entities[char]!);
}

/** Two drawings of one figure, shown by the width of the page: labels of the narrow one stand above what they name. */
export type Draw = (width: number, narrow: boolean) => string;
export const WIDE = 960;
export const NARROW = 360;

/** A drawing with its description for readers who cannot see it. */
export function svg(width: number, height: number, label: string, parts: readonly string[]): string {
  const size = `viewBox="0 0 ${width} ${num(height)}" width="${width}" height="${num(height)}"`;
  return `<svg ${size} role="img" aria-label="${escapeHtml(label)}">${parts.join('')}</svg>`;
}

export function rect(x: number, y: number, width: number, height: number, cls: string, title?: string): string {
  const body = title ? `><title>${escapeHtml(title)}</title></rect>` : '/>';
  return `<rect x="${num(x)}" y="${num(y)}" width="${num(Math.max(0, width))}" height="${num(height)}" class="${cls}"${body}`;
}

export function line(x1: number, y1: number, x2: number, y2: number, cls: string): string {
  return `<line x1="${num(x1)}" y1="${num(y1)}" x2="${num(x2)}" y2="${num(y2)}" class="${cls}"/>`;
}

export function polyline(points: readonly (readonly [number, number])[], cls: string): string {
  return `<polyline points="${points.map(([x, y]) => `${num(x)},${num(y)}`).join(' ')}" class="${cls}"/>`;
}

export function polygon(points: readonly (readonly [number, number])[], cls: string): string {
  return `<polygon points="${points.map(([x, y]) => `${num(x)},${num(y)}`).join(' ')}" class="${cls}"/>`;
}

export function circle(x: number, y: number, r: number, cls: string, title?: string): string {
  const body = title ? `><title>${escapeHtml(title)}</title></circle>` : '/>';
  return `<circle cx="${num(x)}" cy="${num(y)}" r="${r}" class="${cls}"${body}`;
}

export function diamond(x: number, y: number, r: number, cls: string): string {
  return polygon(
    [
      [x, y - r],
      [x + r, y],
      [x, y + r],
      [x - r, y],
    ],
    cls,
  );
}

export function label(
  x: number,
  y: number,
  content: string,
  cls = '',
  anchor: 'start' | 'middle' | 'end' = 'start',
): string {
  const classes = cls ? ` class="${cls}"` : '';
  const at = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
  return `<text x="${num(x)}" y="${num(y)}"${classes}${at}>${escapeHtml(content)}</text>`;
}

/** Generous estimate of a text's width at the drawings' 12 px. */
export const textWidth = (text: string): number => 6.7 * text.length;

/** The text, cut with an ellipsis where it would not fit. */
export function fitted(text: string, width: number): string {
  const most = Math.max(2, Math.floor(width / 6.7));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** A whisker from low to high with caps. */
export function whisker(low: number, high: number, y: number, cls: string, cap = 3): string {
  return line(low, y, high, y, cls) + line(low, y - cap, low, y + cap, cls) + line(high, y - cap, high, y + cap, cls);
}

/** Gridlines with labels under them. */
export function gridX(ticks: readonly (readonly [x: number, text: string])[], top: number, bottom: number): string {
  return ticks
    .map(([x, text]) => line(x, top, x, bottom, 'grid') + label(x, bottom + 15, text, 'tick', 'middle'))
    .join('');
}

/** Round steps that cut 0…max into at most `most` parts. */
export function niceTicks(min: number, max: number, most: number): number[] {
  const span = max - min;
  if (!(span > 0)) return [min];
  const power = 10 ** Math.floor(Math.log10(span / most));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => span / s <= most + 1e-9) ?? 10 * power;
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

const num = (value: number): string => String(Math.round(value * 100) / 100);
