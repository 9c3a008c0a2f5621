/** What memory faults hit, on the machine that they are injected into. */
import { expect, it } from 'vitest';
import { createMachine, RAM_BASE, readMachineSymbols } from '../../../engine/index.ts';
import type { MemoryRange } from '../injection/index.ts';
import { bootSetup, findSetup, MEMORY_KINDS } from '../injection/index.ts';
import { memoryTargets, targetByte } from './targets.ts';

const KINDS = MEMORY_KINDS;
const { machine, symbols, up } = bootSetup(findSetup('compute'));
machine.restore(up);
const targets = memoryTargets(machine, symbols);

it('finds memory of every kind, disjoint, inside RAM and outside the code', () => {
  const text = Number(symbols.hypervisor!.address('statics_start'));
  const ranges = KINDS.flatMap((kind) => targets[kind].map(([from, bytes]) => ({ kind, from, to: from + bytes })));
  for (const kind of KINDS) expect(targets[kind].length, kind).toBeGreaterThan(0);
  const sorted = ranges.sort((a, b) => a.from - b.from);
  for (const [i, { kind, from, to }] of sorted.entries()) {
    const isFirmware = /firmware|pristine|handover/.test(kind);
    expect(from, kind).toBeGreaterThanOrEqual(isFirmware ? RAM_BASE : text);
    if (isFirmware) expect(to, kind).toBeLessThanOrEqual(Number(symbols.hypervisor!.address('image_start')));
    expect(to, kind).toBeLessThanOrEqual(RAM_BASE + machine.config.ramBytes);
    if (i > 0) expect(from, `${kind} behind ${sorted[i - 1]!.kind}`).toBeGreaterThanOrEqual(sorted[i - 1]!.to);
  }
});

it('finds the structures of the VMs in the heap, and their G-stage tables among the page tables', () => {
  const inside = (kind: (typeof KINDS)[number], paddr: number) =>
    targets[kind].some(([from, bytes]) => paddr >= from && paddr < from + bytes);
  const domain = machine.readPhysical(Number(symbols.hypervisor!.address('domain_list')), 8);
  const first = Number(new DataView(domain.buffer, domain.byteOffset).getBigUint64(0, true));
  expect(inside('heap', first)).toBe(true);
  expect(inside('data', Number(symbols.hypervisor!.address('domain_list')))).toBe(true);
  const hgatp = Number(symbols.hypervisor!.absolutes('layout.').get('domain.hgatp'));
  const root = machine.readPhysical(first + hgatp, 8);
  const ppn = new DataView(root.buffer, root.byteOffset).getBigUint64(0, true) & 0xfff_ffff_ffffn;
  expect(inside('page-table', Number(ppn) * 4096)).toBe(true);
});

it('draws over all bytes of a kind, from the first to the last', () => {
  const [from] = targets.heap[0]!;
  const [lastFrom, lastBytes] = targets.heap.at(-1)!;
  expect(targetByte(targets, 'heap', 0)).toBe(from);
  expect(targetByte(targets, 'heap', 2 ** 32 - 1)).toBe(lastFrom + lastBytes - 1);
  expect(() => targetByte({ ...targets, heap: [] }, 'heap', 0)).toThrow(/no memory of kind 'heap' in this set-up/);
});

it('refuses a hypervisor with another memory map', () => {
  const config = { ...findSetup('compute').config(0) };
  const bare = { ...config, kernel: config.bios! };
  expect(() => memoryTargets(createMachine(config), readMachineSymbols(bare))).toThrow(
    /has no symbol '(bss_end|statics_start)': memory faults need Lazarus' memory map/,
  );
});

it('finds the pristine image, which is the hypervisor as it was, and all of the firmware that changes', () => {
  const [[from, bytes]] = targets['pristine-image'] as [MemoryRange];
  const start = Number(symbols.hypervisor!.loadAddress('image_start'));
  const code = Number(symbols.hypervisor!.loadAddress('statics_start')) - start;
  expect(bytes).toBeGreaterThan(code);
  expect(Buffer.from(machine.readPhysical(from, code)).equals(machine.readPhysical(start, code))).toBe(true);
  const inside = (paddr: number) =>
    KINDS.some((kind) => targets[kind].some(([at, n]) => paddr >= at && paddr < at + n));
  // From reset to the end, no byte of the core changes that no kind has.
  const core = 0x4_0000;
  const before = machine.readPhysical(RAM_BASE, core).slice();
  machine.run({ ticks: machine.ticks + 3_000_000 });
  const changed = [...machine.readPhysical(RAM_BASE, core)].flatMap((byte, at) => (byte === before[at] ? [] : [at]));
  expect(changed.length).toBeGreaterThan(0);
  expect(changed.filter((at) => !inside(RAM_BASE + at))).toEqual([]);
});
