/** The instruction set: its table, CSR names, and what derives from them in TypeScript. */
export { type Assembled, AssembleError, assemble } from './assemble.ts';
export { CSRS, type Csr, csrByName, csrByNumber } from './csr.ts';
export { type Decoded, decode, instructionLength } from './decode.ts';
export { type DisassembleOptions, disassemble } from './disassemble.ts';
export {
  type Encoding,
  extractOperands,
  type Field,
  insertOperands,
  matches,
  type Operands,
  type Piece,
} from './encoding.ts';
export { type Environment, evaluate } from './evaluate.ts';
export {
  type Arithmetic,
  type Bytes,
  type Comparison,
  type Effect,
  type Expression,
  expressionsOf,
  HELPERS,
  type HelperName,
  mayDivert,
  parts,
} from './expression.ts';
export type { Compressed, Instruction } from './instruction.ts';
export { REGISTER_NAMES, registerNumber } from './registers.ts';
export { COMPRESSED, compressedByName, expansionOf, INSTRUCTIONS, instructionByName } from './table.ts';
