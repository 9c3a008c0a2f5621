/**
 * Text of flags to values: sizes, moments, fault plans, planned console input, pokes. Counts are read as replay reads
 * them; the fault models' own text is left to the engine's parser. Every function throws UsageError with what was
 * expected and an example.
 */
import { noSuchName } from '../../engine/index.ts';
import { type PlannedInput, parseCount } from '../../replay/index.ts';
import { UsageError } from './errors.ts';

const MIB = 1024 * 1024;
const SIZE_UNITS: Record<string, number> = { '': MIB, K: 1024, M: MIB, G: 1024 * MIB };

/** RAM size as QEMU's -m: `128M`, `1G`, `65536K`; a plain number counts MiB. @returns bytes */
export function parseSize(text: string): number {
  const match = /^(\d+)([KMG]?)$/i.exec(text);
  const bytes = match ? Number(match[1]) * SIZE_UNITS[match[2]!.toUpperCase()]! : Number.NaN;
  if (!Number.isSafeInteger(bytes) || bytes === 0) {
    throw new UsageError(`expected a size such as 128M or 1G (a plain number counts MiB), got '${text}'`);
  }
  return bytes;
}

/** A moment or a number of instructions: `1500000`, `1_500_000`, `1.5M`, `20k`, `2G` (decimal units). */
export function parseMoment(text: string): number {
  const value = parseCount(text);
  if (value === undefined) {
    throw new UsageError(`expected a number of instructions such as 1500000, 1.5M or 20k, got '${text}'`);
  }
  return value;
}

/** An integer between `low` and `high`. */
export function parseInteger(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= low && value <= high)) {
      throw new UsageError(`expected a whole number from ${low} to ${high}, got '${text}'`);
    }
    return value;
  };
}

const U64_LIMIT = 1n << 64n;

/** One of a few words. `what` is what one of them is called. */
export function parseWord<const W extends string>(what: string, words: readonly W[]): (text: string) => W {
  return (text) => {
    const found = words.find((one) => one === text);
    if (found === undefined) throw new UsageError(noSuchName(what, text, words));
    return found;
  };
}

/** Some of a few words, with commas between them. `what` is what one of them is called. */
export function parseWords<const W extends string>(what: string, words: readonly W[]): (text: string) => readonly W[] {
  const one = parseWord(what, words);
  return (text) => text.split(',').map(one);
}

/** A 64-bit seed, decimal or 0x hexadecimal. */
export function parseSeed(text: string): bigint {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? BigInt(text) : U64_LIMIT;
  if (value >= U64_LIMIT) {
    throw new UsageError(`expected a 64-bit seed such as 42 or 0xdeadbeef, got '${text}'`);
  }
  return value;
}

/** A fault plan before engine and replay have read its halves: `failstop@8M+3` -> "failstop" and "8M+3". */
export interface FaultPlan {
  readonly model: string;
  readonly when: string;
}

/** `MODEL@WHEN`. `,hart=N` may stand on either side of the `@`. */
export function parseFaultPlan(text: string): FaultPlan {
  const match = /^([^@]+)@([^@,]+)(,hart=\d+)?$/.exec(text);
  if (!match) {
    throw new UsageError(
      `expected MODEL@WHEN such as failstop@8M, failstop@8M+3, failstop@5ms+120 or failstop@store_add+0x28, got '${text}'`,
    );
  }
  return { model: match[1]! + (match[3] ?? ''), when: match[2]! };
}

/** `MOMENT:TEXT`: console bytes that arrive at a moment; TEXT knows \n \r \t \\ and \xNN, the rest is UTF-8. */
export function parseConsoleInput(text: string): PlannedInput {
  const colon = text.indexOf(':');
  if (colon < 1) throw new UsageError(`expected MOMENT:TEXT such as '2M:help\\n', got '${text}'`);
  const moment = parseMoment(text.slice(0, colon));
  const bytes = unescapeBytes(text.slice(colon + 1));
  return { trigger: { kind: 'moment', moment }, event: { kind: 'console', bytes } };
}

/** `MOMENT:PADDR:HEXBYTES`: overwrites physical memory at a moment. */
export function parsePoke(text: string): PlannedInput {
  const parts = text.split(':');
  const [at = '', address = '', hexBytes = ''] = parts;
  const paddr = /^0x[0-9a-f]+$/i.test(address) || /^\d+$/.test(address) ? Number(address) : Number.NaN;
  if (parts.length !== 3 || !Number.isSafeInteger(paddr) || !/^([0-9a-f]{2})+$/i.test(hexBytes)) {
    throw new UsageError(`expected MOMENT:PADDR:HEXBYTES such as 2M:0x80200000:00ff, got '${text}'`);
  }
  const bytes = new Uint8Array(Buffer.from(hexBytes, 'hex'));
  return { trigger: { kind: 'moment', moment: parseMoment(at) }, event: { kind: 'poke', paddr, bytes } };
}

const ESCAPES: Record<string, number> = { n: 10, r: 13, t: 9, '\\': 92 };

function unescapeBytes(text: string): Uint8Array {
  const out: number[] = [];
  for (const piece of text.match(/\\x[0-9a-f]{2}|\\.|[^\\]+|\\$/gis) ?? []) {
    if (!piece.startsWith('\\')) out.push(...Buffer.from(piece, 'utf8'));
    else if (/^\\x..$/is.test(piece)) out.push(Number.parseInt(piece.slice(2), 16));
    else {
      const byte = ESCAPES[piece[1] ?? ''];
      if (byte === undefined) throw new UsageError(`unknown escape '${piece}': \\n \\r \\t \\\\ and \\xNN are known`);
      out.push(byte);
    }
  }
  return Uint8Array.from(out);
}
