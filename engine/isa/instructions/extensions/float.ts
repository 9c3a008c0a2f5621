/**
 * F and D: singles and doubles in the f registers, a single in a NaN box. Where the host's arithmetic is exactly what
 * the manual wants, a row tries it first: it rounds to nearest even and raises nothing, so floating point must be on
 * and dirty, NX already set and the rounding mode that one (HART.hostRounding says all of it), and the result must be
 * one that raises nothing else. Everything else is soft-float's. @see Volume I, chapters "F" and "D"
 */

import {
  add,
  and,
  attempt,
  binary,
  call,
  candidate,
  choose,
  constant,
  type Effect,
  type Expression,
  either,
  type HelperName,
  type HostOperation,
  host,
  imm,
  load,
  raw,
  rs1,
  rs2,
  rs3,
  run,
  set,
  signExtend,
  state,
  store,
  zeroExtend,
} from '../../semantics/index.ts';
import { type Instruction, rowsOf } from '../instruction.ts';

interface Format {
  readonly suffix: 's' | 'd';
  /** Value of the fmt field, and how helpers call it. */
  readonly code: 0 | 1;
  readonly fmt: '00' | '01';
  readonly bits: 32 | 64;
  readonly fractionBits: number;
  /** All ones. */
  readonly exponentMask: number;
  readonly row: ReturnType<typeof rowsOf>;
}
const SINGLE: Format = {
  suffix: 's',
  code: 0,
  fmt: '00',
  bits: 32,
  fractionBits: 23,
  exponentMask: 0xff,
  row: rowsOf('F'),
};
const DOUBLE: Format = {
  suffix: 'd',
  code: 1,
  fmt: '01',
  bits: 64,
  fractionBits: 52,
  exponentMask: 0x7ff,
  row: rowsOf('D'),
};
const FORMATS = [SINGLE, DOUBLE] as const;

/** Integer types by the rs2 field of conversions. */
const INTEGERS = [
  { suffix: 'w', code: 0, bits: 31, unsigned: false },
  { suffix: 'wu', code: 1, bits: 32, unsigned: true },
  { suffix: 'l', code: 2, bits: 63, unsigned: false },
  { suffix: 'lu', code: 3, bits: 63, unsigned: true },
] as const;
type Integer = (typeof INTEGERS)[number];

const BOX = 0xffffffff_00000000n;
const boxed = (e: Expression) => binary('geU', e, constant(BOX));
const box = (e: Expression) => binary('or', e, constant(BOX));
const shiftedRight = (e: Expression, amount: number) => binary('shrU', e, constant(amount));

/** Floating point is on; and dirty already. */
const isOn = and(state('floatState'), constant(1));
const isDirty = and(state('floatState'), constant(2));
/** Host arithmetic may stand in for this instruction's rounding mode: to nearest even, or towards zero. */
const roundsToEven = and(binary('shrU', state('hostRounding'), imm), constant(1));
const roundsToZero = and(binary('shrU', state('hostRounding'), add(imm, constant(8))), constant(1));

const illegal = run('illegal', raw);
/** An effect that only needs floating point to be on. */
const whenOn = (effect: Effect) => either(isOn, effect, illegal);
/** frd = value, which raises nothing. */
const write = (value: Expression) => either(isDirty, set(value), set(call('floatWrite', value, raw)));

const all = (first: Expression, ...rest: Expression[]): Expression => rest.reduce((sum, e) => and(sum, e), first);
/** True operands for host arithmetic: singles must be in their box. */
const operandsBoxed = ({ bits }: Format, ...operands: Expression[]): Expression[] =>
  bits === 64 ? [] : operands.map(boxed);
/** A host result as the register holds it. */
const result = ({ bits }: Format, e: Expression) => (bits === 64 ? e : box(e));
const exponentField = ({ fractionBits, exponentMask }: Format, e: Expression) =>
  and(shiftedRight(e, fractionBits), constant(exponentMask));

/** No infinity or NaN: sums below the normal range are exact, so nothing but NX can be raised. */
const isFiniteResult = (format: Format) =>
  binary('ltU', exponentField(format, candidate), constant(format.exponentMask));
/**
 * Above the smallest normal exponent and finite. What rounds to exactly the smallest normal number may have been tiny;
 * zero may be an underflow.
 */
const isSafelyNormal = (format: Format) =>
  binary('ltU', binary('sub', exponentField(format, candidate), constant(2)), constant(format.exponentMask - 2));

const format2 = (funct5: string, { fmt }: Format, rm: string) => `${funct5} ${fmt} frs2 frs1 ${rm} frd 1010011`;
const format1 = (funct5: string, { fmt }: Format, selector: string, rm: string) =>
  `${funct5} ${fmt} ${selector} frs1 ${rm} frd 1010011`;

