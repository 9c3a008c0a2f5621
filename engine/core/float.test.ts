/**
 * Floating point against exact rational arithmetic: soft-float called directly, and whole instructions, whose host
 * shortcuts must give what soft-float gives. Operands lean towards the values where rounding and flags change.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { INSTRUCTIONS, insertOperands } from '../isa/index.ts';
import { BOX, boxed, integers, numbers } from './float-arbitraries.ts';
import type { FormatName, Outcome } from './float-reference-testing.ts';
import * as reference from './float-reference-testing.ts';
import { CONSTANTS, HART, hartAddress, offsetOf } from './layout/index.ts';
import { Bed, RAM } from './testbed.ts';

const FS_DIRTY = 3n << 13n;
const bed = new Bed();
const core = bed.core;
type Helper = (hart: number, ...args: bigint[]) => bigint;
const arch = core.arch as unknown as Readonly<Record<string, Helper>>;

/** Calls a helper with rounding mode `mode` and clear flags. */
function soft(helper: string, args: readonly bigint[], mode: number): Outcome {
  core.setHart(0, 'fcsr', 0n);
  const bits = arch[helper]?.(hartAddress(0), ...args, BigInt(mode << 12)) ?? -1n;
  return { bits: BigInt.asUintN(64, bits), flags: Number(core.hart(0, 'fcsr')) };
}

/** How one operation is called, and what it means. */
interface Operation {
  readonly mnemonic: (f: FormatName) => string;
  readonly operands: (f: FormatName) => readonly fc.Arbitrary<bigint>[];
  readonly helper: string;
  /** Helper arguments after the operands. */
  readonly rest: (f: FormatName) => readonly number[];
  readonly means: (args: readonly bigint[], f: FormatName, mode: number) => Outcome;
  /** Format of the result; undefined: an integer register. */
  readonly result: (f: FormatName) => FormatName | undefined;
  /** The operand is an integer register. */
  readonly fromInteger?: true;
  /** Has no rounding mode. */
  readonly exact?: true;
}
const code = (f: FormatName) => (f === 's' ? 0 : 1);
const other = (f: FormatName): FormatName => (f === 's' ? 'd' : 's');
const operation = (
  name: string,
  operands: 1 | 2 | 3,
  helper: string,
  means: Operation['means'],
  more: readonly number[] = [],
  options: Pick<Operation, 'exact'> & { result?: Operation['result'] } = {},
): Operation => ({
  mnemonic: (f) => name.replace('*', f),
  operands: (f) => Array.from({ length: operands }, () => numbers(f)),
  helper,
  rest: (f) => [...more, code(f)],
  means,
  result: (f) => f,
  ...options,
});
const at = (args: readonly bigint[], index: number) => args[index] ?? 0n;
const flip = (bits: bigint, f: FormatName) => bits ^ (f === 's' ? 1n << 31n : 1n << 63n);
const isNan = (bits: bigint, f: FormatName) => reference.meaning(bits, f).kind === 'nan';
const toIntegerRegister = { result: () => undefined };

const OPERATIONS: readonly Operation[] = [
  operation('fadd.*', 2, 'floatAdd', (a, f, m) => reference.addition(at(a, 0), at(a, 1), f, m)),
  operation('fsub.*', 2, 'floatSubtract', (a, f, m) =>
    reference.addition(at(a, 0), isNan(at(a, 1), f) ? at(a, 1) : flip(at(a, 1), f), f, m),
  ),
  operation('fmul.*', 2, 'floatMultiply', (a, f, m) => reference.multiplication(at(a, 0), at(a, 1), f, m)),
  operation('fdiv.*', 2, 'floatDivide', (a, f, m) => reference.division(at(a, 0), at(a, 1), f, m)),
  operation('fsqrt.*', 1, 'floatSquareRoot', (a, f, m) => reference.squareRoot(at(a, 0), f, m)),
  ...[['fmadd.*', 0] as const, ['fmsub.*', 2] as const, ['fnmsub.*', 1] as const, ['fnmadd.*', 3] as const].map(
    ([name, negate]) =>
      operation(
        name,
        3,
        'floatMultiplyAdd',
        (a, f, m) => reference.multiplyAdd(at(a, 0), at(a, 1), at(a, 2), negate, f, m),
        [negate],
      ),
  ),
  ...['fmin.*', 'fmax.*'].map((name, maximum) =>
    operation(name, 2, 'floatPick', (a, f) => reference.pick(at(a, 0), at(a, 1), maximum === 1, f), [maximum], {
      exact: true,
    }),
  ),
  ...['fle.*', 'flt.*', 'feq.*'].map((name, relation) =>
    operation(name, 2, 'floatCompare', (a, f) => reference.comparison(at(a, 0), at(a, 1), relation, f), [relation], {
      exact: true,
      ...toIntegerRegister,
    }),
  ),
  ...['fcvt.w.*', 'fcvt.wu.*', 'fcvt.l.*', 'fcvt.lu.*'].map((name, type) =>
    operation(
      name,
      1,
      'floatToInteger',
      (a, f, m) => reference.toInteger(at(a, 0), type, f, m),
      [type],
      toIntegerRegister,
    ),
  ),
  ...['fcvt.*.w', 'fcvt.*.wu', 'fcvt.*.l', 'fcvt.*.lu'].map(
    (name, type): Operation => ({
      ...operation(name, 1, 'floatFromInteger', (a, f, m) => reference.fromInteger(at(a, 0), type, f, m), [type]),
      operands: () => [integers],
      fromInteger: true,
    }),
  ),
  {
    ...operation('fcvt', 1, 'floatConvert', (a, f, m) => reference.conversion(at(a, 0), f, other(f), m)),
    mnemonic: (f) => `fcvt.${other(f)}.${f}`,
    rest: (f) => [code(f), code(other(f))],
    result: other,
  },
];

