/**
 * Generated code against a stand-in for the privileged architecture: every generator keeps the contract of
 * engine/core/README.md, "interp(hart, budget)".
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ACCESSES,
  alternatives,
  decode,
  expressionsOf,
  type Fact,
  factsOf,
  INSTRUCTIONS,
  type Instruction,
  insertOperands,
  parts,
} from '../isa/index.ts';
import { FakeHart, RAM } from './fake-hart.ts';
import { GENERATORS } from './generators-testing.ts';
import { CONSTANTS } from './layout/index.ts';

const { RESYNC_PC, RESYNC_END_SLICE } = CONSTANTS;

describe.each(GENERATORS)('$name', (generator) => {
  test('a CSR access says which of reading and writing it does', () => {
    const cases = {
      'csrrw zero, sscratch, a0': [0, 2],
      'csrrw a1, sscratch, zero': [0, 3],
      'csrrs a1, sscratch, zero': [1, 1],
      'csrrc a1, sscratch, a0': [2, 3],
      'csrrwi zero, sscratch, 3': [0, 2],
      'csrrsi a1, sscratch, 0': [1, 1],
      'csrrci a1, sscratch, 9': [2, 3],
    };
    for (const [source, [op, access]] of Object.entries(cases)) {
      const hart = new FakeHart(generator).execute(source, 1, (h) => h.setX(10, 77n));
      const call = hart.calls.at(-1);
      const operand = source.includes('i ') ? BigInt(source.at(-1) ?? 0) : source.endsWith('a0') ? 77n : 0n;
      expect([source, call?.args.slice(0, 4)]).toEqual([
        source,
        [0x140n, operand, BigInt(op ?? 0), BigInt(access ?? 0)],
      ]);
      expect(decode(Number(call?.args[4]))?.operands.imm).toBe(0x140);
    }
  });

  test('a redirected instruction writes no register and goes on where the helper said', () => {
    const hart = new FakeHart(generator);
    hart.load('lr.d a0, (a1)\n addi a2, a2, 1\n .balign 64\n handler: addi a3, a3, 1');
    hart.setX(10, 123n);
    hart.answer = ({ name }, h) => {
      if (name !== 'lr') return 0n;
      h.pc = BigInt(RAM + 64);
      h.set32('resync', RESYNC_PC);
      return 456n;
    };
    expect(hart.run(2)).toBe(0);
    expect([hart.x(10), hart.x(12), hart.x(13)]).toEqual([123n, 0n, 1n]);
    expect(hart.get32('resync')).toBe(0);
  });

  /** What a row's effect calls, on any of its paths, that may do what `fact` says. */
  const calls = (row: Instruction, fact: Fact): string[] => {
    const all = expressionsOf(row.effect).flatMap(parts);
    const called = all.filter((e) => factsOf(e).includes(fact)).map((e) => (e.kind === 'call' ? e.helper : 'loadSlow'));
    const stores = alternatives(row.effect).some(({ kind }) => kind === 'store');
    return [...called, ...(stores && ACCESSES.store.may.some((may) => may === fact) ? ['storeSlow'] : [])];
  };
  const rowsThat = (fact: Fact) =>
    INSTRUCTIONS.filter((row) => calls(row, fact).length > 0).map((row) => [row.name, row] as const);
  /**
   * Runs `row` as the second of 10, with floating point off and dirty; calls that may do `fact` answer with `resync`.
   */
  const answered = (row: Instruction, fact: Fact, resync: number) =>
    [0, 3].flatMap((floatState) => {
      const hart = new FakeHart(generator);
      hart.load(`nop\n .word ${insertOperands(row.encoding, { rd: 10, rs1: 12, rs2: 14, rs3: 14, imm: 0, zimm: 0 })}`);
      hart.setX(10, 123n);
      hart.set32('floatState', floatState);
      const answers: number[] = [];
      hart.answer = ({ name, pc, budget }, h) => {
        if (pc !== BigInt(RAM + 4) || !calls(row, fact).includes(name)) return 0n;
        answers.push(budget);
        if (resync & RESYNC_PC) h.pc = BigInt(RAM + 64);
        h.set32('resync', resync);
        return 456n;
      };
      const left = hart.run(10);
      const after = { left, answers, pc: hart.pc, resync: hart.get32('resync'), x10: hart.x(10) };
      return answers.length > 0 ? [after] : [];
    });

  test.each(rowsThat('endSlice'))('%s is complete when its call ends the slice', (_, row) => {
    const ends = answered(row, 'endSlice', RESYNC_END_SLICE);
    expect(ends.length).toBeGreaterThan(0);
    const writes =
      row.effect.kind === 'set' && row.encoding.fields.some((f) => f.name === 'rd' && f.kind === 'register');
    for (const { x10, ...end } of ends) {
      expect(end).toEqual({ left: 8, answers: [8], pc: BigInt(RAM + 8), resync: 0 });
      expect(x10 === 123n).toBe(!writes);
    }
  });

  test.each([
    ...rowsThat('trap').map((row) => [...row, 'trap'] as const),
    ...rowsThat('redirect').map((row) => [...row, 'redirect'] as const),
  ])('%s writes nothing when its call redirects', (_, row, fact) => {
    const ends = answered(row, fact, RESYNC_PC | RESYNC_END_SLICE);
    expect(ends.length).toBeGreaterThan(0);
    for (const end of ends) {
      expect(end).toEqual({ left: 8, answers: [8], pc: BigInt(RAM + 64), resync: 0, x10: 123n });
    }
  });

  test.each(rowsThat('readRegisters'))('%s finds the registers where the layout has them', (_, row) => {
    const raw = insertOperands(row.encoding, { rd: 10, rs1: 12, rs2: 14 });
    const seen: bigint[][] = [];
    new FakeHart(generator).execute(`li a0, 5\n li a1, 6\n li a2, 7\n li a4, 8\n .word ${raw}`, 5, (h) => {
      h.answer = ({ name }) => {
        if (calls(row, 'readRegisters').includes(name)) seen.push([10, 11, 12, 14].map((n) => h.x(n)));
        return 0n;
      };
    });
    expect(seen).toEqual([[5n, 6n, 7n, 8n]]);
  });

  test.each(rowsThat('writeRegisters'))('%s leaves the registers as its helper wrote them', (_, row) => {
    const raw = insertOperands(row.encoding, { rd: 10, rs1: 12, rs2: 14 });
    const hart = new FakeHart(generator).execute(`.word ${raw}\n addi a3, a0, 1`, 2, (h) => {
      h.answer = ({ name }) => {
        if (calls(row, 'writeRegisters').includes(name)) for (const n of [10, 11, 14]) h.setX(n, BigInt(100 + n));
        return 0n;
      };
    });
    expect([10, 11, 14, 13].map((n) => hart.x(n))).toEqual([110n, 111n, 114n, 111n]);
  });

  test('an illegal instruction goes to its helper with the bits as fetched', () => {
    const hart = new FakeHart(generator);
    hart.load('.half 0x2001\n .word 0xffffffff');
    hart.answer = ({ name, pc }, h) => {
      if (name === 'illegal') {
        h.pc = pc + 2n;
        h.set32('resync', RESYNC_PC);
      }
      return 0n;
    };
    hart.run(2);
    const illegal = hart.calls.filter((call) => call.name === 'illegal');
    expect(illegal.map((call) => call.args)).toEqual([[0x2001n], [0xffff_ffffn]]);
  });

  test('a fetch that traps spends one unit, and none is spent when none is left', () => {
    const hart = new FakeHart(generator);
    hart.load('j away\n .balign 4096\n away: nop');
    hart.fetchTraps.set(BigInt(RAM + 4096), BigInt(RAM + 8192));
    expect(hart.run(1)).toBe(0);
    expect(hart.pc).toBe(BigInt(RAM + 4096));
    expect(hart.run(1)).toBe(0);
    expect(hart.pc).toBe(BigInt(RAM + 8192));
    expect(hart.calls.map((call) => call.budget)).toEqual([0, 0]);
  });

  test('however a run is cut into budgets, it goes the same way', () => {
    const program = `li a0, 40\n la a1, end\n loop: sd a0, 0(a1)\n lw a2, 0(a1)\n add a3, a3, a2\n mul a4, a3, a2
      c.addi a1, 8\n amoadd.d a5, a0, (a1)\n addi a0, a0, -1\n bnez a0, loop\n j skip\n .balign 4096\n .zero 4094
      skip: addi a6, a6, 1\n addi a6, a6, 2\n .balign 8\n end: .zero 8`;
    const start = () => {
      const hart = new FakeHart(generator);
      hart.load(program);
      for (const page of [0, 1, 2]) hart.cache('read', page);
      hart.cache('write', 2);
      hart.answer = ({ args }) => (args[0] ?? 0n) * 3n;
      return hart;
    };
    const total = 3 + 8 * 40 + 3;
    const whole = start();
    whole.run(total);
    expect(whole.x(16)).toBe(3n);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 20, maxLength: 60 }), (cuts) => {
        const hart = start();
        let left = total;
        for (const cut of [...cuts, total]) {
          const budget = Math.min(cut, left);
          expect(hart.run(budget)).toBe(0);
          left -= budget;
        }
        expect([hart.pc, hart.registers]).toEqual([whole.pc, whole.registers]);
      }),
      { numRuns: 40 },
    );
  });
});
