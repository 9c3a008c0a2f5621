/**
 * What `next` says against what happens: which hart retires the next instruction and where, under timers and software
 * interrupts of every level, whoever waits.
 */
import { describe, expect, it } from 'vitest';
import { CONSTANTS } from '../core/layout/index.ts';
import { STUCK_CODE } from './halt.ts';
import { createMachine } from './machine.ts';
import { smallConfig } from './testing.ts';
import type { MachineConfig } from './types.ts';

/** Ticks of mtime between interrupts, and which timers (mie bits) there are. */
interface Timers {
  readonly machine: number;
  readonly supervisor: number;
  readonly guest: number;
  readonly enabled: number;
}

/**
 * Every hart runs in VS-mode, counts, and waits now and then. Timer interrupts go to M, HS and VS; HS-mode makes a
 * software interrupt for VS-mode pending at each of its own, M-mode one for itself on the other hart.
 */
const levels = ({ machine, supervisor, guest, enabled }: Timers) => `
    .equ CLINT, 0x2000000
    csrr s0, mhartid
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    la t0, at_machine
    csrw mtvec, t0
    la t0, at_supervisor
    csrw stvec, t0
    la t0, at_guest
    csrw vstvec, t0
    li t0, 0x222
    csrw mideleg, t0
    li t0, 0x444
    csrw hideleg, t0
    li t0, 1
    slli t0, t0, 63
    csrw menvcfg, t0
    csrw henvcfg, t0
    li t0, 2
    csrw mcounteren, t0
    csrw hcounteren, t0
    li t0, 777
    csrw htimedelta, t0
    li s1, CLINT
    slli t0, s0, 3
    add s8, s1, t0
    li t0, 0x4000
    add s8, s8, t0
    xori t0, s0, 1
    slli t0, t0, 2
    add s9, s1, t0
    csrr t0, time
    addi t1, t0, ${machine}
    sd t1, 0(s8)
    addi t1, t0, ${supervisor}
    csrw stimecmp, t1
    addi t1, t0, ${777 + guest}
    csrw vstimecmp, t1
    li t0, ${enabled}
    csrw mie, t0
    li t0, 2
    csrw vsstatus, t0
    la t0, guest
    csrw mepc, t0
    li t0, 0x8000000800
    csrw mstatus, t0
    mret
  guest:
    addi a0, a0, 1
    andi t2, a0, 7
    bnez t2, guest
    wfi
    j guest
    .balign 4
  at_guest:
    csrr s2, scause
    andi s2, s2, 1
    bnez s2, timed
    addi a1, a1, 1
    j guest_done
  timed:
    csrr s2, time
    addi s2, s2, ${guest}
    csrw stimecmp, s2
  guest_done:
    csrci sip, 2
    sret
    .balign 4
  at_supervisor:
    csrr s4, time
    addi s4, s4, ${supervisor}
    csrw stimecmp, s4
    li s4, 4
    csrs hvip, s4
    sret
    .balign 4
  at_machine:
    csrr s6, mcause
    andi s6, s6, 4
    bnez s6, at_timer
    slli s6, s0, 2
    add s6, s6, s1
    sw zero, 0(s6)
    mret
  at_timer:
    csrr s6, time
    addi s6, s6, ${machine}
    sd s6, 0(s8)
    li s6, 1
    sw s6, 0(s9)
    mret
`;

