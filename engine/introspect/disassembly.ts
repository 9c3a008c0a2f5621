/**
 * Disassembly around a pc, through the translation of the hart that runs there, with symbols.
 * Relies on engine/isa for the text and on the machine's side-effect-free translation. Does not follow control flow:
 * the listing goes straight on, and what is not mapped ends it.
 */
import { disassemble, instructionLength } from '../isa/index.ts';
import type { Machine, Mode } from '../machine/index.ts';
import { type PhysicalMemory, readRam, view } from './memory.ts';
import type { MachineSymbols } from './places.ts';

export interface DisassembledLine {
  readonly address: bigint;
  /** Little-endian instruction word, 16 or 32 bits. */
  readonly raw: number;
  readonly bytes: 2 | 4;
  readonly text: string;
  /** `name+0x10` of the address. */
  readonly symbol: string | undefined;
}

/** What disassembly needs of a machine. */
export type Disassembled = PhysicalMemory & Pick<Machine, 'hart' | 'translate'>;

/**
 * Up to `count` instructions from `pc` on, as `hart` would fetch them in its present mode; fewer when the code ends
 * at something that does not translate or is not RAM.
 */
export function disassembleAt(
  machine: Disassembled,
  hart: number,
  pc: bigint,
  count: number,
  symbols?: MachineSymbols,
): DisassembledLine[] {
  const { mode } = machine.hart(hart);
  const describe = (address: bigint) => symbols?.describe(mode, address);
  const lines: DisassembledLine[] = [];
  for (let address = pc; lines.length < count; ) {
    const raw = fetch(machine, hart, address);
    if (raw === undefined) break;
    const bytes = instructionLength(raw);
    const text = disassemble(raw, address, { symbolize: describe });
    lines.push({ address, raw, bytes, text, symbol: describe(address) });
    address = BigInt.asUintN(64, address + BigInt(bytes));
  }
  return lines;
}

/** One instruction as text, e.g. `ld a0, 8(sp)`; says so when it cannot be fetched. */
export function instructionAt(machine: Disassembled, hart: number, pc: bigint, symbols?: MachineSymbols): string {
  return disassembleAt(machine, hart, pc, 1, symbols)[0]?.text ?? '(not mapped)';
}

/** True when code in this mode runs inside a VM. */
export const insideVm = (mode: Mode): boolean => mode === 'VS' || mode === 'VU';

/** The instruction word at a virtual address: 16-bit parcels are translated one by one, for pages may differ. */
function fetch(machine: Disassembled, hart: number, address: bigint): number | undefined {
  const low = parcel(machine, hart, address);
  if (low === undefined || instructionLength(low) === 2) return low;
  const high = parcel(machine, hart, BigInt.asUintN(64, address + 2n));
  return high === undefined ? undefined : ((high << 16) | low) >>> 0;
}

function parcel(machine: Disassembled, hart: number, address: bigint): number | undefined {
  const paddr = machine.translate(hart, address, 'fetch');
  const bytes = paddr === undefined ? undefined : readRam(machine, paddr, 2);
  return bytes && view(bytes).getUint16(0, true);
}
