/** What a cell draws otherwise than a campaign file that says nothing about it: cells that differ there are no pool. */
import { isDeepStrictEqual } from 'node:util';
import { campaignFile, type DrawOptions } from './schema.ts';

/** A file that says nothing. */
const USUAL = campaignFile.parse({ name: 'x' });

/**
 * The options that are not the default ones, as the file has them: `triggers.over privileged; memory.where page-table`.
 * Undefined when there are none.
 */
export function variantOf(options: DrawOptions): string | undefined {
  const differing = Object.entries(options).flatMap(([key, values]) => {
    const defaults: Readonly<Record<string, unknown>> = USUAL[key as keyof DrawOptions];
    return Object.entries(values)
      .filter(([name, value]) => !isDeepStrictEqual(value, defaults[name]))
      .map(([name, value]) => `${key}.${name} ${textOf(value)}`);
  });
  return differing.length === 0 ? undefined : differing.join('; ');
}

/** Lists of any length may stand in a file; a label has an end. */
const SHOWN = 100;

function textOf(value: unknown): string {
  const text = Array.isArray(value) ? value.join(' ') : typeof value === 'object' ? JSON.stringify(value) : `${value}`;
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1)}…`;
}
