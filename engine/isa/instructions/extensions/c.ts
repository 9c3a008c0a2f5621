/**
 * C: 16-bit forms of common instructions. HINTs (rd = x0, shift by 0) expand to instructions without effect; reserved
 * encodings match no row and are illegal. Floating-point forms are those of C and D together. @see Volume I, chapter 27
 */
import { parseEncoding } from '../encoding.ts';
import type { Compressed } from '../instruction.ts';

const row = (
  name: string,
  drawing: string,
  syntax: string,
  expandsTo: string,
  operands: Compressed['operands'] = {},
): Compressed => ({ name, extension: 'C', encoding: parseEncoding(drawing), syntax, expandsTo, operands });

/** The destination is also the first source. */
const inPlace = { rs1: 'rd' };
/** Memory operands relative to the stack pointer. */
const onStack = { rs1: 2 };

export const C = [
  // Quadrant 0
  row('c.addi4spn', "000 nzuimm[5:4|9:6|2|3] rd' 00", 'rd, sp, imm', 'addi', onStack),
  row('c.fld', "001 uimm[5:3] rs1' uimm[7:6] frd' 00", 'frd, imm(rs1)', 'fld'),
  row('c.lw', "010 uimm[5:3] rs1' uimm[2|6] rd' 00", 'rd, imm(rs1)', 'lw'),
  row('c.ld', "011 uimm[5:3] rs1' uimm[7:6] rd' 00", 'rd, imm(rs1)', 'ld'),
  row('c.fsd', "101 uimm[5:3] rs1' uimm[7:6] frs2' 00", 'frs2, imm(rs1)', 'fsd'),
  row('c.sw', "110 uimm[5:3] rs1' uimm[2|6] rs2' 00", 'rs2, imm(rs1)', 'sw'),
  row('c.sd', "111 uimm[5:3] rs1' uimm[7:6] rs2' 00", 'rs2, imm(rs1)', 'sd'),
  // Quadrant 1
  row('c.addi', '000 imm[5] rd imm[4:0] 01', 'rd, imm', 'addi', inPlace),
  row('c.addiw', '001 imm[5] rd≠0 imm[4:0] 01', 'rd, imm', 'addiw', inPlace),
  row('c.li', '010 imm[5] rd imm[4:0] 01', 'rd, imm', 'addi', { rs1: 0 }),
  row('c.addi16sp', '011 nzimm[9] 00010 nzimm[4|6|8:7|5] 01', 'sp, imm', 'addi', { rd: 2, rs1: 2 }),
  row('c.lui', '011 nzimm[17] rd≠2 nzimm[16:12] 01', 'rd, upper', 'lui'),
  row('c.srli', "100 shamt[5] 00 rd' shamt[4:0] 01", 'rd, imm', 'srli', inPlace),
  row('c.srai', "100 shamt[5] 01 rd' shamt[4:0] 01", 'rd, imm', 'srai', inPlace),
  row('c.andi', "100 imm[5] 10 rd' imm[4:0] 01", 'rd, imm', 'andi', inPlace),
  row('c.sub', "100 0 11 rd' 00 rs2' 01", 'rd, rs2', 'sub', inPlace),
  row('c.xor', "100 0 11 rd' 01 rs2' 01", 'rd, rs2', 'xor', inPlace),
  row('c.or', "100 0 11 rd' 10 rs2' 01", 'rd, rs2', 'or', inPlace),
  row('c.and', "100 0 11 rd' 11 rs2' 01", 'rd, rs2', 'and', inPlace),
  row('c.subw', "100 1 11 rd' 00 rs2' 01", 'rd, rs2', 'subw', inPlace),
  row('c.addw', "100 1 11 rd' 01 rs2' 01", 'rd, rs2', 'addw', inPlace),
  row('c.j', '101 imm[11|4|9:8|10|6|7|3:1|5] 01', 'target', 'jal', { rd: 0 }),
  row('c.beqz', "110 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", 'rs1, target', 'beq', { rs2: 0 }),
  row('c.bnez', "111 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", 'rs1, target', 'bne', { rs2: 0 }),
  // Quadrant 2
  row('c.slli', '000 shamt[5] rd shamt[4:0] 10', 'rd, imm', 'slli', inPlace),
  row('c.fldsp', '001 uimm[5] frd uimm[4:3|8:6] 10', 'frd, imm(sp)', 'fld', onStack),
  row('c.lwsp', '010 uimm[5] rd≠0 uimm[4:2|7:6] 10', 'rd, imm(sp)', 'lw', onStack),
  row('c.ldsp', '011 uimm[5] rd≠0 uimm[4:3|8:6] 10', 'rd, imm(sp)', 'ld', onStack),
  row('c.jr', '100 0 rs1≠0 00000 10', 'rs1', 'jalr', { rd: 0, imm: 0 }),
  row('c.mv', '100 0 rd rs2≠0 10', 'rd, rs2', 'add', { rs1: 0 }),
  row('c.ebreak', '100 1 00000 00000 10', '', 'ebreak'),
  row('c.jalr', '100 1 rs1≠0 00000 10', 'rs1', 'jalr', { rd: 1, imm: 0 }),
  row('c.add', '100 1 rd rs2≠0 10', 'rd, rs2', 'add', inPlace),
  row('c.fsdsp', '101 uimm[5:3|8:6] frs2 10', 'frs2, imm(sp)', 'fsd', onStack),
  row('c.swsp', '110 uimm[5:2|7:6] rs2 10', 'rs2, imm(sp)', 'sw', onStack),
  row('c.sdsp', '111 uimm[5:3|8:6] rs2 10', 'rs2, imm(sp)', 'sd', onStack),
];
