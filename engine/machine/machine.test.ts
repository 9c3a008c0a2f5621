import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../base/errors.ts';
import { CONSTANTS } from '../core/layout/index.ts';
import { STUCK_CODE } from './halt.ts';
import { createMachine } from './machine.ts';
import { compareStates } from './state/compare.ts';
import { BUSY, smallConfig } from './testing.ts';
import type { Machine, MachineConfig, MachineEvent, Snapshot } from './types.ts';

const busy = (change: Partial<MachineConfig> = {}) => createMachine(smallConfig(BUSY, { harts: 2, ...change }));
const watch = (machine: Machine) => {
  const events: MachineEvent[] = [];
  machine.onEvent = (event) => events.push(event);
  return events;
};
const text = (events: readonly MachineEvent[]) =>
  events.flatMap((event) => (event.kind === 'console' ? [String.fromCharCode(event.byte)] : [])).join('');
const PRINT = `
    li t0, 0x10000000
    li t1, 72
    sb t1, 0(t0)
    li t1, 105
    sb t1, 0(t0)
    li t0, 0x100000
    li t1, 0x21001
    sw t1, 0(t0)
    li t1, 0x73333
    sw t1, 0(t0)
    j .
`;

describe('a machine', () => {
  it('enters firmware as the boot ROM of QEMU virt does', () => {
    const machine = createMachine(smallConfig('j .', { harts: 2, append: 'hello' }));
    machine.run({ ticks: 300 });
    for (const n of [0, 1]) {
      const { x, pc, mode } = machine.hart(n);
      expect([pc, mode, x[10]]).toEqual([0x80000000n, 'M', BigInt(n)]);
      expect(machine.readPhysical(Number(x[11]), 4)).toEqual(Uint8Array.of(0xd0, 0x0d, 0xfe, 0xed));
      expect(x[12]).toBe(0x1028n);
    }
  });

  it('prints, notes and halts, each at the moment of its instruction', () => {
    const machine = createMachine(smallConfig(PRINT));
    const events = watch(machine);
    expect(machine.run({})).toEqual({ kind: 'halted', status: 'fail', code: 7 });
    expect(text(events)).toBe('Hi');
    const note = events.find((event) => event.kind === 'note');
    expect(note).toMatchObject({ hart: 0, code: 0x1001, arg: 2 });
    const moments = events.map((event) => event.moment);
    for (const moment of moments) {
      const again = createMachine(smallConfig(PRINT));
      const seen = watch(again);
      again.run({ moment: moment - 1 });
      const before = seen.length;
      again.step();
      expect([before, seen.length]).toEqual([moments.indexOf(moment), moments.indexOf(moment) + 1]);
    }
    expect(machine.run({ moment: machine.moment + 10 })).toEqual({ kind: 'halted', status: 'fail', code: 7 });
  });

  it('takes timer interrupts and tells the observer, without being influenced', () => {
    const observed = busy({ harts: 1 });
    const events = watch(observed);
    observed.run({ moment: 20_000 });
    const traps = events.filter((event) => event.kind === 'transition' && event.trap);
    expect(traps.length).toBeGreaterThan(10);
    expect(traps[0]).toMatchObject({ hart: 0, from: 'M', to: 'M', trap: { cause: 7, interrupt: true } });
    const positions = events.map((event) => event.moment);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    const unobserved = busy({ harts: 1 });
    unobserved.run({ moment: 20_000 });
    expect(unobserved.digest()).toBe(observed.digest());
  });

  it('stops at an exact moment or tick', () => {
    const machine = busy();
    expect(machine.run({ moment: 777 })).toEqual({ kind: 'moment' });
    expect(machine.moment).toBe(777);
    expect(machine.run({ ticks: 2222 })).toEqual({ kind: 'ticks' });
    expect(machine.ticks).toBe(2222);
    machine.step();
    const after = machine.moment;
    expect(machine.run({ moment: 5 })).toEqual({ kind: 'moment' });
    expect(machine.moment).toBe(after);
  });

  it('is idle when every hart waits and nothing is due, until input comes', () => {
    const machine = createMachine(
      smallConfig(`
        li t0, 0x10000000
        li t1, 1
        sb t1, 1(t0)
        li t2, 0xc000028
        sw t1, 0(t2)
        li t2, 0xc002000
        li t3, 0x400
        sw t3, 0(t2)
        li t3, 0x800
        csrw mie, t3
        li t4, 0xc200004
      again:
        wfi
        lw t5, 0(t4)
        lbu t1, 0(t0)
        sb t1, 0(t0)
        sw t5, 0(t4)
        j again
      `),
    );
    const events = watch(machine);
    expect(machine.run({})).toEqual({ kind: 'idle' });
    const idleAt = machine.moment;
    expect(machine.run({ moment: idleAt + 5 })).toEqual({ kind: 'idle' });
    machine.apply({ kind: 'console', bytes: Uint8Array.of(0x41) });
    expect(machine.run({ moment: idleAt + 1000 })).toEqual({ kind: 'idle' });
    expect(text(events)).toBe('A');
    expect(machine.moment).toBeGreaterThan(idleAt);
  });

  it('cannot go on when nothing but traps happens', () => {
    const machine = createMachine(smallConfig('csrw mtvec, zero\n ebreak'));
    expect(machine.run({})).toEqual({ kind: 'halted', status: 'fail', code: STUCK_CODE });
  });

  it('finds out at the same tick, watched or not and however the run is cut', () => {
    const stuck = smallConfig('csrw mtvec, zero\n nop\n ebreak', { harts: 2 });
    const machine = createMachine(stuck);
    const start = machine.snapshot();
    machine.run({});
    const end = machine.snapshot();
    for (const step of [7_777, 100_000]) {
      machine.restore(start);
      machine.onEvent = () => {};
      while (machine.run({ ticks: machine.ticks + step }).kind !== 'halted') expect(machine.ticks).toBeLessThan(2e7);
      expect(compareStates(end, machine.snapshot(), stuck)).toEqual([]);
      machine.onEvent = undefined;
    }
  });

  it('waits for a timer however long nothing but traps happens', () => {
    const machine = createMachine(
      smallConfig(`
        li t0, 0x2004000
        li t1, 8000
        sd t1, 0(t0)
        csrw mtvec, zero
        ebreak
      `),
    );
    expect(machine.run({})).toMatchObject({ kind: 'halted', code: STUCK_CODE });
    expect(machine.ticks).toBeGreaterThan(8_000 * 100);
  });

  it.each<[string, Partial<MachineConfig>, RegExp]>([
    ['no harts', { harts: 0 }, /0 harts: expected 1 to 8/],
    ['too many harts', { harts: 9 }, /9 harts/],
    ['a broken page of RAM', { ramBytes: 4097 }, /multiple of 4096/],
    ['too much RAM', { ramBytes: 2 ** 31 + 4096 }, /at most 2048 MiB/],
    ['a tiny quantum', { quantum: { policy: 'fixed', ticks: 63, seed: 0n } }, /64 to 1000000/],
    ['a seed of 65 bits', { quantum: { policy: 'jittered', ticks: 64, seed: 1n << 64n } }, /unsigned 64-bit/],
    ['a device seed of 65 bits', { seed: 1n << 64n }, /device seed 18446744073709551616: expected an unsigned/],
    ['a device seed below 0', { seed: -1n }, /device seed -1/],
  ])('refuses %s', (_what, change, why) => {
    expect(() => busy(change)).toThrow(UserError);
    expect(() => busy(change)).toThrow(why);
  });
});

