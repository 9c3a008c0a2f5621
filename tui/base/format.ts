/**
 * Numbers and states as text for people. Relies on nothing but the engine's rule for characters that
 * a terminal acts upon.
 */
import { visible } from '../../engine/index.ts';

/** 12345678 -> "12,345,678". Moments are always shown in full: they are addresses that people paste. */
export function grouped(value: number | bigint): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** "1 digest", "3 digests". */
export function counted(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? '' : 's'}`;
}

/** Bytes with a binary unit: 1536 -> "1.5 KiB". */
export function byteSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** 64-bit value as 0x and hexadecimal digits; `digits` pads with zeros. */
export function hex(value: number | bigint, digits = 0): string {
  const sign = value < 0 ? '-' : '';
  return `${sign}0x${value.toString(16).slice(sign.length).padStart(digits, '0')}`;
}

/** Virtual time (1 tick = 1 ns) with the unit that reads best. */
export function virtualTime(ticks: number): string {
  if (ticks < 1e3) return `${ticks} ns`;
  if (ticks < 1e6) return `${(ticks / 1e3).toFixed(1)} µs`;
  if (ticks < 1e9) return `${(ticks / 1e6).toFixed(3)} ms`;
  return `${(ticks / 1e9).toFixed(3)} s`;
}

/**
 * Rows as text with aligned columns, two spaces between them; columns named in `right` are right-aligned. A cell is one
 * line, whatever is in it.
 */
export function table(cells: readonly (readonly string[])[], right: readonly number[] = []): string {
  const rows = cells.map((row) => row.map(visible));
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}