const CASES = (['s', 'd'] as const).flatMap((f) => OPERATIONS.map((op) => [op.mnemonic(f), op, f] as const));
const inputs = (op: Operation, f: FormatName) => fc.tuple(...op.operands(f));
const rm = fc.nat(4);

describe('soft-float is exact', () => {
  core.setHart(0, 'mstatus', FS_DIRTY);
  core.arch.flushDerived();

  test.each(CASES)('%s', (_, op, f) => {
    fc.assert(
      fc.property(inputs(op, f), rm, (args, mode) => {
        const registers = op.fromInteger ? args : args.map((bits) => boxed(bits, f));
        const got = soft(op.helper, [...registers, ...op.rest(f).map(BigInt)], mode);
        const expected = op.means(args, f, mode);
        expect(got).toEqual({ bits: boxed(expected.bits, op.result(f)), flags: expected.flags });
      }),
      { numRuns: 400 },
    );
  });

  const fused = CASES.filter(([name]) => /^fn?m(add|sub)/.test(name));
  test.each(fused)('%s where the addend takes the product away but for its last bits', (_, op, f) => {
    const top = f === 's' ? 31n : 63n;
    const far = fc.tuple(numbers(f), numbers(f), rm, fc.boolean(), fc.integer({ min: -1, max: 1 }));
    fc.assert(
      fc.property(far, rm, ([a, b, rounding, sign, ulps], mode) => {
        // The rounded product, or a neighbour of it, of either sign.
        const near = BigInt.asUintN(Number(top), reference.multiplication(a, b, f, rounding).bits + BigInt(ulps));
        const args = [a, b, near | (sign ? 1n << top : 0n)];
        const got = soft(op.helper, [...args.map((bits) => boxed(bits, f)), ...op.rest(f).map(BigInt)], mode);
        const expected = op.means(args, f, mode);
        expect(got).toEqual({ bits: boxed(expected.bits, f), flags: expected.flags });
      }),
      { numRuns: 1_000 },
    );
  });

  test('fdiv.d where an estimated digit of the quotient is two too large', () => {
    const fraction = fc.bigInt(0n, (1n << 52n) - 1n);
    // Upper half small, lower half large: one divisor in ten.
    const divisor = fc.tuple(fraction, fc.integer({ min: 0, max: 19 })).map(([bits, by]) => bits >> BigInt(by));
    const one = 1023n << 52n;
    fc.assert(
      fc.property(fraction, divisor, rm, (a, b, mode) => {
        expect(soft('floatDivide', [one | a, one | b, 1n], mode)).toEqual(
          reference.division(one | a, one | b, 'd', mode),
        );
      }),
      { numRuns: 400 },
    );
  });

  test.each(CASES.filter(([name]) => /^fcvt\.[wl]u?\./.test(name)))('%s around each power of two', (_, op, f) => {
    const [bias, fraction, sign] = f === 's' ? [127n, 23n, 1n << 31n] : [1023n, 52n, 1n << 63n];
    for (let exponent = -3n; exponent < 66n; exponent++) {
      const power = (bias + exponent) << fraction;
      for (const bits of [power - 1n, power, power + 1n].flatMap((its) => [its, its | sign])) {
        for (let mode = 0; mode < 5; mode++) {
          const got = soft(op.helper, [boxed(bits, f), ...op.rest(f).map(BigInt)], mode);
          // A matcher for each would take seconds.
          const expected = op.means([bits], f, mode);
          if (got.bits !== expected.bits || got.flags !== expected.flags)
            expect({ of: bits, mode, ...got }).toEqual({ of: bits, mode, ...expected });
        }
      }
    }
  });

  test.each(['s', 'd'] as const)('fclass.%s', (f) => {
    fc.assert(
      fc.property(numbers(f), (a) => {
        const got = arch.floatClass?.(hartAddress(0), boxed(a, f), BigInt(code(f)));
        expect(got).toBe(reference.classification(a, f));
      }),
      { numRuns: 400 },
    );
  });
});

