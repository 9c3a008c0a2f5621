import { describe, expect, it } from 'vitest';
import { decisionAt, readLocks, readSchedule } from './scheduler.ts';
import { createSymbolTable, type ElfSymbol } from './symbols.ts';
import { FakeMachine, RAM } from './testing.ts';
import { listVms } from './vms.ts';

const value = (name: string, address: number): ElfSymbol => ({
  name,
  address: BigInt(address),
  size: 0n,
  type: 'none',
  absolute: true,
});
const place = (name: string, offset: number, size = 8n): ElfSymbol => ({
  name,
  address: BigInt(RAM + offset),
  size,
  type: 'object',
  absolute: false,
});

/** Two pointers to locks at 0x100, two structures per hart at 0x200, vCPUs at 0x400 and 0x500, a domain at 0x600. */
const LAYOUT = [
  ...[value('layout.spinlock.owner', 0), value('layout.spinlock.name', 8)],
  ...[place('static_locks', 0x100, 0n), place('static_locks_end', 0x110, 0n), place('heap_lock', 0x180, 32n)],
  ...[value('layout.cpu.size', 0x40), value('layout.cpu.current', 8), value('layout.cpu.loaded', 16)],
  ...[value('layout.cpu.queue_head', 24), place('cpus', 0x200, 0x80n), value('layout.vcpu.queue_next', 0x30)],
];
const hypervisor = createSymbolTable('tiny', LAYOUT);

function machineWith(words: readonly (readonly [offset: number, value: number])[]): FakeMachine {
  const machine = new FakeMachine(0x2000, Array(2).fill({ mode: 'HS', hgatp: 0n }));
  for (const [offset, word] of words) machine.writeU64(RAM + offset, BigInt(word));
  return machine;
}
const locksOf = (machine: FakeMachine, symbols = hypervisor) => readLocks(machine, symbols, listVms(machine, symbols));
const scheduleOf = (machine: FakeMachine) => readSchedule(machine, hypervisor, listVms(machine, hypervisor));

describe('locks', () => {
  it('are named as they or their symbols are, with the hart that holds each', () => {
    const machine = machineWith([
      [0x100, RAM + 0x180],
      [0x108, RAM + 0x1a0],
      [0x1a0, 2],
    ]);
    machine.writeText(RAM + 0x1a8, 'frames');
    expect(locksOf(machine)).toEqual({
      locks: [
        { name: 'heap_lock', paddr: RAM + 0x180, owner: undefined },
        { name: 'frames', paddr: RAM + 0x1a0, owner: 1 },
      ],
      problems: [],
    });
  });

  it('that are corrupt are said to be', () => {
    const machine = machineWith([
      [0x100, 0x1234],
      [0x108, RAM + 0x1a0],
      [0x1a0, 77],
    ]);
    expect(locksOf(machine).problems).toEqual([
      'static_locks[0] is 0x1234, outside RAM',
      'lock at 0x8000_01a0: its owner is 77, and no hart',
    ]);
  });

  it('are not known of a hypervisor that does not publish them', () => {
    const machine = machineWith([]);
    const bare = createSymbolTable('bare', []);
    expect(locksOf(machine, bare)).toEqual({
      locks: [],
      problems: ['bare does not publish layout.spinlock.owner: its locks are not known'],
    });
    expect(readSchedule(machine, undefined, listVms(machine, undefined)).problems[0]).toContain(
      'the hypervisor does not publish cpus',
    );
  });
});

describe('run queues', () => {
  it('are followed from each hart, what runs apart', () => {
    const machine = machineWith([
      [0x208, RAM + 0x400],
      [0x218, RAM + 0x400],
      [0x430, RAM + 0x500],
      [0x250, RAM + 0x500],
    ]);
    const { harts, problems } = scheduleOf(machine);
    expect(problems).toEqual([]);
    expect(
      harts.map(({ current, loaded, queue }) => [current?.paddr, loaded?.paddr, queue.map((its) => its.paddr)]),
    ).toEqual([
      [RAM + 0x400, undefined, [RAM + 0x400, RAM + 0x500]],
      [undefined, RAM + 0x500, []],
    ]);
  });

  it('that loop or leave RAM end there, and say so', () => {
    const machine = machineWith([
      [0x218, RAM + 0x400],
      [0x430, RAM + 0x400],
      [0x248, 0x10],
    ]);
    const { harts, problems } = scheduleOf(machine);
    expect(harts[0]!.queue).toHaveLength(1);
    expect(problems).toEqual([
      'hart 0: run queue: pointer at 0x8000_0430 goes back to 0x8000_0400: the list loops',
      'hart 1: current vCPU: pointer at 0x8000_0248 is 0x10, outside RAM',
    ]);
  });
});

describe('words that decide', () => {
  const machine = machineWith([
    [0x100, RAM + 0x180],
    [0x108, RAM + 0x1a0],
    [0x1a0, 2],
  ]);
  machine.writeText(RAM + 0x1a8, 'frames');
  const at = (offset: number) => decisionAt(machine, hypervisor, listVms(machine, hypervisor), RAM + offset);

  it('are those of locks, with who holds them', () => {
    expect(at(0x180)).toEqual({ by: 'lock', text: 'lock heap_lock, free' });
    expect(at(0x1a3)).toEqual({ by: 'lock', text: 'lock frames, held by hart 1' });
    expect(at(0x1a4)).toBeUndefined();
  });

  it('are what each hart runs, and its queue', () => {
    expect(at(0x208)).toEqual({ by: 'scheduler', text: 'hart 0: current' });
    expect(at(0x257)).toEqual({ by: 'scheduler', text: 'hart 1: loaded' });
    expect(at(0x258)).toEqual({ by: 'scheduler', text: 'hart 1: queue_head' });
    expect([at(0x200), at(0x220), at(0x288)]).toEqual([undefined, undefined, undefined]);
  });

  it('are none of an image that publishes nothing', () => {
    const bare = createSymbolTable('bare', []);
    expect(decisionAt(machine, bare, listVms(machine, bare), RAM + 0x180)).toBeUndefined();
  });
});
