/**
 * Instructions to text, in the standard names and preferred pseudo-instructions. 16-bit forms print as the
 * instruction they stand for, as objdump does.
 */

import { decode, instructionLength, type Operands } from '../instructions/index.ts';
import { printedAlias } from './aliases.ts';
import { printOperands } from './syntax.ts';

export interface DisassembleOptions {
  /** Name for a code address, e.g. `trap_entry+0x10`; undefined: none. */
  readonly symbolize?: ((address: bigint) => string | undefined) | undefined;
}

/**
 * Text of the instruction `raw` (low half only when it is 16 bits long) at address `pc`: `addi a0,a0,1`. Illegal
 * instructions print as `.half` or `.word`.
 */
export function disassemble(raw: number, pc: bigint, options: DisassembleOptions = {}): string {
  const decoded = decode(raw);
  if (!decoded) {
    return instructionLength(raw) === 2
      ? `.half 0x${(raw & 0xffff).toString(16).padStart(4, '0')}`
      : `.word 0x${(raw >>> 0).toString(16).padStart(8, '0')}`;
  }
  const { instruction, operands } = decoded;
  const alias = printedAlias(instruction.name, operands);
  const name = (alias?.name ?? instruction.name) + orderingSuffix(operands);
  const text = printOperands(alias?.syntax ?? instruction.syntax, operands, { pc, symbolize: options.symbolize });
  return text === '' ? name : `${name} ${text}`;
}

/** `.aq`, `.rl` or `.aqrl` for instructions that have these bits. */
function orderingSuffix({ aq = 0, rl = 0 }: Operands): string {
  return aq || rl ? `.${aq ? 'aq' : ''}${rl ? 'rl' : ''}` : '';
}
