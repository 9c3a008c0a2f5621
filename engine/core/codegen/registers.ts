/** Where the registers are that an instruction's operands name. */
import { type Instruction, isFloatRegister } from '../../isa/index.ts';
import { HART, offsetOf } from '../layout/index.ts';

/**
 * The hart's 64-bit word that a register operand means: its offset / 8. Operands that the instruction lacks mean x0.
 */
export function registerWord(
  instruction: Instruction,
  operands: Readonly<Record<string, number>>,
  name: string,
): number {
  const field = instruction.encoding.fields.find((f) => f.name === name);
  const number = operands[name] ?? 0;
  return field && isFloatRegister(field.kind) ? offsetOf(HART, 'f') / 8 + number : number;
}
