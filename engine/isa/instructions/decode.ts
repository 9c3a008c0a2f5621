/**
 * Decodes single instructions in TypeScript, for disassembly and tests. The machine decodes in wasm by a table derived
 * from the same rows.
 */
import { extractOperands, matches, type Operands } from './encoding.ts';
import type { Compressed, Instruction } from './instruction.ts';
import { COMPRESSED, expansionOf, INSTRUCTIONS } from './table.ts';

export interface Decoded {
  readonly instruction: Instruction;
  /** Operands of `instruction`, also when it was written in a 16-bit form. */
  readonly operands: Operands;
  readonly form: Compressed | undefined;
  readonly lengthBytes: 2 | 4;
}

/**
 * Length in bytes of the instruction whose first half-word is the low half of `raw`: 2 or 4. @see Volume I, section 1.5
 */
export const instructionLength = (raw: number): 2 | 4 => ((raw & 3) === 3 ? 4 : 2);

/** Decodes the instruction in the low half or the whole of `raw`; undefined when it is illegal. */
export function decode(raw: number): Decoded | undefined {
  if (instructionLength(raw) === 4) {
    const word = raw >>> 0;
    const instruction = LONG[(word >>> 2) & 31]?.find((row) => matches(row.encoding, word));
    if (!instruction) return undefined;
    return { instruction, operands: extractOperands(instruction.encoding, word), form: undefined, lengthBytes: 4 };
  }
  const half = raw & 0xffff;
  const form = COMPRESSED.find((row) => matches(row.encoding, half));
  if (!form) return undefined;
  const own = extractOperands(form.encoding, half);
  return { instruction: expansionOf(form), operands: expandOperands(form, own), form, lengthBytes: 2 };
}

/** Rows by major opcode: the search is short. */
const LONG: readonly (readonly Instruction[])[] = Array.from({ length: 32 }, (_, major) =>
  INSTRUCTIONS.filter((row) => ((row.encoding.match >>> 2) & 31) === major),
);

/** Operands of the instruction that a 16-bit form stands for. */
export function expandOperands(form: Compressed, own: Operands): Operands {
  const expanded: Record<string, number> = { ...own };
  for (const [name, source] of Object.entries(form.operands)) {
    expanded[name] = typeof source === 'number' ? source : (own[source] ?? 0);
  }
  return expanded;
}
