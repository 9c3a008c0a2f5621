/** Harts in trap loops are found, wherever the machine stands; harts that get on are not, however often they trap. */
import { describe, expect, it } from 'vitest';
import { createMachine } from '../machine/machine.ts';
import { smallConfig } from '../machine/testing.ts';
import type { MachineConfig } from '../machine/types.ts';
import { trapLoops } from './trap-loops.ts';

/** M-mode may do everything, and so may all below it; then `to` at `start`, in VS-mode when V is asked for. */
const enter = (to: 'M' | 'HS' | 'VS' | 'U', start: string) => `
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 31
    csrw pmpcfg0, t0
    li t0, 0x8000001800
    csrc mstatus, t0
    li t0, ${{ M: 0x1800, HS: 0x800, VS: 0x8000000800, U: 0 }[to]}
    csrs mstatus, t0
    la t0, ${start}
    csrw mepc, t0
    mret
`;
const HANDLER_FAULTS = `
    la t0, handler
    csrw mtvec, t0
    li sp, 16
    ebreak
    .balign 4
  handler:
    nop
    addi t1, t1, 1
    sd ra, 0(sp)
    mret
`;
const NOT_HELPED = `
    la t0, handler
    csrw mtvec, t0
    ${enter('U', 'user')}
  user:
    nop
    ld a0, 24(zero)
    j .
    .balign 4
  handler:
    addi t1, t1, 1
    mret
`;
/** As before, while the timer of M-mode strikes. */
const TICKING = `
    li s0, 0x2004000
    sd zero, 0(s0)
    li t0, 128
    csrs mie, t0
    la t0, handler
    csrw mtvec, t0
    ${enter('U', 'user')}
  user:
    ld a0, 24(zero)
    j .
    .balign 4
  handler:
    csrr t1, mcause
    bgez t1, back
    csrr t1, time
    addi t1, t1, 20
    sd t1, 0(s0)
  back:
    mret
`;
/** Emulates: goes on behind the instruction. */
const HELPED = `
    la t0, handler
    csrw mtvec, t0
    ${enter('U', 'user')}
  user:
    ld a0, 24(zero)
    j user
    .balign 4
  handler:
    csrr t1, mepc
    addi t1, t1, 4
    csrw mepc, t1
    mret
`;
/** The handler's stack moves at each trap: no two in turn are the same. */
const TWO_IN_TURN = `
    la t0, handler
    csrw mtvec, t0
    li sp, 16
    ebreak
    .balign 4
  handler:
    xori sp, sp, 8
    sd ra, 0(sp)
`;
const IN_HS = `
    li t0, -1
    csrw medeleg, t0
    csrw stvec, zero
    ${enter('HS', 'kernel')}
  kernel:
    unimp
`;
const IN_GUEST = `
    li t0, -1
    csrw medeleg, t0
    csrw hedeleg, t0
    csrw vstvec, zero
    li t0, 3
    slli t0, t0, 44
    csrw hgatp, t0
    ${enter('VS', 'guest')}
  guest:
    unimp
`;
const GUEST_FAULT = `
    la t0, handler
    csrw mtvec, t0
    li t0, 5
    slli t0, t0, 44
    csrw hgatp, t0
    ${enter('VS', 'guest')}
  guest:
    csrr a0, hstatus
    .balign 4
  handler:
    nop
    mret
`;

/** A machine that has run for a while. */
function hasRun(moment: number, source: string, change: Partial<MachineConfig> = {}) {
  const machine = createMachine(smallConfig(source, change));
  machine.run({ moment, ticks: 2_000_000 });
  return machine;
}
const M = { hart: 0, from: 'M', to: 'M', vmid: 0 };

