/** The instruction set: its table, CSR names, and what derives from them in TypeScript. */
export { type Assembled, assemble } from './assemble.ts';
export {
  ATP,
  type BitField,
  COUNTERS,
  CSR_EFFECTS,
  CSR_GUARDS,
  CSR_SOURCES,
  CSR_WRITES,
  CSRS,
  type Csr,
  csrByName,
  ENVCFG,
  HSTATUS,
  INTERRUPTS,
  STATUS,
} from './csrs/index.ts';
export { decode, instructionLength } from './decode.ts';
export { disassemble } from './disassemble.ts';
export {
  type Encoding,
  type Field,
  insertOperands,
  isCompressedRegister,
  isFloatRegister,
  matches,
} from './encoding.ts';
export { type Environment, evaluate } from './evaluate.ts';
export {
  type Arithmetic,
  alternatives,
  type Comparison,
  type Count,
  type Effect,
  type Expression,
  expressionsOf,
  factsOf,
  type HostOperation,
  mayDivert,
  parts,
} from './expression.ts';
export { type Extension, extensionsInOrder, isaString, misaLetters } from './extension-list.ts';
export { ACCESSES, type Fact, HELPERS, type HelperName, isPure } from './helpers.ts';
export type { Compressed, Instruction } from './instruction.ts';
export { registerNumber } from './registers.ts';
export { COMPRESSED, expansionOf, INSTRUCTIONS } from './table.ts';
