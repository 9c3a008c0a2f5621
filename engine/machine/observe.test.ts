import { describe, expect, it } from 'vitest';
import { csrByNumber } from '../isa/index.ts';
import { createMachine } from './machine.ts';
import { smallConfig } from './testing.ts';
import type { Machine, MachineEvent, Observed } from './types.ts';

const EVERYTHING: Observed = { transitions: 'all', accesses: true, csrWrites: true };
/** The UART's line status register and scratch register, and a word of the ACLINT that is 8 bytes wide. */
const UART = 0x1000_0000;
const MTIMECMP = 0x200_4000;

/** Traps, CSR instructions that write, read and are refused, and devices, over and over. */
const PROGRAM = `
    la t0, handler
    csrw mtvec, t0
    li s0, ${UART}
    li s1, ${MTIMECMP}
    li a7, 77
    li a0, 5
  loop:
    addi a0, a0, 1
    csrw mscratch, a0
    csrrs t1, mscratch, zero
    csrrsi t1, mscratch, 6
    csrrc t1, mscratch, a7
    csrw satp, zero
    csrr t1, cycle
    csrw cycle, t1
    ecall
    lbu t2, 5(s0)
    sb a0, 7(s0)
    lbu t2, 7(s0)
    ld t2, 0(s1)
    ori t2, t2, -1
    sd t2, 0(s1)
    lw t2, 1(s1)
    j loop
    .balign 4
  handler:
    csrr t3, mepc
    addi t3, t3, 4
    csrw mepc, t3
    mret
`;

const see = (machine: Machine, observed: Observed = EVERYTHING) => {
  const events: MachineEvent[] = [];
  machine.observed = observed;
  machine.onEvent = (event) => events.push(event);
  return events;
};
const LENGTH = 600;
const config = smallConfig(PROGRAM, { harts: 2, quantum: { policy: 'jittered', ticks: 64, seed: 3n } });

/** What a watcher finds who goes one instruction at a time and looks at the machine in between. */
function judge(): unknown[] {
  const machine = createMachine(config);
  const found: unknown[] = [];
  while (machine.moment < LENGTH) {
    const { hart, pc } = machine.next();
    const raw = pc >= 0x8000_0000n ? new DataView(machine.readPhysical(Number(pc), 4).buffer).getUint32(0, true) : 0;
    const before = machine.hart(hart);
    const [opcode, funct3, rs1] = [raw & 0x7f, (raw >>> 12) & 7, (raw >>> 15) & 31];
    const name = opcode === 0x73 && funct3 !== 0 ? csrByNumber(raw >>> 20)?.name : undefined;
    const old = name && machine.csr(hart, name);
    const isWrite = name !== undefined && ((funct3 & 3) === 1 || rs1 !== 0) && raw >>> 30 !== 3;
    machine.step();
    const base = { hart, pc, mode: before.mode, moment: machine.moment };
    if (isWrite && machine.hart(hart).pc === pc + 4n) {
      found.push({ ...base, kind: 'csr', number: raw >>> 20, before: old, after: machine.csr(hart, name) });
    }
    const offset = opcode === 3 ? raw >>> 20 : opcode === 0x23 ? ((raw >>> 25) << 5) | ((raw >>> 7) & 31) : -1;
    const address = Number(before.x[rs1]) + offset;
    if (offset < 0 || address >= 0x8000_0000 || machine.hart(hart).pc !== pc + 4n) continue;
    const register = opcode === 3 ? machine.hart(hart).x[(raw >>> 7) & 31]! : before.x[(raw >>> 20) & 31]!;
    const bytes = 1 << (funct3 & 3);
    const value = BigInt.asUintN(8 * bytes, register);
    const access = opcode === 3 ? 'load' : 'store';
    found.push({ ...base, kind: 'access', paddr: address, bytes, access, value });
  }
  return found;
}

