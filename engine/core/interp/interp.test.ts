/** The generated interpreter alone, against a stand-in for the privileged architecture and the reference evaluator. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ACCESSES,
  alternatives,
  decode,
  type Expression,
  evaluate,
  expressionsOf,
  type Fact,
  factsOf,
  INSTRUCTIONS,
  type Instruction,
  insertOperands,
  isFloatRegister,
  mayDivert,
  parts,
} from '../../isa/index.ts';
import { CONSTANTS, HART, offsetOf } from '../layout.ts';
import { FakeHart, RAM } from './fake-arch.ts';

const { RESYNC_PC, RESYNC_END_SLICE } = CONSTANTS;
const END = RAM + 0x2000;

/** 64-bit values with the interesting ones often. */
const word64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 63n - 1n, 2n ** 64n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 64n - 2n ** 31n),
);

function run(
  source: string,
  budget: number,
  prepare: (hart: FakeHart) => void = () => {},
  hart = new FakeHart(),
): FakeHart {
  hart.load(source);
  prepare(hart);
  expect(hart.run(budget)).toBe(0);
  return hart;
}

const usesCalls = (row: Instruction) =>
  expressionsOf(row.effect)
    .flatMap(parts)
    .some((e) => mayDivert(e) || e.kind === 'call');
const COMPUTING = INSTRUCTIONS.filter((row) => row.effect.kind === 'set' && !usesCalls(row));
const BRANCHES = INSTRUCTIONS.filter((row) => row.effect.kind === 'branch');

describe('generated code means what the table says', () => {
  const setValue = (row: Instruction): Expression => {
    if (row.effect.kind !== 'set') throw new Error('not a register write');
    return row.effect.value;
  };

  /** A new hart for each of thousands of instructions would cost ten times the test. */
  const shared = new FakeHart();

  test.each(COMPUTING.map((row) => [row.name, row] as const))('%s', (_, row) => {
    fc.assert(
      fc.property(word64, word64, fc.integer({ min: -2048, max: 2047 }), fc.constantFrom(0, 5, 6, 7), (a, b, n, rd) => {
        const field = row.encoding.fields.find((f) => f.name === 'imm');
        const wide = field?.width === 32 ? n * 4096 : n;
        const imm = field?.kind === 'unsigned' ? n & (2 ** field.width - 1) : wide;
        const raw = insertOperands(row.encoding, { rd, rs1: 6, rs2: 7, imm });
        const prepare = (h: FakeHart) => {
          h.setX(6, a);
          h.setX(7, b);
        };
        const hart = run(`.word ${raw}`, 1, prepare, shared);
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
      }),
      { numRuns: 60 },
    );
  });

  test.each(BRANCHES.map((row) => [row.name, row] as const))('%s', (_, row) => {
    fc.assert(
      fc.property(word64, word64, fc.constantFrom(8, 0x800, -0x1000), (a, b, imm) => {
        const hart = run(`.word ${insertOperands(row.encoding, { rs1: 6, rs2: 7, imm })}`, 1, (h) => {
          h.setX(6, a);
          h.setX(7, b);
        });
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
      const hart = run(`.word ${raw}`, 1, (h) => {
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
    const hart = run('jal ra, far\n .zero 0x1800\n far: la t0, end\n c.jalr t0\n end: jalr t0, 4(t0)', 5);
    expect(hart.x(1)).toBe(BigInt(RAM + 0x1804 + 10));
    expect(hart.x(5)).toBe(BigInt(RAM + 0x1804 + 14));
    expect(hart.pc).toBe(BigInt(RAM + 0x1804 + 14));
  });

  test('a loop inside a page, across two, and closed by a branch that straddles them', () => {
    const body = (pad: number) => `li a0, 5\n j start\n .balign 4096\n .zero ${pad}\n start: addi a1, a1, 1
      addi a0, a0, -1\n bnez a0, start\n j start`;
    for (const pad of [0, 4096 - 4, 4096 - 10, 4096 - 8, 4096 - 6]) {
      const hart = new FakeHart();
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
      const hart = run(`${name} a0, -8(a1)`, 1, (h) => {
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
    const hart = run('ld a0, 1(a1)\n sd a1, 0(a1)\n lb a0, 1(a1)', 3, (h) => {
      h.setX(11, BigInt(END));
      h.cache('read', 2);
    });
    expect(hart.calls.map((call) => call.name)).toEqual(['fetch', 'loadSlow', 'storeSlow']);
  });

  test.each(Object.entries({ sb: 1, sh: 2, sw: 4, sd: 8 }))('%s writes exactly its bytes', (name, bytes) => {
    const hart = run(`${name} a0, 0(a1)`, 1, (h) => {
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

describe('the contract with the architecture', () => {
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
      const hart = run(source, 1, (h) => h.setX(10, 77n));
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
    const hart = new FakeHart();
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
  /** Runs `row` with a budget of 10, with floating point off and dirty; calls that may do `fact` answer with `resync`. */
  const answered = (row: Instruction, fact: Fact, resync: number) =>
    [0, 3].flatMap((floatState) => {
      const hart = new FakeHart();
      hart.load(`.word ${insertOperands(row.encoding, { rd: 10, rs1: 12, rs2: 14, rs3: 14, imm: 0, zimm: 0 })}`);
      hart.setX(10, 123n);
      hart.set32('floatState', floatState);
      let answers = 0;
      hart.answer = ({ name, pc }, h) => {
        if (pc !== BigInt(RAM) || !calls(row, fact).includes(name)) return 0n;
        answers++;
        if (resync & RESYNC_PC) h.pc = BigInt(RAM + 64);
        h.set32('resync', resync);
        return 456n;
      };
      const left = hart.run(10);
      const after = { left, answers, pc: hart.pc, resync: hart.get32('resync'), x10: hart.x(10) };
      return answers > 0 ? [after] : [];
    });

  test.each(rowsThat('endSlice'))('%s is complete when its call ends the slice', (_, row) => {
    const ends = answered(row, 'endSlice', RESYNC_END_SLICE);
    expect(ends.length).toBeGreaterThan(0);
    const writes =
      row.effect.kind === 'set' && row.encoding.fields.some((f) => f.name === 'rd' && f.kind === 'register');
    for (const { x10, ...end } of ends) {
      expect(end).toEqual({ left: 9, answers: 1, pc: BigInt(RAM + 4), resync: 0 });
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
      expect(end).toEqual({ left: 9, answers: 1, pc: BigInt(RAM + 64), resync: 0, x10: 123n });
    }
  });

  test('an illegal instruction goes to its helper with the bits as fetched', () => {
    const hart = new FakeHart();
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
    const hart = new FakeHart();
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
      const hart = new FakeHart();
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
