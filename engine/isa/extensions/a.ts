/**
 * A: load-reserved, store-conditional and atomic memory operations. aq and rl need nothing under sequential
 * consistency. The helpers translate, check alignment and keep the reservation. @see Volume I, chapter 14
 */
import { call, constant, rs1, rs2, set, signExtend } from '../expression.ts';
import { rowsOf } from '../instruction.ts';

const row = rowsOf('A');

const WIDTHS = [
  { suffix: 'w', funct3: '010', bytes: constant(4) },
  { suffix: 'd', funct3: '011', bytes: constant(8) },
] as const;
type Width = (typeof WIDTHS)[number];

const extended = (width: Width, value: ReturnType<typeof call>) =>
  set(width.suffix === 'w' ? signExtend(32, value) : value);

const amoRows = (name: string, funct5: string) =>
  WIDTHS.map((width) =>
    row(
      `${name}.${width.suffix}`,
      `${funct5} aq rl rs2 rs1 ${width.funct3} rd 0101111`,
      'rd, rs2, (rs1)',
      extended(width, call('amo', rs1, rs2, width.bytes, constant(Number.parseInt(funct5, 2)))),
    ),
  );

export const A = [
  ...WIDTHS.map((width) =>
    row(
      `lr.${width.suffix}`,
      `00010 aq rl 00000 rs1 ${width.funct3} rd 0101111`,
      'rd, (rs1)',
      extended(width, call('lr', rs1, width.bytes)),
    ),
  ),
  ...WIDTHS.map((width) =>
    row(
      `sc.${width.suffix}`,
      `00011 aq rl rs2 rs1 ${width.funct3} rd 0101111`,
      'rd, rs2, (rs1)',
      set(call('sc', rs1, rs2, width.bytes)),
    ),
  ),
  ...amoRows('amoadd', '00000'),
  ...amoRows('amoswap', '00001'),
  ...amoRows('amoxor', '00100'),
  ...amoRows('amoor', '01000'),
  ...amoRows('amoand', '01100'),
  ...amoRows('amomin', '10000'),
  ...amoRows('amomax', '10100'),
  ...amoRows('amominu', '11000'),
  ...amoRows('amomaxu', '11100'),
];
