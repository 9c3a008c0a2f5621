/** Numbers as the reports print them. Relies on nothing. What does not exist is a dash, never 0 or NaN. */
import type { Rate } from './statistics.ts';

export const DASH = '–';

/** 12345.6 -> "12,346". */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/**
 * A share as percent with one decimal: 0.989 -> "98.9". Never rounds to 100 or 0 what is not: one more decimal up to
 * four (99.96 %), then a bound.
 */
export function percent(share: number | null, decimals = 1): string {
  if (share === null) return DASH;
  if (share < 0) return `−${percent(-share, decimals)}`;
  const text = (100 * share).toFixed(decimals);
  if (share <= 0 || share >= 1 || (Number(text) > 0 && Number(text) < 100)) return text;
  if (decimals < 4) return percent(share, decimals + 1);
  return share < 0.5 ? '<0.0001' : '>99.9999';
}

/** "98.9 98.0–99.4": percent, then the bounds of the interval; bounds are rounded plainly. */
export function ratePercent({ share, interval }: Rate): string {
  if (share === null || interval === null) return DASH;
  return `${percent(share)} ${interval.low === interval.high ? '' : bounds(interval)}`.trim();
}

/** "98.0–99.4", percent. */
export function bounds({ low, high }: { readonly low: number; readonly high: number }): string {
  return `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)}`;
}

/** p values: "0.55", "0.0031", "<1e-6". */
export function pValue(p: number | null): string {
  if (p === null) return DASH;
  if (p < 1e-6) return '<1e-6';
  if (p < 0.001) return p.toExponential(1);
  return p < 0.1 ? p.toFixed(4) : p.toFixed(2);
}

/** Virtual time in ns (1 tick = 1 ns) with the unit that reads best. */
export function duration(ns: number): string {
  if (ns < 1e3) return `${round3(ns)} ns`;
  if (ns < 1e6) return `${round3(ns / 1e3)} µs`;
  if (ns < 1e9) return `${round3(ns / 1e6)} ms`;
  return `${round3(ns / 1e9)} s`;
}

/** "32.4", "3.21": three significant digits, never in exponents. */
export function ratio(value: number): string {
  return round3(value);
}

/** "+15.1", "−4.0", "0.0": percentage points with a real minus. */
export function points(value: number): string {
  const text = Math.abs(value).toFixed(1);
  if (text === '0.0') return text;
  return `${value < 0 ? '−' : '+'}${text}`;
}

function round3(value: number): string {
  if (value >= 100) return grouped(value);
  return value.toFixed(value >= 10 ? 1 : value >= 1 ? 2 : 3);
}
