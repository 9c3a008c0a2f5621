/** RV64I: integer computation, control transfer, loads and stores, fences. @see Volume I, chapters 2 and 4 */
import {
  type Arithmetic,
  add,
  and,
  type Bytes,
  binary,
  branch,
  type Comparison,
  constant,
  type Expression,
  imm,
  jump,
  load,
  nothing,
  pc,
  rs1,
  rs2,
  run,
  set,
  signExtend,
  store,
  zeroExtend,
} from '../../semantics/index.ts';
import { rowsOf } from '../instruction.ts';

const row = rowsOf('I');

const branchRow = (name: string, funct3: string, condition: Comparison) =>
  row(
    name,
    `imm[12|10:5] rs2 rs1 ${funct3} imm[4:1|11] 1100011`,
    'rs1, rs2, target',
    branch(binary(condition, rs1, rs2)),
  );

const loadRow = (name: string, funct3: string, bytes: Bytes, signed: boolean) =>
  row(name, `imm[11:0] rs1 ${funct3} rd 0000011`, 'rd, imm(rs1)', set(load(bytes, signed, add(rs1, imm))));

const storeRow = (name: string, funct3: string, bytes: Bytes) =>
  row(name, `imm[11:5] rs2 rs1 ${funct3} imm[4:0] 0100011`, 'rs2, imm(rs1)', store(bytes, add(rs1, imm), rs2));

const immediateRow = (name: string, funct3: string, op: Arithmetic | Comparison) =>
  row(name, `imm[11:0] rs1 ${funct3} rd 0010011`, 'rd, rs1, imm', set(binary(op, rs1, imm)));

const registerRow = (name: string, funct7: string, funct3: string, op: Arithmetic | Comparison) =>
  row(name, `${funct7} rs2 rs1 ${funct3} rd 0110011`, 'rd, rs1, rs2', set(binary(op, rs1, rs2)));

const shiftRow = (name: string, funct6: string, funct3: string, op: Arithmetic) =>
  row(name, `${funct6} shamt[5:0] rs1 ${funct3} rd 0010011`, 'rd, rs1, imm', set(binary(op, rs1, imm)));

/** A word operation: computed on `a`, its result sign-extended from 32 bits. */
const word = (op: Arithmetic, a: Expression, b: Expression) => set(signExtend(32, binary(op, a, b)));
const low5 = and(rs2, constant(31));

const wordShiftRow = (name: string, funct7: string, funct3: string, op: Arithmetic, a: Expression) =>
  row(name, `${funct7} shamt[4:0] rs1 ${funct3} rd 0011011`, 'rd, rs1, imm', word(op, a, imm));

const wordRow = (name: string, funct7: string, funct3: string, op: Arithmetic, a: Expression, b: Expression) =>
  row(name, `${funct7} rs2 rs1 ${funct3} rd 0111011`, 'rd, rs1, rs2', word(op, a, b));

export const RV64I = [
  row('lui', 'imm[31:12] rd 0110111', 'rd, upper', set(imm)),
  row('auipc', 'imm[31:12] rd 0010111', 'rd, upper', set(add(pc, imm))),
  row('jal', 'imm[20|10:1|11|19:12] rd 1101111', 'rd, target', jump(add(pc, imm))),
  row('jalr', 'imm[11:0] rs1 000 rd 1100111', 'rd, imm(rs1)', jump(and(add(rs1, imm), constant(-2)))),
  branchRow('beq', '000', 'eq'),
  branchRow('bne', '001', 'ne'),
  branchRow('blt', '100', 'ltS'),
  branchRow('bge', '101', 'geS'),
  branchRow('bltu', '110', 'ltU'),
  branchRow('bgeu', '111', 'geU'),
  loadRow('lb', '000', 1, true),
  loadRow('lh', '001', 2, true),
  loadRow('lw', '010', 4, true),
  loadRow('ld', '011', 8, false),
  loadRow('lbu', '100', 1, false),
  loadRow('lhu', '101', 2, false),
  loadRow('lwu', '110', 4, false),
  storeRow('sb', '000', 1),
  storeRow('sh', '001', 2),
  storeRow('sw', '010', 4),
  storeRow('sd', '011', 8),
  immediateRow('addi', '000', 'add'),
  immediateRow('slti', '010', 'ltS'),
  immediateRow('sltiu', '011', 'ltU'),
  immediateRow('xori', '100', 'xor'),
  immediateRow('ori', '110', 'or'),
  immediateRow('andi', '111', 'and'),
  shiftRow('slli', '000000', '001', 'shl'),
  shiftRow('srli', '000000', '101', 'shrU'),
  shiftRow('srai', '010000', '101', 'shrS'),
  registerRow('add', '0000000', '000', 'add'),
  registerRow('sub', '0100000', '000', 'sub'),
  registerRow('sll', '0000000', '001', 'shl'),
  registerRow('slt', '0000000', '010', 'ltS'),
  registerRow('sltu', '0000000', '011', 'ltU'),
  registerRow('xor', '0000000', '100', 'xor'),
  registerRow('srl', '0000000', '101', 'shrU'),
  registerRow('sra', '0100000', '101', 'shrS'),
  registerRow('or', '0000000', '110', 'or'),
  registerRow('and', '0000000', '111', 'and'),
  row('addiw', 'imm[11:0] rs1 000 rd 0011011', 'rd, rs1, imm', word('add', rs1, imm)),
  wordShiftRow('slliw', '0000000', '001', 'shl', rs1),
  wordShiftRow('srliw', '0000000', '101', 'shrU', zeroExtend(32, rs1)),
  wordShiftRow('sraiw', '0100000', '101', 'shrS', signExtend(32, rs1)),
  wordRow('addw', '0000000', '000', 'add', rs1, rs2),
  wordRow('subw', '0100000', '000', 'sub', rs1, rs2),
  wordRow('sllw', '0000000', '001', 'shl', rs1, low5),
  wordRow('srlw', '0000000', '101', 'shrU', zeroExtend(32, rs1), low5),
  wordRow('sraw', '0100000', '101', 'shrS', signExtend(32, rs1), low5),
  // Memory is sequentially consistent (harts take turns), so ordering needs nothing.
  row('fence', 'fm[3:0] pred[3:0] succ[3:0] rs1 000 rd 0001111', 'pred, succ', nothing),
  row('ecall', '000000000000 00000 000 00000 1110011', '', run('ecall')),
  row('ebreak', '000000000001 00000 000 00000 1110011', '', run('ebreak')),
];
