/**
 * Changes of plain data, as plain data: which value of a tree, and what becomes of it. Any tree of maps, lists,
 * numbers, bigints, strings and bytes will do. Used by tests only.
 */
import fc from 'fast-check';

/** Numbers where ranges end: counts, sizes, places and positions that somebody might forget to check. */
export const NUMBERS: readonly number[] = [
  0,
  1,
  2,
  3,
  7,
  8,
  9,
  63,
  64,
  95,
  96,
  255,
  256,
  4095,
  4096,
  4097,
  0xffff,
  0x1_0000,
  0x8000_0000,
  0x8040_0000,
  2 ** 28,
  3 * 2 ** 28,
  8 * 2 ** 28,
  9 * 2 ** 28,
  2 ** 31 - 1,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 33,
  2 ** 52,
  2 ** 53 - 1,
];
/** Some of what is done to each of its characters takes room on the stack. */
const LONG = 'x'.repeat(300_000);
const LONG_LATIN = '\xe9'.repeat(90_000);
const STRINGS = [
  '',
  '0',
  '9'.repeat(20),
  '-1',
  'x',
  '\0',
  '__proto__',
  'drive0',
  'console',
  'fault',
  'poke',
  'net',
  '\x1b[2J\n',
  LONG,
  LONG_LATIN,
];

/** What happens to one value; each kind of value takes what it can of it. */
export interface Change {
  /** Which value of the tree, counted modulo how many there are. */
  readonly at: number;
  readonly what: 'value' | 'near' | 'drop' | 'repeat' | 'swap' | 'empty' | 'bits' | 'cut' | 'grow';
  readonly value: number;
  readonly text: string;
  readonly place: number;
}

export const CHANGE: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  what: fc.constantFrom('value', 'near', 'drop', 'repeat', 'swap', 'empty', 'bits', 'cut', 'grow'),
  value: fc.oneof(fc.constantFrom(...NUMBERS), fc.maxSafeNat()),
  text: fc.oneof(fc.constantFrom(...STRINGS), fc.string({ maxLength: 12 })),
  place: fc.nat(),
});

type Tree = Record<string | number, unknown>;
interface Leaf {
  readonly parent: Tree;
  readonly key: string;
  readonly value: unknown;
}

/** Applies a change to a tree in place. */
export function change(tree: object, its: Change): void {
  const leaves = [...leavesOf(tree as Tree)];
  const leaf = leaves[its.at % leaves.length];
  if (leaf) leaf.parent[leaf.key] = changed(leaf.value, its);
}

/** Every value in a tree but maps: lists count as values, too. */
function* leavesOf(parent: Tree): Generator<Leaf> {
  for (const [key, value] of Object.entries(parent)) {
    const isTree = typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
    if (!isTree || Array.isArray(value)) yield { parent, key, value };
    if (isTree) yield* leavesOf(value as Tree);
  }
}

function changed(value: unknown, its: Change): unknown {
  if (value instanceof Uint8Array) return changedBytes(value, its);
  if (Array.isArray(value)) return changedList(value, its);
  if (typeof value === 'string') return its.what === 'near' ? value.slice(its.place % (value.length + 1)) : its.text;
  if (typeof value === 'bigint')
    return its.what === 'near' ? value ^ (1n << BigInt(its.place % 64)) : BigInt(its.value);
  if (typeof value === 'number') return its.what === 'near' ? Math.max(0, value + (its.place % 5) - 2) : its.value;
  return its.value;
}

function changedList(list: readonly unknown[], { what, place }: Change): unknown[] {
  const n = place % Math.max(1, list.length);
  const other = (n + 1) % Math.max(1, list.length);
  if (what === 'empty') return [];
  if (list.length === 0) return [];
  if (what === 'repeat' || what === 'grow') return list.toSpliced(n, 0, structuredClone(list[n]));
  if (what === 'swap') return list.with(n, list[other]).with(other, list[n]);
  return what === 'cut' ? list.slice(0, n) : list.toSpliced(n, 1);
}

/** Bytes with one change; `at` and `text` say nothing. */
export function changedBytes(bytes: Uint8Array, { what, place, value }: Change): Uint8Array {
  const n = place % Math.max(1, bytes.length);
  if (what === 'empty') return new Uint8Array();
  if (what === 'cut' || what === 'drop') return bytes.slice(0, n);
  if (what === 'grow' || what === 'repeat') return Uint8Array.from([...bytes, ...bytes.subarray(0, n)]);
  const now = bytes.slice();
  if (what === 'value' || what === 'swap') writeNumber(now, n, value);
  else if (now.length > 0) now[n]! ^= 1 << (value % 8);
  return now;
}

/** Overwrites a word of one to eight bytes, little endian, where it would be aligned. */
export function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(value), true);
  const width = value > 0xffff_ffff ? 8 : value > 0xff ? 4 : 1;
  const place = at - (at % width);
  for (let n = 0; n < width && place + n < bytes.length; n++) bytes[place + n] = view.getUint8(n);
}
