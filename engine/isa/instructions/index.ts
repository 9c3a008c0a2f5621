/** The table of instructions: encodings, rows by extension, decoding. */
export { decode, instructionLength } from './decode.ts';
export {
  type Encoding,
  type Field,
  insertOperands,
  isCompressedRegister,
  isFloatRegister,
  matches,
  type Operands,
} from './encoding.ts';
export { type Extension, extensionsInOrder, isaString, misaLetters } from './extension-list.ts';
export { FLOAT, impliedRounding } from './extensions/index.ts';
export type { Compressed, Instruction } from './instruction.ts';
export { COMPRESSED, compressedByName, expansionOf, INSTRUCTIONS, instructionByName } from './table.ts';
