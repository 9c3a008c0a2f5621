/**
 * Where code goes: whether an instruction calls, returns, or asks whoever runs above it. Told by the instruction alone,
 * as the ABI uses them: ra links, other link registers belong to helpers inside a function.
 * @see RISC-V ELF psABI, "Integer register convention"
 */
import { decode, disassembleAt, type Machine, type Mode } from '../../engine/index.ts';

export interface Flow {
  readonly kind: 'call' | 'return' | 'ecall' | 'trap return' | 'other';
  readonly bytes: 2 | 4;
  /** Where a jump or branch leads, if the instruction alone says it. */
  readonly target?: bigint;
}

const RA = 1;
const BRANCHES: ReadonlySet<string> = new Set(['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu']);

/** What the instruction at a pc does, as the hart would fetch it in its mode; undefined: none can be fetched. */
export function flowAt(machine: Machine, hart: number, pc: bigint): Flow | undefined {
  const [line] = disassembleAt(machine, hart, pc, 1);
  if (!line) return undefined;
  const decoded = decode(line.raw);
  if (!decoded) return { kind: 'other', bytes: line.bytes };
  const { instruction, operands } = decoded;
  const isDirect = instruction.name === 'jal' || BRANCHES.has(instruction.name);
  const target = isDirect ? { target: BigInt.asUintN(64, pc + BigInt(operands.imm!)) } : {};
  return { kind: kindOf(decoded), bytes: line.bytes, ...target };
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

/** Where the call can be that returns to a pc: one of each length. */
export function callsBefore(machine: Machine, hart: number, pc: bigint): bigint[] {
  return linksBefore(machine, hart, pc).map(({ at }) => at);
}

/** The same with what is there. `kinds`: calls of functions, or of whoever runs above */
export function linksBefore(
  machine: Machine,
  hart: number,
  pc: bigint,
  kinds: readonly Flow['kind'][] = ['call', 'ecall'],
): { readonly at: bigint; readonly flow: Flow }[] {
  return [4, 2].flatMap((bytes) => {
    const at = BigInt.asUintN(64, pc - BigInt(bytes));
    const flow = flowAt(machine, hart, at);
    if (flow?.bytes !== bytes || !kinds.includes(flow.kind)) return [];
    return [{ at, flow: { ...farTarget(machine, hart, at), ...flow } }];
  });
}

/** Where a pair of instructions calls, auipc and jalr, of which this is the second. */
function farTarget(machine: Machine, hart: number, at: bigint): Pick<Flow, 'target'> {
  const before = BigInt.asUintN(64, at - 4n);
  const [upper, call] = disassembleAt(machine, hart, before, 2).map(({ raw }) => decode(raw));
  if (upper?.instruction.name !== 'auipc' || call?.instruction.name !== 'jalr') return {};
  if (upper.operands.rd !== call.operands.rs1) return {};
  return { target: BigInt.asUintN(64, before + BigInt(upper.operands.imm!) + BigInt(call.operands.imm!)) };
}

/** Causes that a vectored trap vector tells apart at most. */
const VECTORS = 64n;

/**
 * Whether a hart's traps to a mode lead to this address.
 * @see Volume II, "Machine Trap-Vector Base-Address Register"
 */
export function isTrapVector(machine: Machine, hart: number, mode: Mode, pc: bigint): boolean {
  const vector = machine.csr(hart, mode === 'M' ? 'mtvec' : 'stvec');
  const base = vector & ~3n;
  return (vector & 3n) === 1n ? pc >= base && pc < base + 4n * VECTORS && pc % 4n === 0n : pc === base;
}
