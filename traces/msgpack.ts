/**
 * Structured values as canonical MessagePack: records off, smallest maps, keys in the order given, so that equal
 * values have equal bytes. Relies on msgpackr; decoded bytes are copies, plain Uint8Arrays. Does not check schemas.
 */
import { Packr, Unpackr } from 'msgpackr';
import { asUint8Array } from './bytes.ts';
import { expectFormat, Malformed } from './malformed.ts';

// copyBuffers: otherwise a decoded byte string keeps the whole block alive.
const OPTIONS = { useRecords: false, variableMapSize: true, copyBuffers: true } as const;
const packer = new Packr(OPTIONS);
const unpacker = new Unpackr(OPTIONS);

/** Encodes one value (null, booleans, numbers, strings, bytes, bigints of 64 bits, arrays, plain objects). */
export function pack(value: unknown): Uint8Array {
  // A copy: msgpackr returns a slice of a pool that it reuses.
  return Uint8Array.from(packer.pack(value));
}

/** Decodes exactly one value. @throws Malformed */
export function unpack(bytes: Uint8Array): unknown {
  return guarded(() => unpacker.unpack(bytes));
}

/** Decodes exactly `count` values standing one after another. @throws Malformed */
export function unpackAll(bytes: Uint8Array, count: number): unknown[] {
  const values = bytes.length === 0 ? [] : guarded(() => unpacker.unpackMultiple(bytes) as unknown[]);
  expectFormat(Array.isArray(values) && values.length === count, `${count} MessagePack values`);
  return values;
}

function guarded<T>(decode: () => T): T {
  try {
    return plain(decode()) as T;
  } catch (error) {
    if (error instanceof Malformed) throw error;
    throw new Malformed(`expected MessagePack (${error instanceof Error ? error.message : error})`);
  }
}

/** Buffers become Uint8Arrays; anything that is not plain data is refused (msgpackr decodes 0xc1 to an object of its own). */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return asUint8Array(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  expectFormat(Object.getPrototypeOf(value) === Object.prototype, 'plain data in MessagePack');
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
