/** Instructions as text: names, operands, pseudo-instructions, assembler and disassembler. */
export { type Assembled, assemble } from './assemble.ts';
export { disassemble } from './disassemble.ts';
export { floatRegisterNumber, registerNumber } from './registers.ts';
