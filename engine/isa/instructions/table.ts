/**
 * The instruction table: every row of every extension. Decoders, disassembler, assembler, interpreter and test
 * generators derive from it; none of them tests for an instruction by name. `table.test.ts` checks that no two
 * encodings overlap.
 */
import { A, B, C, FLOAT, H, M, PRIVILEGED, RV64I, ZICBO, ZICSR } from './extensions/index.ts';
import type { Compressed, Instruction } from './instruction.ts';

/** Full-size instructions. Their order numbers the interpreter's ops. */
export const INSTRUCTIONS: readonly Instruction[] = [
  ...RV64I,
  ...M,
  ...A,
  ...ZICSR,
  ...PRIVILEGED,
  ...H,
  ...B,
  ...ZICBO,
  ...FLOAT,
];
/** 16-bit forms. */
export const COMPRESSED: readonly Compressed[] = C;

const BY_NAME = new Map<string, Instruction>(INSTRUCTIONS.map((i) => [i.name, i]));
const COMPRESSED_BY_NAME = new Map<string, Compressed>(COMPRESSED.map((c) => [c.name, c]));

/** The full-size instruction of that name, or undefined. */
export const instructionByName = (name: string): Instruction | undefined => BY_NAME.get(name);
/** The 16-bit form of that name, or undefined. */
export const compressedByName = (name: string): Compressed | undefined => COMPRESSED_BY_NAME.get(name);

/** The instruction that a 16-bit form stands for. @throws Error when there is none (ours: the table is wrong). */
export function expansionOf(form: Compressed): Instruction {
  const instruction = BY_NAME.get(form.expandsTo);
  if (!instruction) throw new Error(`isa: ${form.name} expands to ${form.expandsTo}, which is not in the table`);
  return instruction;
}
