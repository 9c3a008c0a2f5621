/**
 * Structured values as canonical MessagePack: plain data only, smallest maps, keys in the order given, so that equal
 * values have equal bytes. Relies on msgpackr for coding and on msgpack-scan.ts for what it may be given; decoded bytes
 * are copies, plain Uint8Arrays. Does not check schemas.
 */
// Not 'msgpackr': that entry loads a native addon, which would read bytes out of files in C++.
import { Packr } from 'msgpackr/pack';
import { Unpackr } from 'msgpackr/unpack';
import { asUint8Array } from './bytes.ts';
import { expectFormat, Malformed } from './malformed.ts';
import { scanPlainValues } from './msgpack-scan.ts';

// copyBuffers: otherwise a decoded byte string keeps the whole block alive.
const OPTIONS = { useRecords: false, variableMapSize: true, copyBuffers: true } as const;
const packer = new Packr(OPTIONS);
const unpacker = new Unpackr(OPTIONS);

/**
 * Encodes one value (null, booleans, numbers, strings, bytes, bigints of 64 bits, arrays, plain objects).
 * @throws RangeError when it holds anything else, or more than `maxValues` values
 */
export function pack(value: unknown, maxValues: number): Uint8Array {
  // A copy: msgpackr returns a slice of a pool that it reuses.
  const bytes = Uint8Array.from(packer.pack(value));
  try {
    scanPlainValues(bytes, maxValues);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new RangeError(`a value that a trace cannot hold: ${error.message}`);
  }
  return bytes;
}

/** Decodes exactly one value. @throws Malformed */
export function unpack(bytes: Uint8Array, maxValues: number): unknown {
  return unpackAll(bytes, 1, maxValues)[0];
}

/**
 * Decodes exactly `count` values standing one after another, at most `maxValues` with those inside them. @throws
 * Malformed
 */
export function unpackAll(bytes: Uint8Array, count: number, maxValues: number): unknown[] {
  expectFormat(scanPlainValues(bytes, maxValues) === count, `${count} MessagePack values`);
  if (count === 0) return [];
  try {
    return unpacker.unpackMultiple(asUint8Array(bytes));
  } catch (error) {
    throw new Malformed(`expected MessagePack (${error instanceof Error ? error.message : error})`);
  }
}
