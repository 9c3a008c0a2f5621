import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { Bed, DEVICE, RAM } from './testbed.ts';

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

test('a trap ends the reservation, and so does the return from one', () => {
  bed.program(
    'sc.d a3, a2, (a0)\nlr.d a1, (a0)\nla t0, back\ncsrw mepc, t0\nmret\nback: sc.d a4, a2, (a0)\nj .',
    RAM + 0x800n,
  );
  bed.program('lr.d a1, (a0)\necall');
  bed.setCsr('mstatus', 3n << 11n);
  bed.enter('M', RAM);
  bed.run(20);
  expect([bed.x('a3'), bed.x('a4'), bed.word(WORD)]).toEqual([1n, 1n, 0n]);
});

test.each([
  ['the byte before the word', -1, 1, 0n],
  ['two bytes up to the word', -2, 2, 0n],
  ['bytes that reach into it', -3, 4, 1n],
  ['its first byte', 0, 1, 1n],
  ['its last byte', 7, 1, 1n],
  ['the byte behind it', 8, 1, 0n],
  ['bytes around it', -8, 24, 1n],
])('a poke to %s', (_what, offset, bytes, fails) => {
  expect(sequence('nop', () => bed.core.writeRam(Number(WORD) + offset, new Uint8Array(bytes)))).toBe(fails);
});

const compare = fc.constantFrom('equal', 'equal low half', 'different');

test.each([32, 64])('amocas on %d bits stores when memory equals rd, and returns the old value', (bits) => {
  fc.assert(
    fc.property(interesting, interesting, compare, (old, next, how) => {
      const expected = how === 'equal' ? old : how === 'different' ? old ^ 1n : old ^ (1n << 63n);
      bed.setWord(WORD, old);
      bed.setX('a1', next);
      bed.setX('a2', expected);
      expect(bed.execute(`amocas.${bits === 32 ? 'w' : 'd'} a2, a1, (a0)`, 'M')).toBe(undefined);
      const swaps = how === 'equal' || (how === 'equal low half' && bits === 32);
      const stored = bits === 64 ? next : (old & ~0xffff_ffffn) | u(32, next);
      expect(bed.word(WORD)).toBe(swaps ? stored : old);
      expect(bed.x('a2')).toBe(u(64, s(bits, old)));
    }),
    { numRuns: 60 },
  );
});

test('amocas.q compares and swaps two words at once', () => {
  const attempt = (low: bigint, high: bigint) => {
    bed.setWord(WORD, 5n);
    bed.setWord(WORD + 8n, 6n);
    bed.setX('a2', low);
    bed.setX('a3', high);
    bed.setX('a4', 7n);
    bed.setX('a5', 8n);
    expect(bed.execute('amocas.q a2, a4, (a0)', 'M')).toBe(undefined);
    return [bed.word(WORD), bed.word(WORD + 8n), bed.x('a2'), bed.x('a3')];
  };
  expect(attempt(5n, 6n)).toEqual([7n, 8n, 5n, 6n]);
  expect(attempt(5n, 9n)).toEqual([5n, 6n, 5n, 6n]);
  expect(attempt(4n, 6n)).toEqual([5n, 6n, 5n, 6n]);
});

test('in amocas.q x0 stands for a pair of zeros, whatever ra holds', () => {
  bed.setX('ra', 99n);
  bed.setX('a2', 5n);
  bed.setX('a3', 6n);
  bed.setWord(WORD, 5n);
  bed.setWord(WORD + 8n, 6n);
  expect(bed.execute('amocas.q a2, zero, (a0)', 'M')).toBe(undefined);
  expect([bed.word(WORD), bed.word(WORD + 8n)]).toEqual([0n, 0n]);
  expect(bed.execute('amocas.q zero, a2, (a0)', 'M')).toBe(undefined);
  expect([bed.word(WORD), bed.word(WORD + 8n), bed.x('zero'), bed.x('ra')]).toEqual([5n, 6n, 0n, 99n]);
});

test('amocas needs natural alignment and memory; an odd register of a pair is illegal', () => {
  bed.setX('a0', WORD + 8n);
  expect(bed.execute('amocas.q a2, a4, (a0)', 'M')).toBe(6n);
  expect(bed.csr('mtval')).toBe(WORD + 8n);
  bed.setX('a0', DEVICE);
  expect(bed.execute('amocas.d a2, a4, (a0)', 'M')).toBe(7n);
  expect(bed.execute('.word 0x2ae546af', 'M')).toBe(2n);
});

/** Two harts: the first runs `source`, the second counts in s0. */
function race(source: string): Bed {
  const pair = new Bed({ harts: 2 });
  for (const hart of [0, 1]) pair.openPmp(hart);
  pair.program(`${source}\naddi s1, s1, 1\nj .`);
  pair.program('count: addi s0, s0, 1\nj count', RAM + 0x1000n);
  pair.setX('a0', WORD);
  pair.enter('M', RAM, 0);
  pair.enter('M', RAM + 0x1000n, 1);
  return pair;
}

test.each(['wrs.nto', 'wrs.sto'])(
  '%s with a reservation gives the turn away, and the reservation is gone after it',
  (name) => {
    const pair = race(`lr.d a1, (a0)\n${name}\nsc.d a2, a1, (a0)`);
    pair.run(2 + 7);
    expect([pair.x('s0', 1), pair.pc(0)]).toEqual([4n, RAM + 8n]);
    const quantum = Number(pair.core.machine('quantumTicks'));
    pair.run(quantum - 7 + 2);
    expect([pair.x('s1'), pair.x('a2')]).toEqual([1n, 1n]);
  },
);

test('wrs goes on at once without a reservation, or with an interrupt pending', () => {
  const without = race('nop\nwrs.nto');
  without.run(3);
  expect([without.x('s1'), without.x('s0', 1)]).toEqual([1n, 0n]);
  const pending = race('lr.d a1, (a0)\nwrs.sto');
  pending.setCsr('mie', 2n);
  pending.setCsr('mip', 2n);
  pending.run(3);
  expect([pending.x('s1'), pending.x('s0', 1)]).toEqual([1n, 0n]);
});

test('a turn that wrs ends is the same however the run is cut', () => {
  const whole = race('again: lr.d a1, (a0)\nwrs.sto\nj again');
  const stepped = race('again: lr.d a1, (a0)\nwrs.sto\nj again');
  whole.run(3000);
  for (let left = 3000; left > 0; left--) stepped.run(1);
  expect(stepped.state()).toEqual(whole.state());
});
