import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { Bed, RAM } from './testbed.ts';

const WORD = RAM + 0x2000n;
let bed: Bed;
beforeEach(() => {
  bed = new Bed();
  bed.openPmp();
  bed.setCsr('mtvec', RAM + 0x800n);
  bed.setX('a0', WORD);
});

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const interesting = fc.oneof(u64, fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 64n - 1n));
const s = (bits: number, v: bigint) => BigInt.asIntN(bits, v);
const u = (bits: number, v: bigint) => BigInt.asUintN(bits, v);
const OPERATIONS: Record<string, (a: bigint, b: bigint, bits: number) => bigint> = {
  amoswap: (_, b) => b,
  amoadd: (a, b) => a + b,
  amoxor: (a, b) => a ^ b,
  amoand: (a, b) => a & b,
  amoor: (a, b) => a | b,
  amomin: (a, b, n) => (s(n, a) < s(n, b) ? a : b),
  amomax: (a, b, n) => (s(n, a) > s(n, b) ? a : b),
  amominu: (a, b, n) => (u(n, a) < u(n, b) ? a : b),
  amomaxu: (a, b, n) => (u(n, a) > u(n, b) ? a : b),
};

test.each(Object.keys(OPERATIONS))('%s computes and returns the old value in both sizes', (name) => {
  fc.assert(
    fc.property(interesting, interesting, fc.constantFrom(32, 64), (old, operand, bits) => {
      bed.setWord(WORD, old);
      bed.setX('a1', operand);
      expect(bed.execute(`${name}.${bits === 32 ? 'w' : 'd'} a2, a1, (a0)`, 'M')).toBe(undefined);
      const result = u(bits, OPERATIONS[name]!(old, operand, bits));
      expect(bed.word(WORD)).toBe(bits === 64 ? result : (old & ~0xffff_ffffn) | result);
      expect(bed.x('a2')).toBe(u(64, s(bits, old)));
    }),
    { numRuns: 60 },
  );
});

test('the high halves of products are exact', () => {
  fc.assert(
    fc.property(interesting, interesting, (a, b) => {
      bed.setX('a1', a);
      bed.setX('a2', b);
      bed.program('mulh a3, a1, a2\nmulhsu a4, a1, a2\nmulhu a5, a1, a2');
      bed.enter('M', RAM);
      bed.run(3);
      expect(bed.x('a3')).toBe(u(64, (s(64, a) * s(64, b)) >> 64n));
      expect(bed.x('a4')).toBe(u(64, (s(64, a) * b) >> 64n));
      expect(bed.x('a5')).toBe((a * b) >> 64n);
    }),
  );
});

test('misaligned atomics are address-misaligned exceptions', () => {
  bed.setX('a0', WORD + 2n);
  expect(bed.execute('lr.w a1, (a0)', 'M')).toBe(4n);
  expect(bed.execute('sc.w a1, a2, (a0)', 'M')).toBe(6n);
  expect(bed.execute('amoadd.w a1, a2, (a0)', 'M')).toBe(6n);
  expect(bed.csr('mtval')).toBe(WORD + 2n);
});

/** Runs lines one after another without a trap; SC's result in a3. */
function sequence(source: string, between: () => void = () => {}): bigint {
  bed.program(`lr.d a1, (a0)\n${source}\nsc.d a3, a2, (a0)\nj .`);
  bed.setX('a2', 9n);
  bed.enter('M', RAM);
  bed.run(1);
  between();
  bed.run(source.split('\n').length + 1);
  return bed.x('a3');
}

test('SC stores after LR, and only once', () => {
  expect(sequence('nop')).toBe(0n);
  expect(bed.word(WORD)).toBe(9n);
  expect(sequence('sc.d a4, a2, (a0)')).toBe(1n);
});

test('SC fails elsewhere, after a trap, after a poke to the word, and after another turn', () => {
  expect(sequence('addi a0, a0, 8')).toBe(1n);
  bed.setX('a0', WORD);
  bed.program('csrr t0, mepc\naddi t0, t0, 4\ncsrw mepc, t0\nmret', RAM + 0x800n);
  bed.setCsr('mstatus', 3n << 11n);
  bed.program('lr.d a1, (a0)\necall\nsc.d a3, a2, (a0)\nj .');
  bed.enter('M', RAM);
  bed.run(7);
  expect(bed.x('a3')).toBe(1n);
  expect(sequence('nop', () => bed.setWord(WORD, 3n))).toBe(1n);
  expect(sequence('nop', () => bed.setWord(WORD + 64n, 3n))).toBe(0n);
  bed.core.setMachine('quantumTicks', 64n);
  bed.core.setMachine('turnLeft', 2n);
  expect(sequence('nop')).toBe(1n);
});
