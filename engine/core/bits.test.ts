/** Zba, Zbb, Zbc and Zbs on the whole core, against their definitions written as loops over bits. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { INSTRUCTIONS } from '../isa/index.ts';
import { Bed } from './testbed.ts';

const bed = new Bed();
bed.openPmp();

const u = (bits: number, v: bigint) => BigInt.asUintN(bits, v);
const s = (bits: number, v: bigint) => BigInt.asIntN(bits, v);
const bitOf = (v: bigint, n: number) => (v >> BigInt(n)) & 1n;
const positions = (bits: number) => Array.from({ length: bits }, (_, n) => n);
const fromBits = (bits: readonly bigint[]) => bits.reduce((sum, b, n) => sum | (b << BigInt(n)), 0n);
const setBits = (bits: number, v: bigint) => positions(bits).filter((n) => bitOf(v, n) === 1n);

const leading = (bits: number, v: bigint) => BigInt(bits - 1 - (setBits(bits, v).at(-1) ?? -1));
const trailing = (bits: number, v: bigint) => BigInt(setBits(bits, v)[0] ?? bits);
const ones = (bits: number, v: bigint) => BigInt(setBits(bits, v).length);
/** Bit n comes from bit n + by. */
const rotateRight = (bits: number, v: bigint, by: number) =>
  fromBits(positions(bits).map((n) => bitOf(v, (n + by) % bits)));
const rotateLeft = (bits: number, v: bigint, by: number) => rotateRight(bits, v, bits - (by % bits));
const bytes = (v: bigint) => positions(8).map((n) => (v >> BigInt(8 * n)) & 0xffn);
const fromBytes = (all: readonly bigint[]) => all.reduce((sum, b, n) => sum | (b << BigInt(8 * n)), 0n);
const carryless = (a: bigint, b: bigint) => setBits(64, b).reduce((sum, n) => sum ^ (a << BigInt(n)), 0n);

/** a is rs1; b is rs2, or the immediate. Results are taken modulo 2^64. */
const DEFINITIONS: Record<string, (a: bigint, b: bigint) => bigint> = {
  sh1add: (a, b) => 2n * a + b,
  sh2add: (a, b) => 4n * a + b,
  sh3add: (a, b) => 8n * a + b,
  'add.uw': (a, b) => u(32, a) + b,
  'sh1add.uw': (a, b) => 2n * u(32, a) + b,
  'sh2add.uw': (a, b) => 4n * u(32, a) + b,
  'sh3add.uw': (a, b) => 8n * u(32, a) + b,
  'slli.uw': (a, b) => u(32, a) << b,
  andn: (a, b) => fromBits(positions(64).map((n) => bitOf(a, n) & (1n - bitOf(b, n)))),
  orn: (a, b) => fromBits(positions(64).map((n) => bitOf(a, n) | (1n - bitOf(b, n)))),
  xnor: (a, b) => fromBits(positions(64).map((n) => (bitOf(a, n) === bitOf(b, n) ? 1n : 0n))),
  clz: (a) => leading(64, a),
  clzw: (a) => leading(32, a),
  ctz: (a) => trailing(64, a),
  ctzw: (a) => trailing(32, a),
  cpop: (a) => ones(64, a),
  cpopw: (a) => ones(32, a),
  min: (a, b) => (s(64, a) < s(64, b) ? a : b),
  max: (a, b) => (s(64, a) > s(64, b) ? a : b),
  minu: (a, b) => (a < b ? a : b),
  maxu: (a, b) => (a > b ? a : b),
  'sext.b': (a) => s(8, a),
  'sext.h': (a) => s(16, a),
  'zext.h': (a) => u(16, a),
  rol: (a, b) => rotateLeft(64, a, Number(b & 63n)),
  ror: (a, b) => rotateRight(64, a, Number(b & 63n)),
  rori: (a, b) => rotateRight(64, a, Number(b)),
  rolw: (a, b) => s(32, rotateLeft(32, a, Number(b & 31n))),
  rorw: (a, b) => s(32, rotateRight(32, a, Number(b & 31n))),
  roriw: (a, b) => s(32, rotateRight(32, a, Number(b))),
  'orc.b': (a) => fromBytes(bytes(a).map((byte) => (byte === 0n ? 0n : 0xffn))),
  rev8: (a) => fromBytes(bytes(a).reverse()),
  clmul: (a, b) => carryless(a, b),
  clmulh: (a, b) => carryless(a, b) >> 64n,
  clmulr: (a, b) => carryless(a, b) >> 63n,
  ...Object.fromEntries(
    ['', 'i'].flatMap((suffix) => [
      [`bclr${suffix}`, (a: bigint, b: bigint) => a & ~(1n << (b & 63n))],
      [`bext${suffix}`, (a: bigint, b: bigint) => bitOf(a, Number(b & 63n))],
      [`binv${suffix}`, (a: bigint, b: bigint) => a ^ (1n << (b & 63n))],
      [`bset${suffix}`, (a: bigint, b: bigint) => a | (1n << (b & 63n))],
    ]),
  ),
};

const ROWS = INSTRUCTIONS.filter((row) => /^Zb[abcs]$/.test(row.extension));

test('every row has a definition here', () => {
  expect(ROWS.map((row) => row.name).sort()).toEqual(Object.keys(DEFINITIONS).sort());
});

/** Values that touch the corners: few bits set, sparse bytes, words at the sign. */
const operand = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.nat(63).map((n) => 1n << BigInt(n)),
  fc.array(fc.constantFrom(0n, 1n, 0x80n, 0xffn), { minLength: 8, maxLength: 8 }).map(fromBytes),
  fc.constantFrom(0n, 2n ** 64n - 1n, 2n ** 63n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n),
);

test.each(ROWS.map((row) => [row.name, row] as const))('%s', (name, row) => {
  const immediate = row.encoding.fields.find((f) => f.name === 'imm');
  fc.assert(
    fc.property(operand, operand, (a, b) => {
      const by = immediate ? b % 2n ** BigInt(immediate.width) : b;
      bed.setX('a1', a);
      bed.setX('a2', b);
      const operands = row.syntax.replace('rd', 'a0').replace('rs1', 'a1').replace('rs2', 'a2').replace('imm', `${by}`);
      expect(bed.execute(`${name} ${operands}`, 'M')).toBe(undefined);
      expect(bed.x('a0')).toBe(u(64, DEFINITIONS[name]!(a, by)));
    }),
    { numRuns: 60 },
  );
});