it('says where RAM lies to whoever reads or writes beyond it', () => {
  const machine = busy();
  expect(() => machine.readPhysical(0x801f_ffff, 2)).toThrow(
    '2 bytes at 0x801fffff cannot be read: RAM is 0x80000000…0x801fffff',
  );
  expect(() => machine.apply({ kind: 'poke', paddr: 0x8020_0000, bytes: Uint8Array.of(1) })).toThrow(UserError);
});

describe('inputs', () => {
  it('typed bytes reach the program', () => {
    const machine = busy({ harts: 1 });
    const events = watch(machine);
    machine.run({ moment: 500 });
    machine.apply({ kind: 'console', bytes: new TextEncoder().encode('echo this') });
    machine.run({ moment: 5000 });
    expect(text(events).replaceAll('.', '')).toBe('echo this');
    expect(() => machine.apply({ kind: 'console', bytes: new Uint8Array(5000) })).toThrow(/split the input/);
  });

  it('pokes and faults change exactly what they name', () => {
    const machine = busy();
    machine.run({ moment: 5000 });
    const change = (apply: () => void) => {
      const before = machine.snapshot();
      apply();
      const found = compareStates(before, machine.snapshot(), machine.config);
      machine.restore(before);
      return found.map(({ where, paddr, a, b }) => [where, paddr, a ^ b]);
    };
    expect(change(() => machine.apply({ kind: 'poke', paddr: 0x80100003, bytes: Uint8Array.of(0x80) }))).toEqual([
      ['ram', 0x80100000, 0x80000000n],
    ]);
    expect(
      change(() => machine.apply({ kind: 'fault', fault: { model: 'register', hart: 1, register: 10, bit: 63 } })),
    ).toEqual([['hart1.x10', undefined, 1n << 63n]]);
    const { pc } = machine.hart(0);
    expect(change(() => machine.apply({ kind: 'fault', fault: { model: 'failstop', hart: 0 } }))).toEqual([
      ['hart0.pc', undefined, pc],
    ]);
    expect(
      change(() => machine.apply({ kind: 'fault', fault: { model: 'memory', paddr: 0x80100000, bit: 3 } })),
    ).toEqual([['ram', 0x80100000, 8n]]);
  });

  it('refuses to reach outside RAM', () => {
    const machine = busy();
    for (const paddr of [0x7fffffff, 0x80200000, 0x801fffff, -1, 2 ** 60]) {
      expect(() => machine.apply({ kind: 'poke', paddr, bytes: new Uint8Array(2) })).toThrow(UserError);
    }
    expect(() => machine.hart(2)).toThrow(RangeError);
    expect(() => machine.csr(0, 'nonsense')).toThrow(RangeError);
  });
});

