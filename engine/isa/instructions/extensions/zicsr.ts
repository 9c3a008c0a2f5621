/** Zicsr and Zifencei. @see Volume I, chapters 6 and 7 */
import { and, binary, call, constant, type Expression, imm, raw, rs1, run, set, zimm } from '../../semantics/index.ts';
import { rowsOf } from '../instruction.ts';

const row = rowsOf('Zicsr');
const fence = rowsOf('Zifencei');

const READS = 1;
const WRITES = 2;
/**
 * 1 when a 5-bit field of the instruction is not zero. Whether a CSR is read or written depends on register *numbers*.
 */
const fieldNotZero = (lowBit: number) => binary('ne', and(raw, constant(31 * 2 ** lowBit)), constant(0));

/** csrrw always writes, and reads unless rd is x0. */
const writeAccess = binary('or', constant(WRITES), fieldNotZero(7));
/** csrrs and csrrc always read, and write unless rs1 is x0 (or the immediate 0). */
const changeAccess = binary('or', constant(READS), binary('shl', fieldNotZero(15), constant(1)));

const csrRow = (name: string, funct3: string, op: number, operand: Expression, access: Expression) =>
  row(
    name,
    `csr[11:0] ${operand === zimm ? 'zimm[4:0]' : 'rs1'} ${funct3} rd 1110011`,
    operand === zimm ? 'rd, csr, zimm' : 'rd, csr, rs1',
    set(call('csr', imm, operand, constant(op), access, raw)),
  );

export const ZICSR = [
  csrRow('csrrw', '001', 0, rs1, writeAccess),
  csrRow('csrrs', '010', 1, rs1, changeAccess),
  csrRow('csrrc', '011', 2, rs1, changeAccess),
  csrRow('csrrwi', '101', 0, zimm, writeAccess),
  csrRow('csrrsi', '110', 1, zimm, changeAccess),
  csrRow('csrrci', '111', 2, zimm, changeAccess),
  // Other fields are reserved for finer-grain fences and ignored.
  fence('fence.i', 'imm[11:0] rs1 001 rd 0001111', '', run('fenceI')),
];