describe('instructions, with and without the host', () => {
  const view = new DataView(core.memory.buffer);
  const field = (name: string) => hartAddress(0) + offsetOf(HART, name);
  const ramHost = core.machineNumber('ramHost');

  /** Runs one instruction on registers 1–3 with the flags set, result in register 4. */
  function execute(raw: number, registers: readonly bigint[], isInteger: boolean, fcsr: number) {
    view.setUint32(ramHost, raw, true);
    for (const [index, bits] of registers.entries()) {
      view.setBigUint64(field(isInteger ? 'x' : 'f') + 8 * (index + 1), bits, true);
    }
    view.setBigUint64(field('fcsr'), BigInt(fcsr), true);
    view.setBigUint64(field('mstatus'), FS_DIRTY, true);
    bed.enter('M', RAM);
    expect(bed.run(1)).toBe(CONSTANTS.STOP_TICKS);
    expect(bed.pc()).toBe(RAM + 4n);
  }

  test.each(CASES)('%s', (mnemonic, op, f) => {
    const row = INSTRUCTIONS.find((instruction) => instruction.name === mnemonic);
    if (!row) throw new Error(`no ${mnemonic}`);
    fc.assert(
      fc.property(inputs(op, f), rm, fc.boolean(), fc.nat(31), fc.boolean(), (args, mode, dynamic, sticky, nx) => {
        const flags = nx ? sticky | 1 : sticky;
        const raw = insertOperands(row.encoding, { rd: 4, rs1: 1, rs2: 2, rs3: 3, imm: dynamic ? 7 : mode }) as number;
        const registers = op.fromInteger ? args : args.map((bits) => boxed(bits, f));
        execute(raw, registers, op.fromInteger === true, ((dynamic ? mode : 4) << 5) | flags);
        const expected = op.means(args, f, mode);
        const result = op.result(f);
        expect(core.hart(0, result ? 'f' : 'x', 4)).toBe(boxed(expected.bits, result));
        expect(Number(core.hart(0, 'fcsr')) & 31).toBe(flags | expected.flags);
      }),
      { numRuns: 120 },
    );
  });

  test('a single out of its box counts as the canonical NaN, whatever else it holds', () => {
    const rows = INSTRUCTIONS.filter(({ name }) => /^f(add|mul|sgnj|min|eq|class|madd|cvt\.w)\.s$/.test(name));
    expect(rows.length).toBe(8);
    fc.assert(
      fc.property(fc.constantFrom(...rows), fc.bigInt(0n, BOX - 1n), numbers('s'), (row, loose, other) => {
        const raw = insertOperands(row.encoding, { rd: 4, rs1: 1, rs2: 2, rs3: 3, imm: 7 }) as number;
        const run = (a: bigint) => {
          execute(raw, [a, boxed(other, 's'), boxed(other, 's')], false, 1);
          const file = row.encoding.fields.find((its) => its.name === 'rd')?.kind === 'floatRegister' ? 'f' : 'x';
          return [core.hart(0, file, 4), core.hart(0, 'fcsr')];
        };
        expect(run(loose)).toEqual(run(0x7fc00000n | BOX));
      }),
      { numRuns: 300 },
    );
  });

  test('sign injection takes only the sign from the second operand', () => {
    const signs = {
      fsgnj: (_: bigint, b: bigint) => b,
      fsgnjn: (_: bigint, b: bigint) => b ^ 1n,
      fsgnjx: (a: bigint, b: bigint) => a ^ b,
    };
    for (const [name, sign] of Object.entries(signs)) {
      for (const f of ['s', 'd'] as const) {
        const row = INSTRUCTIONS.find((instruction) => instruction.name === `${name}.${f}`);
        const raw = row ? (insertOperands(row.encoding, { rd: 4, rs1: 1, rs2: 2 }) as number) : 0;
        const top = f === 's' ? 31n : 63n;
        fc.assert(
          fc.property(numbers(f), numbers(f), (a, b) => {
            execute(raw, [boxed(a, f), boxed(b, f)], false, 0);
            const expected = (a & ((1n << top) - 1n)) | (sign(a >> top, b >> top) << top);
            expect(core.hart(0, 'f', 4)).toBe(boxed(expected, f));
          }),
          { numRuns: 50 },
        );
      }
    }
  });
});
