/**
 * Which bytes of memory are the hypervisor's and the firmware's, by kind: what memory faults are drawn from. Reads the
 * images' symbols, the heap's block headers and the G-stage tables, as they are at one moment; a fault elsewhere in the
 * run hits the same address, whatever lies there then. Knows Lazarus' memory map (lazarus.ld, heap.c, main.c).
 */
import {
  listVms,
  type Machine,
  type MachineSymbols,
  PAGE_BYTES,
  RAM_BASE,
  UserError,
  walkGStage,
} from '../../../engine/index.ts';
import { firmwareMemory, type MemoryKind, type MemoryRange } from '../injection/index.ts';

export type MemoryTargets = Readonly<Record<MemoryKind, readonly MemoryRange[]>>;

/** heap.c: `BLOCK_MAGIC`, and the header in front of every block; blocks are whole multiples of it. */
const BLOCK_MAGIC = 0x4b434f4c42n;
const HEADER_BYTES = 32;
const BLOCK_FREE = 0;
const BLOCK_GSTAGE = 3;
const MAX_BLOCKS = 1_000_000;

/** Reads what there is now. @throws UserError when the hypervisor's image is not laid out as Lazarus is */
export function memoryTargets(machine: Machine, symbols: MachineSymbols): MemoryTargets {
  const { hypervisor } = symbols;
  const at = (name: string): number => {
    const address = hypervisor?.loadAddress(name);
    if (address !== undefined) return Number(address);
    throw new UserError(`the hypervisor's image has no symbol '${name}': memory faults need Lazarus' memory map`);
  };
  const between = (from: number, to: number): MemoryRange => [from, to - from];
  const heapStart = at('bss_end');
  const { blocks, end } = heapBlocks(machine, heapStart);
  const tables = listVms(machine, hypervisor).vms.flatMap(({ hgatp }) => [...walkGStage(machine, hgatp).tablePages]);
  const { data, harts, pristine, handover } = firmwareMemory(machine, symbols);
  return {
    data: [between(at('statics_start'), at('statics_end'))],
    stack: [between(at('statics_end'), heapStart)],
    heap: blocks,
    'frame-table': frameTable(machine, hypervisor!, end),
    'page-table': [...new Set(tables)].sort((a, b) => a - b).map((page) => [page, PAGE_BYTES] as const),
    'firmware-data': data,
    'firmware-stack': harts,
    'pristine-image': [pristine],
    handover,
  };
}

/** The byte that a draw of 2^32 chooses among those of a kind. @throws UserError when there is none */
export function targetByte(targets: MemoryTargets, kind: MemoryKind, pick: number): number {
  const ranges = targets[kind];
  const total = ranges.reduce((sum, [, bytes]) => sum + bytes, 0);
  let left = Math.floor((pick / 2 ** 32) * total);
  for (const [paddr, bytes] of ranges) {
    if (left < bytes) return paddr + left;
    left -= bytes;
  }
  throw new UserError(`the hypervisor has no memory of kind '${kind}' in this set-up: leave it out of memory.where`);
}

/** Allocated blocks with their headers, and the end of the last block. */
function heapBlocks(machine: Machine, start: number): { readonly blocks: MemoryRange[]; readonly end: number } {
  const blocks: MemoryRange[] = [];
  let at = Math.ceil(start / HEADER_BYTES) * HEADER_BYTES;
  for (let n = 0; n < MAX_BLOCKS; n++) {
    const header = machine.readPhysical(at, HEADER_BYTES);
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    if (view.getBigUint64(0, true) !== BLOCK_MAGIC) break;
    const word = Number(view.getBigUint64(8, true));
    const bytes = word - (word % 16);
    if (bytes < HEADER_BYTES) break;
    const type = word % 16;
    // A block that holds a root table: the table is a page table, its header is the heap's.
    if (type !== BLOCK_FREE) blocks.push([at, type === BLOCK_GSTAGE ? HEADER_BYTES : bytes]);
    at += bytes;
  }
  return { blocks, end: at };
}

/** One record for each frame behind the heap: the table lies at the start of what it describes. */
function frameTable(
  machine: Machine,
  hypervisor: NonNullable<MachineSymbols['hypervisor']>,
  start: number,
): MemoryRange[] {
  const recordBytes = hypervisor.absolutes('layout.').get('frame.size');
  if (recordBytes === undefined) return [];
  const end = RAM_BASE + machine.config.ramBytes;
  return [[start, Math.floor((end - start) / PAGE_BYTES) * Number(recordBytes)]];
}
