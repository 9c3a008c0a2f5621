/**
 * A: load-reserved, store-conditional and atomic memory operations. aq and rl need nothing under sequential
 * consistency. The helpers translate, check alignment and keep the reservation. Zacas adds compare-and-swap; Zawrs
 * waits for a reservation to go. @see Volume I, chapters 14, 15 and 16
 */
import { call, constant, raw, rs1, rs2, run, set, signExtend } from '../../semantics/index.ts';
import { rowsOf } from '../instruction.ts';

const row = rowsOf('A');
const zacas = rowsOf('Zacas');
const zawrs = rowsOf('Zawrs');

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
  ...WIDTHS.map((width) =>
    zacas(
      `amocas.${width.suffix}`,
      `00101 aq rl rs2 rs1 ${width.funct3} rd 0101111`,
      'rd, rs2, (rs1)',
      extended(width, call('amocas', rs1, rs2, width.bytes, raw)),
    ),
  ),
  zacas('amocas.q', '00101 aq rl rs2≠odd rs1 100 rd≠odd 0101111', 'rd, rs2, (rs1)', run('amocasQ', rs1, raw)),
  // Both kinds wait until the turn ends: no time-out is needed.
  zawrs('wrs.nto', '000000001101 00000 000 00000 1110011', '', run('wrs')),
  zawrs('wrs.sto', '000000011101 00000 000 00000 1110011', '', run('wrs')),
];
