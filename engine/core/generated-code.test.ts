/**
 * Generated code against a stand-in for the privileged architecture and the reference evaluator: every generator is
 * held to what the table says.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Expression,
  evaluate,
  expressionsOf,
  INSTRUCTIONS,
  type Instruction,
  insertOperands,
  isFloatRegister,
  mayDivert,
  parts,
} from '../isa/index.ts';
import { FakeHart, RAM } from './fake-hart.ts';
import { GENERATORS } from './generators-testing.ts';
import { HART, offsetOf } from './layout/index.ts';

const END = RAM + 0x2000;

/** 64-bit values with the interesting ones often. */
const word64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 63n - 1n, 2n ** 64n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 64n - 2n ** 31n),
);

const usesCalls = (row: Instruction) =>
  expressionsOf(row.effect)
    .flatMap(parts)
    .some((e) => mayDivert(e) || e.kind === 'call');
const COMPUTING = INSTRUCTIONS.filter((row) => row.effect.kind === 'set' && !usesCalls(row));
const BRANCHES = INSTRUCTIONS.filter((row) => row.effect.kind === 'branch');

describe.each(GENERATORS)('$name', (generator) => {
  describe('generated code means what the table says', () => {
    const setValue = (row: Instruction): Expression => {
      if (row.effect.kind !== 'set') throw new Error('not a register write');
      return row.effect.value;
    };

    /** A new hart for each of thousands of instructions would cost ten times the test. */
    const shared = new FakeHart(generator);

    test.each(COMPUTING.map((row) => [row.name, row] as const))('%s', (_, row) => {
      fc.assert(
        fc.property(
          word64,
          word64,
          fc.integer({ min: -2048, max: 2047 }),
          fc.constantFrom(0, 5, 6, 7),
          (a, b, n, rd) => {
            const field = row.encoding.fields.find((f) => f.name === 'imm');
            const wide = field?.width === 32 ? n * 4096 : n;
            const imm = field?.kind === 'unsigned' ? n & (2 ** field.width - 1) : wide;
            const raw = insertOperands(row.encoding, { rd, rs1: 6, rs2: 7, imm });
            const prepare = (h: FakeHart) => {
              h.setX(6, a);
              h.setX(7, b);
            };
            const hart = shared.execute(`.word ${raw}`, 1, prepare);
            const expected = evaluate(setValue(row), {
              rs1: a,
              rs2: b,
              imm: BigInt.asUintN(64, BigInt(imm)),
              zimm: 0n,
              pc: BigInt(RAM),
              raw: BigInt(raw),
              load: () => 0n,
              call: () => 0n,
            });
            expect(hart.x(rd)).toBe(rd === 0 ? 0n : expected);
            expect(hart.pc).toBe(BigInt(RAM + 4));
          },
        ),
        { numRuns: 60 },
      );
    });

    test.each(BRANCHES.map((row) => [row.name, row] as const))('%s', (_, row) => {
      fc.assert(
        fc.property(word64, word64, fc.constantFrom(8, 0x800, -0x1000), (a, b, imm) => {
          const hart = new FakeHart(generator).execute(
            `.word ${insertOperands(row.encoding, { rs1: 6, rs2: 7, imm })}`,
            1,
            (h) => {
              h.setX(6, a);
              h.setX(7, b);
            },
          );
          if (row.effect.kind !== 'branch') throw new Error('not a branch');
          const leaves = { imm: 0n, zimm: 0n, pc: 0n, raw: 0n, load: () => 0n, call: () => 0n };
          const taken = evaluate(row.effect.condition, { rs1: a, rs2: b, ...leaves }) !== 0n;
          expect(hart.pc).toBe(BigInt(RAM + (taken ? imm : 4)));
        }),
        { numRuns: 30 },
      );
    });
  });

  describe('what the host may do is done by it, and nothing else', () => {
    const ATTEMPTS = INSTRUCTIONS.filter((row) => row.effect.kind === 'attempt');
    const F = offsetOf(HART, 'f') / 8;
    const near = fc.tuple(fc.nat(1), fc.integer({ min: -40, max: 66 }), fc.bigInt(0n, 2n ** 52n - 1n));
    const doubles = near.map(([sign, e, fraction]) => (BigInt(sign * 2048 + 1023 + e) << 52n) | fraction);
    const singles = near.map(
      ([sign, e, fraction]) => (0xffffffffn << 32n) | (BigInt(sign * 256 + 127 + e) << 23n) | (fraction >> 29n),
    );
    const operand = fc.oneof(doubles, singles, word64);

    test.each(ATTEMPTS.map((row) => [row.name, row] as const))('%s', (_, row) => {
      if (row.effect.kind !== 'attempt') throw new Error('not an attempt');
      const { candidate, accept } = row.effect;
      const isFloat = (name: string) => row.encoding.fields.some((f) => f.name === name && isFloatRegister(f.kind));
      const word = (name: string, n: number) => (isFloat(name) ? F + n : n);
      let accepted = 0;
      const check = (a: bigint, b: bigint, on: boolean, rm: number) => {
        const state = { floatState: on ? 3n : 0n, hostRounding: on ? 0x8281n : 0n };
        const raw = insertOperands(row.encoding, { rd: 5, rs1: 6, rs2: 7, imm: rm }) as number;
        const hart = new FakeHart(generator).execute(`.word ${raw}`, 1, (h) => {
          h.setX(word('rs1', 6), a);
          h.setX(word('rs2', 7), b);
          for (const [name, value] of Object.entries(state)) h.set32(name, Number(value));
          h.answer = () => 77n;
        });
        const leaves = { zimm: 0n, pc: 0n, raw: BigInt(raw), load: () => 0n, call: () => 0n, state };
        const env = { ...leaves, rs1: a, rs2: b, imm: BigInt(rm) };
        const value = evaluate(candidate, env);
        const takes = evaluate(accept, { ...env, candidate: value }) !== 0n;
        expect(hart.x(word('rd', 5))).toBe(takes ? value : 77n);
        expect(hart.calls.filter(({ name }) => name.startsWith('float')).length).toBe(takes ? 0 : 1);
        if (takes) accepted++;
      };
      // 1.5 as a double and as a single, and an integer.
      for (const a of [0x3ff8n << 48n, 0xffffffff_3fc00000n, 3n]) for (const rm of [0, 1]) check(a, a, true, rm);
      expect(accepted).toBeGreaterThan(0);
      fc.assert(fc.property(operand, operand, fc.boolean(), fc.constantFrom(0, 1, 4, 7), check), { numRuns: 12 });
    });
  });

  describe('jumps', () => {
    test('jal links, also from 2-byte forms; jalr may use its own destination', () => {
      const hart = new FakeHart(generator).execute(
        'jal ra, far\n .zero 0x1800\n far: la t0, end\n c.jalr t0\n end: jalr t0, 4(t0)',
        5,
      );
      expect(hart.x(1)).toBe(BigInt(RAM + 0x1804 + 10));
      expect(hart.x(5)).toBe(BigInt(RAM + 0x1804 + 14));
      expect(hart.pc).toBe(BigInt(RAM + 0x1804 + 14));
    });

    test('a loop inside a page, across two, and closed by a branch that straddles them', () => {
      const body = (pad: number) => `li a0, 5\n j start\n .balign 4096\n .zero ${pad}\n start: addi a1, a1, 1
      addi a0, a0, -1\n bnez a0, start\n j start`;
      for (const pad of [0, 4096 - 4, 4096 - 10, 4096 - 8, 4096 - 6]) {
        const hart = new FakeHart(generator);
        hart.load(body(pad));
        // li, j, then 3 instructions each round.
        expect(hart.run(2 + 15)).toBe(0);
        expect([pad, hart.x(11), hart.x(10)]).toEqual([pad, 5n, 0n]);
        expect(hart.pc).toBe(BigInt(RAM + 4096 + pad + 12));
      }
    });
  });

  describe('memory', () => {
    const loads = { lb: 1, lh: 2, lw: 4, ld: 8, lbu: 1, lhu: 2, lwu: 4 };
    const value = 0xf1e2_d3c4_b5a6_9788n;
    const extended = (name: string, bytes: number) =>
      BigInt.asUintN(64, name.endsWith('u') ? BigInt.asUintN(8 * bytes, value) : BigInt.asIntN(8 * bytes, value));

    test.each(Object.entries(loads))('%s hits the cache, and calls loadSlow otherwise', (name, bytes) => {
      for (const cached of [true, false]) {
        const hart = new FakeHart(generator).execute(`${name} a0, -8(a1)`, 1, (h) => {
          h.setX(11, BigInt(END + 8));
          h.view.setBigUint64(END, value, true);
          if (cached) h.cache('read', 2);
          h.answer = ({ name: called }) => (called === 'loadSlow' ? BigInt.asUintN(8 * bytes, value) : 0n);
        });
        expect(hart.x(10)).toBe(extended(name, bytes));
        const slow = hart.calls.filter((call) => call.name === 'loadSlow');
        const expected = { name: 'loadSlow', pc: BigInt(RAM), budget: 0, args: [BigInt(END), BigInt(bytes)] };
        expect(slow).toEqual(cached ? [] : [expected]);
      }
    });

    test('a misaligned access misses, a write does not use the read cache', () => {
      const hart = new FakeHart(generator).execute('ld a0, 1(a1)\n sd a1, 0(a1)\n lb a0, 1(a1)', 3, (h) => {
        h.setX(11, BigInt(END));
        h.cache('read', 2);
      });
      expect(hart.instructionCalls.map((call) => call.name)).toEqual(['loadSlow', 'storeSlow']);
    });

    test.each(Object.entries({ sb: 1, sh: 2, sw: 4, sd: 8 }))('%s writes exactly its bytes', (name, bytes) => {
      const hart = new FakeHart(generator).execute(`${name} a0, 0(a1)`, 1, (h) => {
        h.setX(10, value);
        h.setX(11, BigInt(END + 8));
        h.bytes.fill(0xee, END, END + 32);
        h.cache('write', 2);
      });
      expect(hart.view.getBigUint64(END + 8, true)).toBe(
        ((0xeeee_eeee_eeee_eeeen >> BigInt(8 * bytes)) << BigInt(8 * bytes)) | BigInt.asUintN(8 * bytes, value),
      );
      expect([hart.bytes[END + 7], hart.bytes[END + 16]]).toEqual([0xee, 0xee]);
    });
  });
});
