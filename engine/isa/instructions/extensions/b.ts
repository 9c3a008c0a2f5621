/**
 * B: bit manipulation. Zba adds shifted values, Zbb counts, compares, rotates and reorders, Zbc multiplies without
 * carries, Zbs handles single bits. @see Volume I, chapter "B" Extension for Bit Manipulation
 */
import {
  type Arithmetic,
  add,
  and,
  binary,
  type Comparison,
  call,
  choose,
  constant,
  count,
  type Expression,
  imm,
  rs1,
  rs2,
  set,
  signExtend,
  zeroExtend,
} from '../../semantics/index.ts';
import { rowsOf } from '../instruction.ts';

const zba = rowsOf('Zba');
const zbb = rowsOf('Zbb');
const zbc = rowsOf('Zbc');
const zbs = rowsOf('Zbs');

const registers = (funct7: string, funct3: string) => `${funct7} rs2 rs1 ${funct3} rd 0110011`;
const words = (funct7: string, funct3: string) => `${funct7} rs2 rs1 ${funct3} rd 0111011`;
const shift = (funct6: string, funct3: string) => `${funct6} shamt[5:0] rs1 ${funct3} rd 0010011`;
/** One source; what would be rs2 chooses the operation. */
const unary = (funct12: string, funct3: string, major = '0010011') => `${funct12} rs1 ${funct3} rd ${major}`;

const BINARY = 'rd, rs1, rs2';
const IMMEDIATE = 'rd, rs1, imm';
const UNARY = 'rd, rs1';

const not = (e: Expression) => binary('xor', e, constant(-1));
const or = (a: Expression, b: Expression) => binary('or', a, b);
const word = zeroExtend(32, rs1);

const shiftAddRows = [1, 2, 3].flatMap((by) => {
  const funct3 = ['010', '100', '110'][by - 1] ?? '';
  const sum = (a: Expression) => set(add(binary('shl', a, constant(by)), rs2));
  return [
    zba(`sh${by}add`, registers('0010000', funct3), BINARY, sum(rs1)),
    zba(`sh${by}add.uw`, words('0010000', funct3), BINARY, sum(word)),
  ];
});

const pick = (name: string, funct3: string, condition: Comparison) =>
  zbb(name, registers('0000101', funct3), BINARY, set(choose(binary(condition, rs1, rs2), rs1, rs2)));

/** The word in both halves: rotated as 64 bits by any amount, its low half is the rotated word. */
const doubled = binary('mul', word, constant(0x1_0000_0001n));
const rotatedWord = (op: Arithmetic, by: Expression) => set(signExtend(32, binary(op, doubled, by)));

/** Swaps neighbouring groups of `bits` bits; `low` masks every other one. */
const swap = (e: Expression, bits: number, low: bigint) =>
  or(binary('shl', and(e, constant(low)), constant(bits)), and(binary('shrU', e, constant(bits)), constant(low)));
const reversedBytes = binary('rotl', swap(swap(rs1, 8, 0xff00ff00ff00ffn), 16, 0xffff0000ffffn), constant(32));

/** 0x80 in each byte that is not zero: a byte below 0x80 carries into bit 7 when 0x7f is added to its low bits. */
const LOW7 = 0x7f7f7f7f7f7f7f7fn;
const nonzeroBytes = and(or(add(and(rs1, constant(LOW7)), constant(LOW7)), rs1), constant(0x8080808080808080n));
const orCombined = binary('mul', binary('shrU', nonzeroBytes, constant(7)), constant(0xff));

const carryless = call('clmul', rs1, rs2);
const carrylessHigh = call('clmulh', rs1, rs2);

/** Bits 126 to 63 of the product: those of clmulh, and the highest of clmul. */
const carrylessReversed = or(binary('shl', carrylessHigh, constant(1)), binary('shrU', carryless, constant(63)));

const bitRows = (name: string, code: string, funct3: string, effect: (index: Expression) => Expression) => [
  zbs(name, registers(`${code}0`, funct3), BINARY, set(effect(rs2))),
  zbs(`${name}i`, shift(code, funct3), IMMEDIATE, set(effect(imm))),
];
const bit = (index: Expression) => binary('shl', constant(1), index);

export const B = [
  ...shiftAddRows,
  zba('add.uw', words('0000100', '000'), BINARY, set(add(word, rs2))),
  zba('slli.uw', '000010 shamt[5:0] rs1 001 rd 0011011', IMMEDIATE, set(binary('shl', word, imm))),

  zbb('andn', registers('0100000', '111'), BINARY, set(and(rs1, not(rs2)))),
  zbb('orn', registers('0100000', '110'), BINARY, set(or(rs1, not(rs2)))),
  zbb('xnor', registers('0100000', '100'), BINARY, set(not(binary('xor', rs1, rs2)))),
  zbb('clz', unary('011000000000', '001'), UNARY, set(count('clz', rs1))),
  zbb('ctz', unary('011000000001', '001'), UNARY, set(count('ctz', rs1))),
  zbb('cpop', unary('011000000010', '001'), UNARY, set(count('popcnt', rs1))),
  zbb('clzw', unary('011000000000', '001', '0011011'), UNARY, set(add(count('clz', word), constant(-32)))),
  zbb('ctzw', unary('011000000001', '001', '0011011'), UNARY, set(count('ctz', or(rs1, constant(2n ** 32n))))),
  zbb('cpopw', unary('011000000010', '001', '0011011'), UNARY, set(count('popcnt', word))),
  pick('min', '100', 'ltS'),
  pick('minu', '101', 'ltU'),
  pick('max', '110', 'geS'),
  pick('maxu', '111', 'geU'),
  zbb('sext.b', unary('011000000100', '001'), UNARY, set(signExtend(8, rs1))),
  zbb('sext.h', unary('011000000101', '001'), UNARY, set(signExtend(16, rs1))),
  zbb('zext.h', unary('000010000000', '100', '0111011'), UNARY, set(zeroExtend(16, rs1))),
  zbb('rol', registers('0110000', '001'), BINARY, set(binary('rotl', rs1, rs2))),
  zbb('ror', registers('0110000', '101'), BINARY, set(binary('rotr', rs1, rs2))),
  zbb('rori', shift('011000', '101'), IMMEDIATE, set(binary('rotr', rs1, imm))),
  zbb('rolw', words('0110000', '001'), BINARY, rotatedWord('rotl', rs2)),
  zbb('rorw', words('0110000', '101'), BINARY, rotatedWord('rotr', rs2)),
  zbb('roriw', '0110000 shamt[4:0] rs1 101 rd 0011011', IMMEDIATE, rotatedWord('rotr', imm)),
  zbb('orc.b', unary('001010000111', '101'), UNARY, set(orCombined)),
  zbb('rev8', unary('011010111000', '101'), UNARY, set(reversedBytes)),

  zbc('clmul', registers('0000101', '001'), BINARY, set(carryless)),
  zbc('clmulh', registers('0000101', '011'), BINARY, set(carrylessHigh)),
  zbc('clmulr', registers('0000101', '010'), BINARY, set(carrylessReversed)),

  ...bitRows('bclr', '010010', '001', (index) => and(rs1, not(bit(index)))),
  ...bitRows('bext', '010010', '101', (index) => and(binary('shrU', rs1, index), constant(1))),
  ...bitRows('binv', '011010', '001', (index) => binary('xor', rs1, bit(index))),
  ...bitRows('bset', '001010', '001', (index) => or(rs1, bit(index))),
];