describe('a hart in a trap loop is found', () => {
  it.each([
    ['a vector where nothing is', 'csrw mtvec, zero\n ebreak', { ...M, cause: 1, pc: 0n, tval: 0n }],
    ['a handler that traps', HANDLER_FAULTS, { ...M, cause: 7, tval: 16n }],
    ['a handler that returns to what it has not helped', NOT_HELPED, { ...M, from: 'U', cause: 5, tval: 24n }],
    ['HS-mode', IN_HS, { ...M, from: 'HS', to: 'HS', cause: 1, pc: 0n, tval: 0n }],
    ['VS-mode', IN_GUEST, { ...M, from: 'VS', to: 'VS', vmid: 3, cause: 1, pc: 0n, tval: 0n }],
    ['a VM whose instruction is not emulated', GUEST_FAULT, { ...M, from: 'VS', vmid: 5, cause: 22 }],
  ])('%s', (_, source, expected) => {
    expect(trapLoops(hasRun(3_000, source))).toMatchObject([expected]);
  });

  it('beside one that works, and one that works beside it is not', () => {
    const beside = (loop: string, branch: string) => `
      csrr t0, mhartid
      ${branch} t0, works
      ${loop}
    works:
      addi t1, t1, 1
      j works
    `;
    for (const [loop, cause] of [
      [HANDLER_FAULTS, 7],
      [NOT_HELPED, 5],
    ] as const) {
      for (const harts of [2, 3]) {
        expect(trapLoops(hasRun(3_000, beside(loop, 'bnez'), { harts }))).toMatchObject([{ hart: 0, cause }]);
      }
      expect(trapLoops(hasRun(3_000, beside(loop, 'beqz'), { harts: 2 }))).toMatchObject([{ hart: 1, cause }]);
    }
  });

  it('when the machine could not go on because of it, on each hart', () => {
    const source = 'csrw mtvec, zero\n ebreak';
    const stuck = createMachine(smallConfig(source, { harts: 2 }));
    expect(stuck.run({})).toMatchObject({ kind: 'halted', status: 'fail' });
    expect(trapLoops(stuck)).toEqual([0, 1].map((hart) => ({ ...M, hart, cause: 1, pc: 0n, tval: 0n })));
    const other = createMachine(
      smallConfig(`csrr t0, mhartid\n bnez t0, sleep\n ${source}\n sleep: wfi\n j sleep`, { harts: 2 }),
    );
    other.run({});
    expect(trapLoops(other)).toMatchObject([{ hart: 0 }]);
  });

  it('although timer interrupts come between', () => {
    const machine = hasRun(20_000, TICKING);
    expect(trapLoops(machine)).toMatchObject([{ from: 'U', cause: 5 }]);
    let interrupts = 0;
    machine.onEvent = (event) => {
      if (event.kind === 'transition' && event.trap?.interrupt) interrupts++;
    };
    machine.run({ ticks: machine.ticks + 20_000 });
    expect(interrupts).toBeGreaterThan(5);
  });
});

describe('nothing is found', () => {
  it.each([
    ['work without traps', 'j .'],
    ['instructions that are emulated in a loop', HELPED],
    ['a handler that gave up', 'la t0, h\n csrw mtvec, t0\n ebreak\n .balign 4\n h: j h'],
    ['two exceptions in turn', TWO_IN_TURN],
    ['sleep', 'wfi\n j .'],
    ['an end', 'li t0, 0x100000\n li t1, 0x5555\n sw t1, 0(t0)\n j .'],
  ])('%s', (_, source) => {
    expect(trapLoops(hasRun(3_000, source))).toEqual([]);
  });
});

it('looking changes nothing, and nobody hears of it', () => {
  for (const source of [HANDLER_FAULTS, HELPED, 'csrw mtvec, zero\n ebreak']) {
    const machine = hasRun(3_000, source);
    const [digest, ticks] = [machine.digest(), machine.ticks];
    const observer = () => expect.unreachable('it was watched');
    const observed = { ...machine.observed, transitions: 'vm' as const };
    machine.observed = observed;
    machine.onEvent = observer;
    trapLoops(machine);
    expect([machine.digest(), machine.ticks, machine.onEvent, machine.observed]).toEqual([
      digest,
      ticks,
      observer,
      observed,
    ]);
  }
});