const arithmeticRow = (
  name: string,
  funct5: string,
  format: Format,
  op: HostOperation,
  helper: HelperName,
  accept: Expression,
) =>
  format.row(
    `${name}.${format.suffix}`,
    format2(funct5, format, 'rm[2:0]'),
    'frd, frs1, frs2, rm',
    attempt(
      result(format, host(op, format.bits, rs1, rs2)),
      all(roundsToEven, accept, ...operandsBoxed(format, rs1, rs2)),
      set(call(helper, rs1, rs2, constant(format.code), raw)),
    ),
  );

const squareRootRow = (format: Format) =>
  format.row(
    `fsqrt.${format.suffix}`,
    format1('01011', format, '00000', 'rm[2:0]'),
    'frd, frs1, rm',
    attempt(
      result(format, host('sqrt', format.bits, rs1)),
      all(roundsToEven, isSafelyNormal(format), ...operandsBoxed(format, rs1)),
      set(call('floatSquareRoot', rs1, constant(format.code), raw)),
    ),
  );

const fusedRow = (name: string, opcode: string, negate: number, format: Format) =>
  format.row(
    `${name}.${format.suffix}`,
    `frs3 ${format.fmt} frs2 frs1 rm[2:0] frd ${opcode}`,
    'frd, frs1, frs2, frs3, rm',
    set(call('floatMultiplyAdd', rs1, rs2, rs3, constant(negate), constant(format.code), raw)),
  );

/** Sign injection; an operand out of its box counts as the canonical NaN. */
const signRow = (name: string, funct3: string, format: Format, sign: (a: Expression, b: Expression) => Expression) => {
  const signMask = 2n ** BigInt(format.bits - 1);
  const operand = (e: Expression) =>
    format.bits === 64 ? e : choose(boxed(e), zeroExtend(32, e), constant(0x7fc00000));
  const [a, b] = [operand(rs1), operand(rs2)];
  const value = binary('or', and(a, constant(signMask - 1n)), and(sign(a, b), constant(signMask)));
  return format.row(
    `${name}.${format.suffix}`,
    format2('00100', format, funct3),
    'frd, frs1, frs2',
    write(result(format, value)),
  );
};

const pickRow = (name: string, funct3: string, maximum: number, format: Format) =>
  format.row(
    `${name}.${format.suffix}`,
    format2('00101', format, funct3),
    'frd, frs1, frs2',
    set(call('floatPick', rs1, rs2, constant(maximum), constant(format.code), raw)),
  );

/** Comparisons raise nothing when neither operand is a NaN, that is, when both equal themselves. */
const compareRow = (name: string, relation: number, op: HostOperation, format: Format) =>
  format.row(
    `${name}.${format.suffix}`,
    `10100 ${format.fmt} frs2 frs1 ${relation.toString(2).padStart(3, '0')} rd 1010011`,
    'rd, frs1, frs2',
    attempt(
      host(op, format.bits, rs1, rs2),
      all(
        isOn,
        host('eq', format.bits, rs1, rs1),
        host('eq', format.bits, rs2, rs2),
        ...operandsBoxed(format, rs1, rs2),
      ),
      set(call('floatCompare', rs1, rs2, constant(relation), constant(format.code), raw)),
    ),
  );

/** A number within the bounds of the type, its sign and exponent tell; truncated, it raises at most NX. */
const fitsInteger = ({ bits, unsigned }: Integer, format: Format) => {
  const bias = (format.exponentMask - 1) / 2;
  const operand = format.bits === 64 ? rs1 : zeroExtend(32, rs1);
  const field = unsigned ? shiftedRight(operand, format.fractionBits) : exponentField(format, rs1);
  return binary('ltU', field, constant(bias + bits));
};

const toIntegerRow = (type: Integer, format: Format) => {
  const truncated = host('truncate', format.bits, rs1);
  return format.row(
    `fcvt.${type.suffix}.${format.suffix}`,
    `11000 ${format.fmt} ${type.code.toString(2).padStart(5, '0')} frs1 rm[2:0] rd 1010011`,
    'rd, frs1, rm',
    attempt(
      type.bits === 32 ? signExtend(32, truncated) : truncated,
      all(roundsToZero, fitsInteger(type, format), ...operandsBoxed(format, rs1)),
      set(call('floatToInteger', rs1, constant(type.code), constant(format.code), raw)),
    ),
  );
};

const integerOperand = ({ code }: Integer) =>
  code === 0 ? signExtend(32, rs1) : code === 1 ? zeroExtend(32, rs1) : rs1;

