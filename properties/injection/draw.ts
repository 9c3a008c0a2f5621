/**
 * Where a memory fault can hit the hypervisor, by kind of memory, as it stands at some time of the golden run; and the
 * drawing of one. Relies on the image's symbols for data and stacks, on G-stage tables for page tables and for what is
 * the guests'. Heap is what lies behind the image, is in use (not all zero), is nobody's guest memory, and was not put
 * there by the loader (initrd, device tree): no layout of the heap is assumed.
 */
import { type Fault, guestPages, listVms, RAM_BASE, UserError, walkGStage } from '../../engine/index.ts';
import { type GoldenRun, pointBefore } from './golden.ts';

export const MEMORY_KINDS = ['data', 'heap', 'stack', 'page-table'] as const;
export type MemoryKind = (typeof MEMORY_KINDS)[number];

/** Physical bytes [start, start + bytes). */
export interface MemoryRange {
  readonly start: number;
  readonly bytes: number;
}

export type MemoryTargets = Readonly<Record<MemoryKind, readonly MemoryRange[]>>;

const PAGE = 4096;

/** The hypervisor's memory at the golden run's point at or before a virtual time. @throws UserError without symbols */
export function memoryTargets(golden: GoldenRun, ticks: number): MemoryTargets {
  const { machine, symbols, reset } = golden.booted;
  const { snapshot } = pointBefore(golden, ticks);
  machine.restore(snapshot);
  const at = (name: string): number => {
    const address = symbols.hypervisor?.address(name);
    if (address === undefined)
      throw new UserError(`the hypervisor has no symbol '${name}': its memory cannot be told apart`);
    return Number(address);
  };
  const spaces = listVms(machine, symbols.hypervisor).vms.map(({ hgatp }) => walkGStage(machine, hgatp));
  const tables = new Set(spaces.flatMap(({ tablePages }) => tablePages));
  const guests = new Set(spaces.flatMap((space) => [...guestPages(machine, space)].map(([, spa]) => spa)));
  const heap = [...snapshot.pages.keys()]
    .map((index) => ({ index, page: RAM_BASE + index * PAGE }))
    .filter(
      ({ index, page }) =>
        page >= at('bss_end') && page < RAM_BASE + machine.config.ramBytes && !reset.pages.has(index),
    )
    .filter(({ page }) => !tables.has(page) && !guests.has(page));
  const between = (from: string, to: string) => ({ start: at(from), bytes: at(to) - at(from) });
  return {
    data: [between('statics_start', 'statics_end')],
    heap: pages(heap.map(({ page }) => page)),
    stack: [between('statics_end', 'bss_end')],
    'page-table': pages([...tables]),
  };
}

/**
 * One bit of memory of a kind, uniformly.
 * @param random a whole number from 0 up to, but not, its argument
 * @throws UserError when there is no memory of that kind
 */
export function drawMemoryFault(targets: MemoryTargets, kind: MemoryKind, random: (below: number) => number): Fault {
  const total = targets[kind].reduce((sum, { bytes }) => sum + bytes, 0);
  if (total === 0) throw new UserError(`there is no ${kind} memory to hit`);
  let left = random(total * 8);
  for (const { start, bytes } of targets[kind]) {
    if (left < bytes * 8) return { model: 'memory', paddr: start + (left >> 3), bit: left & 7 };
    left -= bytes * 8;
  }
  throw new RangeError(`random(${total * 8}) gave a number that is not below it`);
}

/** Pages in order of address, neighbours joined. */
function pages(addresses: readonly number[]): MemoryRange[] {
  const ranges: { start: number; bytes: number }[] = [];
  for (const address of addresses.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last.start + last.bytes === address) last.bytes += PAGE;
    else ranges.push({ start: address, bytes: PAGE });
  }
  return ranges;
}
