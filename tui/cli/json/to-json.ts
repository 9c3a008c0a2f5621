/** What commands print with `--json`. Relies on the shapes' types only. */
import { hex } from '../../base/index.ts';
import type { Documented } from './documented.ts';
import type { JsonShapes } from './shapes.ts';

/**
 * Result objects as JSON: 64-bit integers become hexadecimal strings, bytes become hexadecimal text. Does not compile
 * unless the value has the shape that is documented under its name (json/shapes.ts).
 */
export function toJson<N extends keyof JsonShapes, V>(_shape: N, value: V & Documented<N, V>): string {
  const replace = (_key: string, item: unknown) => {
    if (typeof item === 'bigint') return hex(item);
    if (item instanceof Uint8Array) return Buffer.from(item).toString('hex');
    return item;
  };
  return `${JSON.stringify(value, replace, 2)}\n`;
}