const fromIntegerRow = (type: Integer, format: Format) =>
  format.row(
    `fcvt.${format.suffix}.${type.suffix}`,
    `11010 ${format.fmt} ${type.code.toString(2).padStart(5, '0')} rs1 rm[2:0] frd 1010011`,
    'frd, rs1, rm',
    attempt(
      result(format, host(type.code === 3 ? 'convertU' : 'convertS', format.bits, integerOperand(type))),
      roundsToEven,
      set(call('floatFromInteger', rs1, constant(type.code), constant(format.code), raw)),
    ),
  );

const convertRow = (from: Format, to: Format) =>
  DOUBLE.row(
    `fcvt.${to.suffix}.${from.suffix}`,
    format1('01000', to, from.fmt.padStart(5, '0'), 'rm[2:0]'),
    'frd, frs1, rm',
    attempt(
      result(to, host(to === DOUBLE ? 'widen' : 'narrow', to.bits, rs1)),
      all(roundsToEven, to === DOUBLE ? isFiniteResult(to) : isSafelyNormal(to), ...operandsBoxed(from, rs1)),
      set(call('floatConvert', rs1, constant(from.code), constant(to.code), raw)),
    ),
  );

const loadRow = (name: string, funct3: string, bytes: 4 | 8, format: Format) => {
  const address = add(rs1, imm);
  return format.row(
    name,
    `imm[11:0] rs1 ${funct3} frd 0000111`,
    'frd, imm(rs1)',
    either(
      isDirty,
      set(result(format, load(bytes, false, address))),
      set(call('floatLoad', address, constant(bytes), raw)),
    ),
  );
};

const storeRow = (name: string, funct3: string, bytes: 4 | 8, format: Format) =>
  format.row(
    name,
    `imm[11:5] frs2 rs1 ${funct3} imm[4:0] 0100111`,
    'frs2, imm(rs1)',
    whenOn(store(bytes, add(rs1, imm), rs2)),
  );

const toBitsRow = (name: string, format: Format, value: Expression) =>
  format.row(name, `11100 ${format.fmt} 00000 frs1 000 rd 1010011`, 'rd, frs1', whenOn(set(value)));
const fromBitsRow = (name: string, format: Format, value: Expression) =>
  format.row(name, `11110 ${format.fmt} 00000 rs1 000 frd 1010011`, 'frd, rs1', write(value));
const classRow = (format: Format) =>
  format.row(
    `fclass.${format.suffix}`,
    `11100 ${format.fmt} 00000 frs1 001 rd 1010011`,
    'rd, frs1',
    whenOn(set(call('floatClass', rs1, constant(format.code)))),
  );

const rowsOfFormat = (format: Format): Instruction[] => [
  arithmeticRow('fadd', '00000', format, 'add', 'floatAdd', isFiniteResult(format)),
  arithmeticRow('fsub', '00001', format, 'sub', 'floatSubtract', isFiniteResult(format)),
  arithmeticRow('fmul', '00010', format, 'mul', 'floatMultiply', isSafelyNormal(format)),
  arithmeticRow('fdiv', '00011', format, 'div', 'floatDivide', isSafelyNormal(format)),
  squareRootRow(format),
  fusedRow('fmadd', '1000011', 0, format),
  fusedRow('fmsub', '1000111', 2, format),
  fusedRow('fnmsub', '1001011', 1, format),
  fusedRow('fnmadd', '1001111', 3, format),
  signRow('fsgnj', '000', format, (_, b) => b),
  signRow('fsgnjn', '001', format, (_, b) => binary('xor', b, constant(-1))),
  signRow('fsgnjx', '010', format, (a, b) => binary('xor', a, b)),
  pickRow('fmin', '000', 0, format),
  pickRow('fmax', '001', 1, format),
  compareRow('feq', 2, 'eq', format),
  compareRow('flt', 1, 'lt', format),
  compareRow('fle', 0, 'le', format),
  classRow(format),
  ...INTEGERS.flatMap((type) => [toIntegerRow(type, format), fromIntegerRow(type, format)]),
];

export const FLOAT: readonly Instruction[] = [
  loadRow('flw', '010', 4, SINGLE),
  storeRow('fsw', '010', 4, SINGLE),
  toBitsRow('fmv.x.w', SINGLE, signExtend(32, rs1)),
  fromBitsRow('fmv.w.x', SINGLE, box(rs1)),
  loadRow('fld', '011', 8, DOUBLE),
  storeRow('fsd', '011', 8, DOUBLE),
  toBitsRow('fmv.x.d', DOUBLE, rs1),
  fromBitsRow('fmv.d.x', DOUBLE, rs1),
  ...FORMATS.flatMap(rowsOfFormat),
  convertRow(SINGLE, DOUBLE),
  convertRow(DOUBLE, SINGLE),
];

/** The rounding mode that assembly means when it writes none: dynamic, or for what is always exact the code 0. */
export const impliedRounding = (name: string): number => (/^fcvt\.d\.(wu?|s)$/.test(name) ? 0 : 7);
