import { describe, expect, it } from 'vitest';
import { createMachine, type InputEvent, type Machine } from '../../engine/index.ts';
import { machineOf } from '../replay.fixtures.ts';
import type { Crossing } from './crossings.ts';
import { type JudgedRecovery, type JudgedVm, judgeRecovery } from './judge.ts';

/** The judged run is a machine that stands still, changed by hand where a real one would be moved. */
const still = () => createMachine(machineOf('j .\n', { harts: 1 }));
const judge = (machine: Machine, run: Partial<JudgedRecovery['run']>, vm: Partial<JudgedVm>) =>
  judgeRecovery({
    run: { machine, toTicks: () => {}, forwardToTicks: () => {}, ...run },
    hypervisor: undefined,
    frozen: 100,
    resumed: 200,
    vms: [{ vmid: 1, name: 'vm1', published: [1n], finished: false, finishes: true, ...vm }],
  })[0]!;

describe('a VM that is entered behind the instruction at which it left', () => {
  const PC = 32;
  const crossing = (ticks: number, pc: bigint) =>
    ({ moment: ticks, ticks, hart: 0, vmid: 1, context: 1n, pc, mode: 'VS' }) as const;
  const flip = (register: number, bit: number): InputEvent => ({
    kind: 'fault',
    fault: { model: 'register', hart: 0, register, bit },
  });
  const resumedAs = (trap: Crossing['trap'] & object, registers: readonly number[]) => {
    const machine = still();
    const { pc } = machine.hart(0);
    const entry: Crossing = { ...crossing(300, pc + 4n), kind: 'entry' };
    const toTicks = (ticks: number) => {
      if (ticks === entry.ticks)
        for (const event of [flip(PC, 2), ...registers.map((n) => flip(n, 0))]) machine.apply(event);
    };
    const exit: Crossing = { ...crossing(50, pc), kind: 'exit', trap };
    return judge(machine, { toTicks }, { exit, entry, memoryIsSame: true }).resumedAs;
  };

  it.each([
    ['an ecall', 10, [10], 'completed'],
    ['an ecall', 10, [10, 11], 'completed'],
    ['an ecall', 10, [12], 'changed'],
    ['a guest-page fault of a fetch', 20, [7], 'completed'],
    ['a guest-page fault of a load', 21, [7], 'completed'],
    ['a guest-page fault of a load', 21, [7, 8], 'changed'],
    ['a virtual instruction', 22, [7], 'completed'],
    ['a guest-page fault of a store', 23, [], 'completed'],
    ['an illegal instruction', 2, [7], 'changed'],
    ['a page fault of its own', 13, [7], 'changed'],
  ])('by %s (cause %i), with another value in x%j, is %s', (_, cause, registers, expected) => {
    expect(resumedAs({ cause, interrupt: false }, registers)).toBe(expected);
  });

  it('by an interrupt asked for nothing', () => {
    expect(resumedAs({ cause: 10, interrupt: true }, [10])).toBe('changed');
  });
});

it('pages that a device wrote to between the freeze and the resumption, the latter’s tick included, do not count', () => {
  const machine = still();
  const poke = (paddr: number, ...bytes: number[]) =>
    machine.apply({ kind: 'poke', paddr, bytes: Uint8Array.from(bytes) });
  // A G-stage root whose third entry maps a GiB of guest-physical memory onto RAM, each byte at its own address.
  const [root, page] = [0x8010_0000, 0x8018_0000];
  poke(root + 16, 0xdf, 0, 0, 0x20);
  const hgatp = (8n << 60n) | (1n << 44n) | BigInt(root / 4096);
  const changes = [
    { ticks: 100, paddr: page, byDevice: true },
    { ticks: 101, paddr: page + 0x1000, byDevice: true },
    { ticks: 150, paddr: page, byDevice: false },
    { ticks: 150, paddr: page + 0x2000, byDevice: false },
    { ticks: 200, paddr: page + 0x3000, byDevice: true },
  ];
  const forwardToTicks = (now: number) => {
    while (changes[0] && changes[0].ticks <= now) {
      const { ticks, paddr, byDevice } = changes.shift()!;
      poke(paddr, ticks);
      if (byDevice) machine.onEvent?.({ kind: 'dma', moment: ticks, ticks, paddr, bytes: 1, device: 'virtio0' });
    }
  };
  const { memoryDifferences } = judge(machine, { forwardToTicks }, { hgatp });
  expect(memoryDifferences).toEqual([
    { gpa: BigInt(page), before: 100n, after: 150n },
    { gpa: BigInt(page + 0x2000), before: 0n, after: 150n },
  ]);
});
