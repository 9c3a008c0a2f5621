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

/** With the line that it was compiled from. */
export interface ListedLine extends DisassembledLine {
  /** `lazarus/sched.c:123`, as `codeAt` gives it. */
  readonly source: string | undefined;
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
  const { mode, vmid } = machine.hart(hart);
  const describe = (address: bigint) => symbols?.describe(mode, address, vmid);
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

/**
 * Up to `before` instructions in front of an address, the one there, and up to `after` behind it, in address order.
 * Those in front are decoded from the start of the address's function when that is near, else from the earliest place
 * whose decoding lands on the address: without symbols, the first of them may be misaligned.
 */
export function disassembleAround(
  machine: Disassembled,
  hart: number,
  address: bigint,
  before: number,
  after: number,
  symbols?: MachineSymbols,
): ListedLine[] {
  const onwards = disassembleAt(machine, hart, address, after + 1, symbols);
  const { mode, vmid } = machine.hart(hart);
  return [...linesBefore(machine, hart, address, before, symbols), ...onwards].map((line) => ({
    ...line,
    source: symbols?.codeAt(mode, line.address, vmid).source,
  }));
}

/** Functions longer than this are not decoded from their start. */
const NEAR_BYTES = 2048;

function linesBefore(
  machine: Disassembled,
  hart: number,
  pc: bigint,
  count: number,
  symbols: MachineSymbols | undefined,
): readonly DisassembledLine[] {
  if (count === 0) return [];
  const { mode, vmid } = machine.hart(hart);
  const offset = offsetIn(symbols?.describe(mode, pc, vmid));
  if (offset !== undefined && offset <= NEAR_BYTES) {
    const lines = disassembleAt(machine, hart, pc - BigInt(offset), offset / 2 + 1, symbols);
    const end = lines.findIndex((line) => line.address === pc);
    if (end >= 0 || offset === 0) return lines.slice(Math.max(0, end - count), Math.max(0, end));
  }
  let best: readonly DisassembledLine[] = [];
  // Instructions are 2 or 4 bytes long: the earliest start whose decoding meets pc wins.
  for (let start = pc - BigInt(count) * 4n; start < pc; start += 2n) {
    if (start < 0n) continue;
    const lines = disassembleAt(machine, hart, start, count * 2, symbols);
    const end = lines.findIndex((line) => line.address === pc);
    if (end > best.length) best = lines.slice(0, end);
    if (end > 0) break;
  }
  return best.slice(-count);
}

/** Bytes into the function: 16 for `name+0x10`. */
function offsetIn(symbol: string | undefined): number | undefined {
  if (symbol === undefined) return undefined;
  const match = /\+0x([0-9a-f]+)$/.exec(symbol);
  return match ? Number.parseInt(match[1]!, 16) : 0;
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