const MTI = 0x80;
const MSI = 8;
const STI = 0x20;
const VSTI = 0x40;
const VSSI = 4;
const often = { machine: 5, supervisor: 3, guest: 2 };
const CASES: Record<string, Timers> = {
  'M-mode': { ...often, enabled: MTI },
  'M-mode and software for M-mode': { ...often, enabled: MTI | MSI },
  'HS-mode': { ...often, enabled: STI },
  'HS-mode and software for VS-mode': { ...often, enabled: STI | VSSI },
  'VS-mode': { ...often, enabled: VSTI },
  'every mode': { ...often, enabled: MTI | MSI | STI | VSTI | VSSI },
  'every mode, seldom': { machine: 70, supervisor: 41, guest: 23, enabled: MTI | MSI | STI | VSTI | VSSI },
};
const QUANTA: Record<string, MachineConfig['quantum']> = {
  'turns of 100 ticks': { policy: 'fixed', ticks: 100, seed: 0n },
  'jittered turns': { policy: 'jittered', ticks: 64, seed: 9n },
};
const STEPS = 3000;

describe.each(Object.keys(CASES))('with timers of %s', (timers) => {
  it.each(Object.keys(QUANTA))('next is what happens next, in %s', (quantum) => {
    const config = smallConfig(levels(CASES[timers]!), { harts: 2, quantum: QUANTA[quantum]! });
    // One is asked, one steps and tells when the instruction was complete, one runs to right before it.
    const [asked, stepped, follower] = [createMachine(config), createMachine(config), createMachine(config)];
    /** Instructions before which an interrupt was taken or time was skipped. */
    let preceded = 0;
    for (let moment = 1; moment <= STEPS; moment++) {
      const before = stepped.ticks;
      const instret = [0, 1].map((hart) => stepped.hart(hart).instret);
      expect(stepped.step()).toEqual({ kind: 'moment' });
      const hart = [0, 1].findIndex((its) => stepped.hart(its).instret !== instret[its]);
      follower.run({ ticks: stepped.ticks - 1 });
      if (stepped.ticks - 1 > before) preceded++;
      const where = `moment ${moment}: `;
      expect(where + JSON.stringify(asked.next(), hex)).toBe(
        where + JSON.stringify({ hart, pc: follower.hart(hart).pc }, hex),
      );
      asked.run({ moment });
      follower.run({ moment });
    }
    expect(asked.digest()).toBe(stepped.digest());
    expect(preceded).toBeGreaterThan(30);
  });
});

const hex = (_key: string, value: unknown) => (typeof value === 'bigint' ? value.toString(16) : value);

describe('a machine on which nothing but traps happens', () => {
  /** mtime at which the timer is due, and what sets it to that. */
  const DUE = 8000;
  const TIMERS: Record<string, string> = {
    mtimecmp: `li t0, 0x2004000\nli t1, ${DUE}\nsd t1, 0(t0)`,
    stimecmp: `li t1, ${DUE}\ncsrw stimecmp, t1`,
    vstimecmp: `li t1, ${DUE}\ncsrw vstimecmp, t1`,
    'vstimecmp ahead of time': `li t1, 3000\ncsrw htimedelta, t1\nli t1, ${DUE + 3000}\ncsrw vstimecmp, t1`,
  };
  const run = (timer: string) => {
    const enabled = 'li t0, 1\nslli t0, t0, 63\ncsrw menvcfg, t0\ncsrw henvcfg, t0\n';
    const machine = createMachine(smallConfig(`${enabled}${timer}\ncsrw mtvec, zero\nebreak`, { harts: 1 }));
    expect(machine.run({})).toEqual({ kind: 'halted', status: 'fail', code: STUCK_CODE });
    return machine.ticks;
  };

  it.each(Object.keys(TIMERS))('is waited for as long as %s is to come', (name) => {
    const ticks = run(TIMERS[name]!);
    expect(ticks).toBeGreaterThan(DUE * 100);
    // And no longer: it is decided at the next of certain numbers of traps.
    expect(ticks).toBeLessThan(DUE * 100 + CONSTANTS.STUCK_TRAPS + 100);
  });

  it('is given up when no timer is to come', () => {
    expect(run('')).toBeLessThan(DUE * 100);
    expect(run(`li t1, 1\ncsrw stimecmp, t1\ncsrw vstimecmp, t1`)).toBeLessThan(DUE * 100);
  });
});