describe('time', () => {
  const quanta = fc.constantFrom<MachineConfig['quantum']>(
    { policy: 'fixed', ticks: 100, seed: 0n },
    { policy: 'jittered', ticks: 64, seed: 7n },
  );
  const sameBytes = (a: Snapshot, b: Snapshot) => {
    expect(compareStates(a, b, { harts: 2 })).toEqual([]);
    expect([a.digest, a.moment, a.ticks]).toEqual([b.digest, b.moment, b.ticks]);
    expect([...a.pages.keys()].sort()).toEqual([...b.pages.keys()].sort());
  };

  it('does not depend on how a run is cut', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 25 });
    fc.assert(
      fc.property(quanta, cuts, (quantum, steps) => {
        const straight = busy({ quantum });
        straight.run({ moment: 20_000 });
        const cut = busy({ quantum });
        for (const [n, step] of steps.entries()) {
          if (n % 2) cut.run({ moment: cut.moment + step });
          else cut.run({ ticks: cut.ticks + step });
        }
        cut.run({ moment: 20_000 });
        sameBytes(cut.snapshot(), straight.snapshot());
      }),
      { numRuns: 20 },
    );
  });

  it('goes on from a snapshot as if it had never stopped, on the same machine or another', () => {
    fc.assert(
      fc.property(quanta, fc.nat(8000), fc.nat(8000), fc.boolean(), (quantum, before, after, other) => {
        const machine = busy({ quantum });
        machine.run({ moment: before });
        machine.apply({ kind: 'console', bytes: Uint8Array.of(0x30, 0x31) });
        const middle = machine.snapshot();
        machine.run({ moment: before + after });
        const end = machine.snapshot();
        const target = other ? busy({ quantum }) : machine;
        target.restore(middle);
        sameBytes(target.snapshot(), middle);
        target.run({ moment: before + after });
        sameBytes(target.snapshot(), end);
      }),
      { numRuns: 20 },
    );
  });

  it('gives back the same snapshot after any walk through snapshots', () => {
    const machine = busy();
    const taken: Snapshot[] = [];
    for (let n = 0; n < 6; n++) {
      taken.push(machine.snapshot());
      machine.run({ moment: machine.moment + 1500 });
    }
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 12 }), fc.nat(300), (walk, run) => {
        for (const n of walk) {
          machine.restore(taken[n]!);
          expect(machine.digest()).toBe(taken[n]!.digest);
          machine.run({ moment: machine.moment + run });
        }
        machine.restore(taken[walk[0]!]!);
        sameBytes(machine.snapshot(), taken[walk[0]!]!);
      }),
      { numRuns: 20 },
    );
  });

  it('shares pages between snapshots that did not change', () => {
    const machine = busy();
    machine.run({ moment: 3000 });
    const first = machine.snapshot();
    expect(machine.snapshot().pages).toBe(first.pages);
    machine.apply({ kind: 'poke', paddr: 0x80180000, bytes: Uint8Array.of(1) });
    const second = machine.snapshot();
    expect(second.pages.size).toBe(first.pages.size + 1);
    for (const [index, page] of first.pages) expect(second.pages.get(index)).toBe(page);
    machine.apply({ kind: 'poke', paddr: 0x80180000, bytes: Uint8Array.of(0) });
    expect(machine.snapshot().pages.has(0x180)).toBe(false);
  });

  it('says which hart executes next, and where, without touching anything', () => {
    const machine = busy({ harts: 2, quantum: { policy: 'jittered', ticks: 80, seed: 3n } });
    machine.run({ moment: 2000 });
    const seen = new Set<number>();
    for (let n = 0; n < 3000; n++) {
      const digest = n % 100 === 0 ? machine.digest() : undefined;
      const { hart, pc } = machine.next();
      if (digest !== undefined) expect(machine.digest()).toBe(digest);
      seen.add(hart);
      const before = [0, 1].map((its) => machine.hart(its).instret);
      const code = machine.readPhysical(Number(pc), 4);
      machine.step();
      const retired = [0, 1].map((its) => machine.hart(its).instret - before[its]!);
      expect(retired).toEqual(hart === 0 ? [1n, 0n] : [0n, 1n]);
      // Branches and returns go elsewhere; everything else goes on behind the foretold pc.
      const straight = !['63', '6f', '73'].includes((code[0]! & 0x7f).toString(16));
      if (straight) expect(machine.hart(hart).pc).toBe(pc + 4n);
    }
    expect(seen.size).toBe(2);
  });

  it('breaks where it is told to, which neither the guest nor the state can see', () => {
    // Adds up its own code, then goes on to `target`, over and over; the sum is in s1 when it passes there.
    const SUMS = `
      loop: la t0, loop
      la t1, end
      li s1, 0
      sum: lw t2, 0(t0)
      add s1, s1, t2
      addi t0, t0, 4
      bltu t0, t1, sum
      target: addi s2, s2, 1
      j loop
      end: nop
    `;
    const machine = createMachine(smallConfig(SUMS));
    machine.run({ ticks: 2000 });
    const start = machine.snapshot();
    const target = [...Array(64).keys()]
      .map((n) => 0x80000000 + 4 * n)
      .find((at) => wordAt(machine, at) === 0x00190913);
    while (Number(machine.hart(0).pc) !== target) machine.step();
    const sum = machine.hart(0).x[9];
    machine.run({ ticks: 3000 });
    const end = machine.digest();

    machine.restore(start);
    machine.breakAt = target;
    expect(machine.breakAt).toBe(target);
    expect(machine.digest()).toBe(start.digest);
    const stop = { kind: 'breakpoint', hart: 0, paddr: target };
    expect(machine.run({ ticks: 3000 })).toEqual(stop);
    expect(machine.hart(0).x[9]).toBe(sum);
    const there = { ticks: machine.ticks, digest: machine.digest() };
    // The same place the next time, and after going back the same time.
    expect(machine.step()).toEqual({ kind: 'moment' });
    expect(machine.run({ ticks: 3000 })).toEqual(stop);
    expect(machine.ticks).toBeGreaterThan(there.ticks);
    machine.restore(start);
    expect(machine.run({ ticks: 3000 })).toEqual(stop);
    expect({ ticks: machine.ticks, digest: machine.digest() }).toEqual(there);

    machine.breakAt = [target! + 4, target!];
    expect(machine.run({})).toEqual(stop);
    expect(machine.run({})).toEqual({ ...stop, paddr: target! + 4 });
    machine.breakAt = undefined;
    expect(machine.run({ ticks: 3000 })).toEqual({ kind: 'ticks' });
    expect(machine.digest()).toBe(end);
  });

  it('breaks nowhere but in RAM', () => {
    const machine = createMachine(smallConfig('j .'));
    for (const at of [0, 0x1000, 0x80000001, 0x80000000 + machine.config.ramBytes])
      expect(() => (machine.breakAt = at)).toThrow(/breakpoint/);
    const tooMany = Array.from({ length: CONSTANTS.MAX_BREAKPOINTS + 1 }, (_, n) => 0x80000000 + 2 * n);
    expect(() => (machine.breakAt = tooMany)).toThrow(/65537 breakpoints/);
    expect(machine.breakAt).toBeUndefined();
  });
});

const wordAt = (machine: Machine, at: number) => {
  const bytes = machine.readPhysical(at, 4).slice();
  return new DataView(bytes.buffer).getUint32(0, true);
};
