/**
 * Looks through MessagePack before it is decoded: nothing but plain data, no deeper and no more of it than allowed.
 * What a library would decode to objects of its own (extensions, msgpackr's records and references) is refused here, so
 * that a file cannot make it build any. Allocates nothing. See https://github.com/msgpack/msgpack/blob/master/spec.md.
 */
import { expectFormat, Malformed } from './malformed.ts';

/** Arrays and maps inside one another. The deepest that is recorded is 4. */
const MAX_DEPTH = 16;

/** nil, false, true. */
const CONSTANTS: readonly number[] = [0xc0, 0xc2, 0xc3];
/** First bytes of the kinds whose length follows in 1, 2 or 4 bytes (arrays and maps: 2 or 4), shortest first. */
const BIN = 0xc4;
const STR = 0xd9;
const ARRAY = 0xdc;
const MAP = 0xde;
/** First byte of the first number of fixed size (float 32), and the bytes that follow each up to int 64. */
const NUMBERS = 0xca;
const NUMBER_BYTES: readonly number[] = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8];

/**
 * Checks that `bytes` are values of plain data, one after another, and counts them.
 * @param maxValues how many values may stand there, those inside arrays and maps included
 * @returns how many stand one after another
 * @throws Malformed
 */
export function scanPlainValues(bytes: Uint8Array, maxValues: number): number {
  const scanner: Scanner = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at: 0, left: maxValues };
  let count = 0;
  while (scanner.at < bytes.length) {
    skipValue(scanner, 0);
    count++;
  }
  return count;
}

interface Scanner {
  readonly view: DataView;
  at: number;
  /** Values that may still come. */
  left: number;
}

function skipValue(scanner: Scanner, depth: number): void {
  expectFormat(scanner.left-- > 0, 'fewer MessagePack values');
  expectFormat(depth <= MAX_DEPTH, `MessagePack nested at most ${MAX_DEPTH} deep`);
  const first = unsigned(scanner, 1);
  if (first < 0x80 || first >= 0xe0) return;
  if (first < 0x90) skipMap(scanner, first & 0x0f, depth);
  else if (first < 0xa0) skipArray(scanner, first & 0x0f, depth);
  else if (first < 0xc0) skip(scanner, first & 0x1f);
  else skipLong(scanner, first, depth);
}

function skipLong(scanner: Scanner, first: number, depth: number): void {
  const inRange = (from: number, to: number) => first >= from && first <= to;
  const length = (from: number, bytes: number) => unsigned(scanner, bytes << (first - from));
  if (inRange(NUMBERS, 0xd3)) skip(scanner, NUMBER_BYTES[first - NUMBERS]!);
  else if (inRange(BIN, 0xc6)) skip(scanner, length(BIN, 1));
  else if (inRange(STR, 0xdb)) skip(scanner, length(STR, 1));
  else if (inRange(ARRAY, 0xdd)) skipArray(scanner, length(ARRAY, 2), depth);
  else if (inRange(MAP, 0xdf)) skipMap(scanner, length(MAP, 2), depth);
  else if (!CONSTANTS.includes(first)) {
    throw new Malformed(`expected plain MessagePack, found 0x${first.toString(16)} (an extension, or reserved)`);
  }
}

function skipArray(scanner: Scanner, items: number, depth: number): void {
  for (let n = 0; n < items; n++) skipValue(scanner, depth + 1);
}

function skipMap(scanner: Scanner, pairs: number, depth: number): void {
  for (let n = 0; n < pairs; n++) {
    skipKey(scanner);
    skipValue(scanner, depth + 1);
  }
}

/** Keys are strings, and none that JavaScript would take for the prototype. */
function skipKey(scanner: Scanner): void {
  const first = unsigned(scanner, 1);
  const isShort = first >= 0xa0 && first < 0xc0;
  expectFormat(isShort || (first >= STR && first <= 0xdb), 'strings as keys of MessagePack maps');
  const bytes = isShort ? first & 0x1f : unsigned(scanner, 1 << (first - STR));
  skip(scanner, bytes);
  expectFormat(!isProto(scanner, bytes), 'no key __proto__ in a MessagePack map');
}

const PROTO = Buffer.from('__proto__');

function isProto({ view, at }: Scanner, bytes: number): boolean {
  return bytes === PROTO.length && PROTO.equals(new Uint8Array(view.buffer, view.byteOffset + at - bytes, bytes));
}

function unsigned(scanner: Scanner, bytes: number): number {
  const { view, at } = scanner;
  skip(scanner, bytes);
  if (bytes === 1) return view.getUint8(at);
  return bytes === 2 ? view.getUint16(at) : view.getUint32(at);
}

function skip(scanner: Scanner, bytes: number): void {
  expectFormat(bytes <= scanner.view.byteLength - scanner.at, 'MessagePack values that are complete');
  scanner.at += bytes;
}