describe('the observer', () => {
  it('hears of each CSR write and each access to a device what a watcher sees who goes step by step', () => {
    const machine = createMachine(config);
    const events = see(machine);
    machine.run({ moment: LENGTH });
    const seen = events.filter((event) => event.kind === 'csr' || event.kind === 'access');
    const expected = judge();
    expect(expected.length).toBeGreaterThan(150);
    expect(seen).toHaveLength(expected.length);
    for (const [n, event] of seen.entries()) {
      // The cycle counter goes on while the watcher looks.
      const { before, after, ...sure } = expected[n] as { before: bigint; after: bigint };
      const isCounter = event.kind === 'csr' && event.number >= 0xb00;
      expect(event).toMatchObject(isCounter || event.kind === 'access' ? sure : { ...sure, before, after });
    }
    expect(seen.find((event) => event.kind === 'access')).toMatchObject({ device: 'uart', offset: 5 });
  });

  it('hears with what registers a trap was taken', () => {
    const machine = createMachine(config);
    const events = see(machine);
    machine.run({ moment: LENGTH });
    const calls = events.filter((event) => event.kind === 'transition' && event.trap?.cause === 11);
    expect(calls.length).toBeGreaterThan(20);
    const [first] = calls;
    expect(first?.kind === 'transition' && [0, 7].map((n) => first.registers.at(n))).toEqual([6n, 77n]);
  });

  it('hears how much each hart has done', () => {
    const machine = createMachine(config);
    const events = see(machine);
    machine.run({ moment: LENGTH });
    const last = new Map(events.flatMap((event) => (event.kind === 'transition' ? [[event.hart, event]] : [])));
    expect([...last.keys()].sort()).toEqual([0, 1]);
    const one = last.get(0)!;
    const again = createMachine(config);
    let traps = 0;
    again.observed = EVERYTHING;
    again.onEvent = (event) => {
      if (event.kind === 'transition' && event.trap && event.hart === 0) traps++;
    };
    again.run({ ticks: one.ticks });
    expect(one.work).toBe(Number(again.hart(0).instret) + traps);
  });

  it('hears only what it asked for', () => {
    const kinds = (observed: Observed) => {
      const machine = createMachine(config);
      const events = see(machine, observed);
      machine.run({ moment: LENGTH });
      return [...new Set(events.map(({ kind }) => kind))].sort();
    };
    expect(kinds(EVERYTHING)).toEqual(['access', 'csr', 'transition']);
    expect(kinds({ ...EVERYTHING, csrWrites: false })).toEqual(['access', 'transition']);
    expect(kinds({ transitions: 'none', accesses: false, csrWrites: true })).toEqual(['csr']);
    expect(kinds({ transitions: 'vm', accesses: true, csrWrites: false })).toEqual(['access']);
  });

  it('stops the run right behind each transition and each CSR write, if asked to', () => {
    const told = (events: readonly MachineEvent[]) =>
      events.filter(({ kind }) => kind === 'transition' || kind === 'csr');
    const plain = createMachine(config);
    const all = see(plain);
    plain.run({ moment: LENGTH });
    const machine = createMachine(config);
    const events = see(machine, { ...EVERYTHING, stops: true });
    const stops: number[] = [];
    while (stops.length <= all.length && machine.run({ moment: LENGTH }).kind === 'event') stops.push(machine.ticks);
    expect(told(events)).toEqual(told(all));
    expect(stops).toEqual(told(all).map(({ ticks }) => ticks));
    expect(machine.digest()).toBe(plain.digest());
  });

  it('changes nothing, whatever it hears of and however the run is cut', () => {
    const digestAfter = (moments: number, observe: boolean) => {
      const machine = createMachine(config);
      if (observe) see(machine);
      while (machine.moment < LENGTH) machine.run({ moment: Math.min(machine.moment + moments, LENGTH) });
      return [machine.ticks, machine.digest()];
    };
    expect(digestAfter(LENGTH, true)).toEqual(digestAfter(LENGTH, false));
    expect(digestAfter(7, true)).toEqual(digestAfter(LENGTH, false));
  });

  it('hears of each of many events, in order', () => {
    const machine = createMachine(smallConfig('loop: csrw mscratch, t0\n addi t0, t0, 1\n j loop'));
    const events = see(machine);
    machine.run({ moment: 60_000 });
    const written = events.flatMap((event) => (event.kind === 'csr' ? [event.after] : []));
    expect(written.length).toBeGreaterThan(19_000);
    expect(written.every((value, n) => value === written[0]! + BigInt(n))).toBe(true);
  });
});
