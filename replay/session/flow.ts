/**
 * Where code goes: whether an instruction calls, returns, or asks whoever runs above it. Told by the instruction alone,
 * as the ABI uses them: ra links, other link registers belong to helpers inside a function.
 * @see RISC-V ELF psABI, "Integer register convention"
 */
import { decode, disassembleAt, type Machine } from '../../engine/index.ts';

export interface Flow {
  readonly kind: 'call' | 'return' | 'ecall' | 'trap return' | 'other';
  readonly bytes: 2 | 4;
}

const RA = 1;

/** What the instruction at a pc does, as the hart would fetch it in its mode; undefined: none can be fetched. */
export function flowAt(machine: Machine, hart: number, pc: bigint): Flow | undefined {
  const [line] = disassembleAt(machine, hart, pc, 1);
  if (!line) return undefined;
  const decoded = decode(line.raw);
  return { kind: decoded ? kindOf(decoded) : 'other', bytes: line.bytes };
}

function kindOf({ instruction, operands }: NonNullable<ReturnType<typeof decode>>): Flow['kind'] {
  switch (instruction.name) {
    case 'jal':
      return operands.rd === RA ? 'call' : 'other';
    case 'jalr':
      if (operands.rd === RA) return 'call';
      return operands.rd === 0 && operands.rs1 === RA ? 'return' : 'other';
    case 'ecall':
      return 'ecall';
    case 'mret':
    case 'sret':
      return 'trap return';
    default:
      return 'other';
  }
}
