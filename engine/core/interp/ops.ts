/**
 * Numbers the slot ops: one per instruction and length. A 16-bit form shares its instruction's semantics but has an op
 * of its own, so that generated code knows the distance to the next slot as a constant.
 */
import { COMPRESSED, type Effect, expansionOf, HELPERS, INSTRUCTIONS, type Instruction } from '../../isa/index.ts';
import { CONSTANTS } from '../layout/index.ts';

export interface Op {
  readonly number: number;
  /** undefined for the op of illegal instructions, which has no row. */
  readonly instruction: Instruction | undefined;
  readonly effect: Effect;
  readonly lengthBytes: 2 | 4;
}

const EXPANDED: ReadonlySet<Instruction> = new Set(COMPRESSED.map(expansionOf));

const ILLEGAL: Op = {
  number: CONSTANTS.OP_ILLEGAL,
  instruction: undefined,
  effect: {
    kind: 'run',
    call: { kind: 'call', helper: 'illegal', args: HELPERS.illegal.parameters.map((kind) => ({ kind })) },
  },
  // Never used: the helper always diverts.
  lengthBytes: 4,
};

/** All ops that execute something, by number, without gaps from OP_ILLEGAL up. */
export const OPS: readonly Op[] = [
  ILLEGAL,
  ...[
    ...INSTRUCTIONS.map((instruction) => ({ instruction, lengthBytes: 4 as const })),
    ...INSTRUCTIONS.filter((i) => EXPANDED.has(i)).map((instruction) => ({ instruction, lengthBytes: 2 as const })),
  ].map(({ instruction, lengthBytes }, index) => ({
    number: CONSTANTS.OP_FIRST + index,
    instruction,
    effect: instruction.effect,
    lengthBytes,
  })),
];

const NUMBERS = new Map(OPS.map((op) => [`${op.instruction?.name}/${op.lengthBytes}`, op.number]));

/** Number of an instruction's op. @throws Error when there is none of that length (ours: an assertion). */
export function opNumber(instruction: Instruction, lengthBytes: 2 | 4): number {
  const number = NUMBERS.get(`${instruction.name}/${lengthBytes}`);
  if (number === undefined) throw new Error(`interp: no op for ${instruction.name} of ${lengthBytes} bytes`);
  return number;
}
