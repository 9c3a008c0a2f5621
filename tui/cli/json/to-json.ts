/** What commands print with `--json`. Relies on the shapes' types only. */
import { hex } from '../../base/index.ts';
import type { Documented } from './documented.ts';
import type { JsonShapes } from './shapes.ts';

/**
 * Result objects as JSON: 64-bit integers become hexadecimal strings, bytes become hexadecimal text. Does not compile
 * unless the value has the shape that is documented under its name (json/shapes.ts).
 */
export function toJson<N extends keyof JsonShapes, V>(_shape: N, value: V & Documented<N, V>): string {
  return `${JSON.stringify(value, replace, 2)}\n`;
}

/** The same on one line, for commands that print many. */
export function toJsonLine<N extends keyof JsonShapes, V>(_shape: N, value: V & Documented<N, V>): string {
  return `${JSON.stringify(value, replace)}\n`;
}

function replace(_key: string, item: unknown): unknown {
  if (typeof item === 'bigint') return hex(item);
  return item instanceof Uint8Array ? Buffer.from(item).toString('hex') : item;
}
