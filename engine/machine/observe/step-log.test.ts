/** The log as a whole: that it is complete and the same however it is drained, and that other observers stay right. */
import { describe, expect, it } from 'vitest';
import { createCore, STEP } from '../../core/index.ts';
import { createMachine } from '../machine.ts';
import { BUSY, smallConfig } from '../testing.ts';
import type { Machine, MachineConfig } from '../types.ts';
import { DRIVERS } from '../virtio-guest-testing.ts';
import { Steps } from './steps.ts';
import { recordsOf, toldBy } from './steps-testing.ts';

const DATA = 0x8010_0000;
const imports = { mmioLoad: () => 0, mmioStore: () => 0, deviceTick: () => {} };
const capacity = createCore({ ramBytes: 1 << 20, hartCount: 1, imports }).machineNumber('stepsCapacity');

describe('the log', () => {
  const busy = smallConfig(BUSY, { harts: 2, quantum: { policy: 'jittered', ticks: 64, seed: 3n } });
  const TICKS = 3000;
  const bytesOf = (machine: Machine, go: () => void) => Buffer.concat(recordsOf(machine, go));
  const straight = (config: MachineConfig, ticks: number) => {
    const machine = createMachine(config);
    return bytesOf(machine, () => machine.run({ ticks }));
  };

  it.each([
    ['more instructions than fit at once', 'loop: addi t0, t0, 1\nadd t1, t1, t0\nj loop', 100_000],
    ['instructions with many accesses', `li s0, ${DATA}\nloop: cbo.zero (s0)\nsd t1, 1(s0)\nj loop`, 50_000],
    ['nothing but traps', 'la t0, trap\ncsrw mtvec, t0\nli t1, 1\n.balign 4\ntrap: .word 0', 40_000],
  ])('holds %s, each of them', (_what, source, ticks) => {
    const config = smallConfig(source);
    const machine = createMachine(config);
    const parts = recordsOf(machine, () => machine.run({ ticks }));
    expect(parts.length).toBeGreaterThan(1);
    // Nothing is written behind the log's end.
    for (const part of parts) expect(part.length / STEP.sizeBytes).toBeLessThanOrEqual(capacity);
    const steps = new Steps(parts);
    const at = Array.from({ length: steps.count }, (_, n) => steps.ticks(n));
    // One tick after the other.
    expect([...new Set(at)]).toEqual(Array.from({ length: machine.ticks }, (_, n) => n));
    expect(at).toEqual(at.toSorted((a, b) => a - b));
    const cut = createMachine(config);
    const cutBytes = bytesOf(cut, () => {
      for (let n = 1; n * 997 < ticks + 997; n++) cut.run({ ticks: Math.min(n * 997, ticks) });
    });
    expect(Buffer.concat(parts).equals(cutBytes)).toBe(true);
    const plain = createMachine(config);
    plain.run({ ticks });
    expect(machine.digest()).toBe(plain.digest());
  });

  it('is the same whatever was executed before, on whatever machine', () => {
    const machine = createMachine(busy);
    machine.run({ ticks: 1000 });
    const middle = machine.snapshot();
    const first = bytesOf(machine, () => machine.run({ ticks: TICKS }));
    const other = createMachine(busy);
    other.restore(middle);
    expect(bytesOf(other, () => other.run({ ticks: TICKS })).equals(first)).toBe(true);
    expect(straight(busy, TICKS).subarray(-first.length).equals(first)).toBe(true);
  });

  it('goes on over a restore, from where that leads', () => {
    const machine = createMachine(busy);
    machine.run({ ticks: 1000 });
    const middle = machine.snapshot();
    const twice = bytesOf(machine, () => {
      machine.run({ ticks: 2000 });
      machine.restore(middle);
      machine.run({ ticks: 2000 });
    });
    expect(twice.length).toBeGreaterThan(0);
    expect(twice.subarray(0, twice.length / 2).equals(twice.subarray(twice.length / 2))).toBe(true);
  });

  it('goes to whoever listens, and to nobody when nobody does', () => {
    const machine = createMachine(busy);
    const heard: Buffer[] = [];
    let told = 0;
    for (let ticks = 100; ticks <= TICKS; ticks += 100) {
      // A pause now and then; another listener each time.
      const pauses = ticks % 300 === 0;
      machine.onSteps = pauses
        ? undefined
        : (records) => {
            told++;
            heard.push(Buffer.from(records));
          };
      const before = told;
      machine.run({ ticks });
      expect(told === before).toBe(pauses);
    }
    const all = new Steps([straight(busy, TICKS)]);
    const steps = new Steps(heard);
    const expected = toldBy(all).filter(({ at }) => Math.floor(Number(at.split(' ')[0]) / 100) % 3 !== 2);
    expect(toldBy(steps)).toEqual(expected);
    const plain = createMachine(busy);
    plain.run({ ticks: TICKS });
    expect(machine.digest()).toBe(plain.digest());
  });

  it('says nothing of a look at what comes next', () => {
    const image = { name: 'disk', bytes: new Uint8Array(4 * 512) };
    const virtio = [
      { kind: 'block', slot: 7, image, readOnly: false, serial: '' },
      { kind: 'net', slot: 6, mac: '52:54:00:12:34:56', cable: 'switch' },
    ] as const;
    // Behind what devices do the next instruction is found by running.
    for (const config of [busy, smallConfig(BUSY), smallConfig(DRIVERS, { virtio })]) {
      const machine = createMachine(config);
      const looked = bytesOf(machine, () => {
        for (let ticks = 1; ticks <= TICKS; ticks++) {
          machine.run({ ticks });
          machine.next();
        }
      });
      expect(looked.equals(straight(config, TICKS))).toBe(true);
    }
  });

  it('goes together with breakpoints and watchpoints: neither changes what the other says', () => {
    const config = smallConfig(`
      li s0, ${DATA}
      la t0, handler
      csrw mtvec, t0
    loop:
      addi t0, t0, 1
      sd t0, 8(s0)
      ld t1, 8(s0)
      sd t0, 4(s0)
      ecall
      j loop
      .balign 4
    handler:
      csrr t3, mepc
      addi t3, t3, 4
      csrw mepc, t3
      mret
    `);
    const observed = (machine: Machine) => {
      const stops: string[] = [];
      machine.breakAt = [0x8000_001c, 0x8000_0030];
      machine.breakAtVirtual = [0x8000_0028n];
      machine.watches = [
        { paddr: DATA + 8, bytes: 4, reads: true, writes: true, stops: true },
        { paddr: DATA, bytes: 8, writes: true },
      ];
      machine.onWatchHit = ({ by, ticks, paddr }) => stops.push(`${by} ${ticks} ${paddr}`);
      for (;;) {
        const stop = machine.run({ ticks: 500 });
        if (stop.kind === 'ticks') return stops;
        stops.push(`${stop.kind} ${machine.ticks}`);
      }
    };
    const machine = createMachine(config);
    let stops: string[] = [];
    const bytes = bytesOf(machine, () => {
      stops = observed(machine);
    });
    expect(stops.filter((stop) => stop.startsWith('breakpoint')).length).toBeGreaterThan(50);
    expect(stops.filter((stop) => stop.startsWith('watchpoint')).length).toBeGreaterThan(50);
    expect(stops).toEqual(observed(createMachine(config)));
    expect(bytes.equals(straight(config, 500))).toBe(true);
  });

  it('has the instruction that halts the machine', () => {
    const machine = createMachine(smallConfig('li t0, 0x100000\nli t1, 0x5555\nsw t1, (t0)\nj .'));
    const steps = new Steps(recordsOf(machine, () => expect(machine.run({}).kind).toBe('halted')));
    expect(toldBy(steps).at(-1)!.accesses).toEqual(['device-store 100000+4 5555']);
  });
});
