/** How a run is cut into calls of `run` must not be observable: the heart of exact stops, replay and reverse. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CONSTANTS, offsetOf, WATCH } from './layout/index.ts';
import { Bed, RAM } from './testbed.ts';

const { STOP_EVENTS_FULL, STOP_COUNT, STOP_MOMENT, STOP_TICKS } = CONSTANTS;

/**
 * Every hart: timer interrupts from mtimecmp (re-armed relative to time), software interrupts sent to the next hart,
 * WFI, locked counters, page-crossing stores and traps into a handler that counts.
 */
const PROGRAM = `
  csrr s0, mhartid
  la t0, handler
  csrw mtvec, t0
  li s1, 0x80010000
  slli t0, s0, 8
  add s2, s1, t0        # private area
  li s3, 0x10000000     # device
  li t0, 0x888
  csrw mie, t0
  csrwi mstatus, 8
loop:
  addi s4, s4, 1
  ecall
  sd s4, 0(s2)
again:
  lr.d t1, (s1)         # shared counter
  addi t1, t1, 1
  sc.d t2, t1, (s1)
  bnez t2, again
  csrr t3, time
  csrr t4, instret
  csrr t5, cycle
  xor s5, s5, t3
  xor s5, s5, t4
  xor s5, s5, t5
  andi t6, s4, 7
  bnez t6, loop
  sd s4, 0(s3)          # MMIO
  andi t6, s4, 31
  bnez t6, loop
  wfi
  j loop
.balign 4
handler:
  csrr a0, mcause
  bltz a0, interrupt
  csrr a1, mepc
  addi a1, a1, 4
  csrw mepc, a1
  addi s6, s6, 1
  mret
interrupt:
  addi s7, s7, 1
  csrr a1, time
  xor s8, s8, a1
  addi a1, a1, 3
  sd a1, 8(s3)          # the device moves the timer
  mret
`;

function machine(harts: number, quantum: bigint, jitter: boolean, seed: bigint, program = PROGRAM): Bed {
  const bed = new Bed({ harts });
  bed.program(program);
  const memory = bed.registers;
  // Register 8 of the device is mtimecmp of the hart whose turn it is.
  memory.set = (paddr, value) => {
    if (paddr === 0x10000008) bed.core.setHart(Number(bed.core.machine('currentHart')), 'mtimecmp', value);
    return Map.prototype.set.call(memory, paddr, value) as typeof memory;
  };
  bed.onDeadline = () => {
    // A line of some hart goes up or down.
    const ticks = bed.core.machine('ticks');
    const hart = Number(ticks % BigInt(harts));
    bed.core.setHart(hart, 'lines', bed.core.hart(hart, 'lines') ^ 8n);
    bed.core.setMachine('deviceDeadline', ticks + 777n);
  };
  for (let n = 0; n < harts; n++) {
    bed.enter('M', RAM, n);
    bed.core.setHart(n, 'mtimecmp', BigInt(10 + 7 * n));
  }
  bed.core.setMachine('deviceDeadline', 500n);
  bed.core.setMachine('quantumTicks', quantum);
  bed.core.setMachine('quantumJitter', jitter ? 1n : 0n);
  bed.core.setMachine('scheduleRng', seed);
  return bed;
}

const settings = fc.record({
  harts: fc.integer({ min: 1, max: 4 }),
  quantum: fc.bigInt({ min: 64n, max: 2000n }),
  jitter: fc.boolean(),
  seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
});

test('any cuts by ticks, with caches dropped or not, give the same saved bytes', () => {
  const cut = fc.record({ ticks: fc.integer({ min: 0, max: 400 }), forget: fc.boolean() });
  fc.assert(
    fc.property(
      settings,
      fc.array(cut, { minLength: 1, maxLength: 120, size: 'max' }),
      ({ harts, quantum, jitter, seed }, cuts) => {
        const whole = machine(harts, quantum, jitter, seed);
        const parts = machine(harts, quantum, jitter, seed);
        for (const { ticks, forget } of cuts) {
          parts.run(ticks);
          if (forget) parts.core.arch.flushDerived();
        }
        whole.run(Number(parts.core.machine('ticks')));
        expect(parts.core.machine('moment')).toBe(whole.core.machine('moment'));
        expect(Buffer.compare(parts.state(), whole.state())).toBe(0);
      },
    ),
    { numRuns: 35 },
  );
});

test('stepping by moments reaches the state that one run to the moment reaches', () => {
  fc.assert(
    fc.property(settings, fc.integer({ min: 1, max: 3000 }), ({ harts, quantum, jitter, seed }, moment) => {
      const whole = machine(harts, quantum, jitter, seed);
      const steps = machine(harts, quantum, jitter, seed);
      for (const bed of [whole, steps]) bed.core.setMachine('stopTicks', -1n);
      whole.core.setMachine('stopMoment', BigInt(moment));
      expect(whole.core.arch.run()).toBe(STOP_MOMENT);
      for (let m = 1; m <= moment; m++) {
        steps.core.setMachine('stopMoment', BigInt(m));
        expect(steps.core.arch.run()).toBe(STOP_MOMENT);
      }
      expect(steps.core.machine('ticks')).toBe(whole.core.machine('ticks'));
      expect(Buffer.compare(steps.state(), whole.state())).toBe(0);
    }),
    { numRuns: 25 },
  );
});

test('what is said to be next comes next, and asking changes nothing', () => {
  // Every instruction retires: one that traps would be said to be next, and its handler's first would come next.
  const program = PROGRAM.replace('ecall', 'nop');
  fc.assert(
    fc.property(settings, fc.boolean(), ({ harts, quantum, jitter, seed }, observed) => {
      const bed = machine(harts, quantum, jitter, seed, program);
      const { core } = bed;
      const plain = machine(harts, quantum, jitter, seed, program);
      let acted = 0;
      const act = bed.onDeadline;
      bed.onDeadline = () => {
        acted++;
        act();
      };
      if (observed) core.setMachine('eventsEnabled', 3n);
      const asides = () =>
        ['eventsEnabled', 'eventsCount', 'stopTicks', 'stopRequest', 'workTicks', 'hypervisorCount'].map((name) =>
          core.machine(name),
        );
      for (const its of [bed, plain]) its.core.setMachine('deviceDeadline', 100n);
      const met = { hart: 0, devices: 0 };
      for (let n = 0; n < 250; n++) {
        const [state, aside] = [bed.savedBytes(), asides()];
        const said = core.arch.peekNext() >>> 0;
        const saidPc = core.machine('mmioData');
        expect(Buffer.compare(bed.savedBytes(), state)).toBe(0);
        expect(asides()).toEqual(aside);
        const moment = core.machine('moment');
        let pcs: bigint[] = [];
        acted = 0;
        while (core.machine('moment') === moment) {
          pcs = Array.from({ length: harts }, (_, hart) => bed.pc(hart));
          bed.run(1);
          core.setMachine('eventsCount', 0n);
        }
        if (said === CONSTANTS.NO_HART) {
          expect(acted).toBeGreaterThan(0);
          met.devices++;
        } else {
          const hart = core.machineNumber('currentHart');
          expect([n, said, saidPc, acted]).toEqual([n, hart, pcs[hart], 0]);
          met.hart++;
        }
      }
      plain.run(core.machineNumber('ticks'));
      expect(Buffer.compare(bed.state(), plain.state())).toBe(0);
      expect(met.hart).toBeGreaterThan(200);
      expect(met.devices).toBeGreaterThan(0);
    }),
    { numRuns: 12 },
  );
});

test('of a halted machine, the hart whose turn it is or comes next is said to be next, where it stands', () => {
  const bed = machine(2, 64n, false, 0n);
  bed.run(10);
  bed.core.setMachine('haltCode', 1n);
  bed.core.setHart(0, 'mtimecmp', 0n);
  expect([bed.core.arch.peekNext(), bed.core.machine('mmioData')]).toEqual([0, bed.pc(0)]);
  bed.core.setMachine('turnLeft', 0n);
  expect([bed.core.arch.peekNext(), bed.core.machine('mmioData')]).toEqual([1, bed.pc(1)]);
});

test('observing transitions changes nothing, and loses none', () => {
  const plain = machine(2, 100n, true, 1n);
  const observed = machine(2, 100n, true, 1n);
  observed.core.setMachine('eventsEnabled', 3n);
  let events = 0;
  let stop = 0;
  do {
    observed.core.setMachine('stopMoment', -1n);
    observed.core.setMachine('stopTicks', 200_000n);
    stop = observed.core.arch.run();
    events += observed.core.machineNumber('eventsCount');
    observed.core.setMachine('eventsCount', 0n);
  } while (stop === CONSTANTS.STOP_EVENTS_FULL);
  expect(stop).toBe(STOP_TICKS);
  plain.run(200_000);
  expect(Buffer.compare(observed.state(), plain.state())).toBe(0);
  // Each trap was counted by the handler, and all but the last few returned.
  const traps = [0, 1].map((n) => observed.x('s6', n) + observed.x('s7', n)).reduce((a, b) => a + b);
  expect(Math.abs(events - 2 * Number(traps))).toBeLessThanOrEqual(4);
  expect(events).toBeGreaterThan(4096);
});

test('however long a turn is, a run stops while the record of accesses has room', () => {
  const bed = new Bed();
  const { core } = bed;
  bed.program('again: sd a0, 0(s0)\nsd a0, 8(s0)\nj again');
  bed.setX('s0', RAM + 0x2000n);
  bed.enter('M', RAM);
  core.setMachine('quantumTicks', 1_000_000n);
  const from = core.machineNumber('ramHost') + 0x2000;
  const watch = new DataView(core.memory.buffer, core.machineNumber('watchesHost'));
  for (const [name, value] of Object.entries({ from, to: from + 16, kinds: CONSTANTS.WATCH_WRITES }))
    watch.setUint32(offsetOf(WATCH, name), value, true);
  core.arch.setWatches(1);
  const capacity = core.machineNumber('accessesCapacity');
  for (let n = 0; n < 3; n++) {
    expect(bed.run(100_000)).toBe(STOP_EVENTS_FULL);
    expect(core.machineNumber('accessesCount')).toBeGreaterThan(capacity / 2);
    expect(core.machineNumber('accessesCount')).toBeLessThan(capacity);
    core.setMachine('accessesCount', 0n);
  }
});

test('each tick in which a hart or the devices do something is work, and no other', () => {
  const bed = machine(3, 100n, true, 7n);
  const { core } = bed;
  const act = bed.onDeadline;
  let acted = 0n;
  bed.onDeadline = () => {
    acted++;
    act();
  };
  bed.run(20_000);
  const ofHarts = [0, 1, 2].reduce((sum, n) => sum + core.hart(n, 'workTicks'), 0n);
  expect(acted).toBeGreaterThan(10n);
  expect(core.machine('workTicks')).toBe(ofHarts + acted);
  const busy = machine(3, 100n, true, 7n, PROGRAM.replace('wfi', 'nop'));
  busy.run(20_000);
  expect(busy.core.machine('workTicks')).toBe(busy.core.machine('ticks'));
});

test.each([
  ['HS', CONSTANTS.COUNTS_HS],
  ['M', CONSTANTS.COUNTS_M],
  ['HS or M', CONSTANTS.COUNTS_HS | CONSTANTS.COUNTS_M],
])('instructions of %s-mode are counted, however the run is cut, and a run stops at a count', (modes, counted) => {
  const HANDLER = RAM + 0x800n;
  const start = () => {
    const bed = new Bed({ harts: 2 });
    bed.program('csrr t0, mepc\naddi t0, t0, 4\ncsrw mepc, t0\nmret', HANDLER);
    bed.program('again: addi a0, a0, 1\naddi a0, a0, 1\necall\naddi a1, a1, 1\nj again');
    for (const n of [0, 1]) {
      bed.openPmp(n);
      bed.setCsr('mtvec', HANDLER, n);
      bed.enter('HS', RAM, n);
    }
    bed.core.setMachine('quantumTicks', 64n);
    return bed;
  };
  const retired = (core: Bed['core']) =>
    (counted & CONSTANTS.COUNTS_HS ? core.machine('hypervisorCount') : 0n) +
    (counted & CONSTANTS.COUNTS_M ? core.machine('machineCount') : 0n);
  const judge = start();
  /** The count at each tick, found step by step. */
  const counts = [0n];
  while (counts.length < 800) {
    const moment = judge.core.machine('moment');
    const isCounted = modes.split(' or ').includes(judge.mode(judge.core.arch.peekNext()));
    judge.run(1);
    counts.push(counts.at(-1)! + (isCounted ? judge.core.machine('moment') - moment : 0n));
  }
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 15, size: 'max' });
  fc.assert(
    fc.property(cuts, fc.bigInt(1n, 40n), (lengths, more) => {
      const bed = start();
      const { core } = bed;
      for (const length of lengths) {
        bed.run(length);
        expect(retired(core)).toBe(counts[core.machineNumber('ticks')]);
      }
      const count = retired(core) + more;
      core.setMachine('countedModes', BigInt(counted));
      core.setMachine('stopCount', count);
      expect(bed.run(1000)).toBe(STOP_COUNT);
      expect(core.machineNumber('ticks')).toBe(counts.indexOf(count));
    }),
    { numRuns: 10 },
  );
});

test.each([
  [3n, [1, 2, 3, 4]],
  [4n, [2, 3, 4, 5, 6]],
  [5n, [2, 3, 4, 5, 6, 7]],
])('a jittered turn of mean %d has any length between half and one and a half of it', (mean, expected) => {
  const bed = new Bed();
  bed.program('j .');
  bed.core.setMachine('quantumTicks', mean);
  bed.core.setMachine('quantumJitter', 1n);
  bed.core.setMachine('scheduleRng', 42n);
  bed.enter('M', RAM);
  const lengths = new Set<number>();
  for (let n = 0; n < 300; n++) {
    bed.run(1);
    lengths.add(bed.core.machineNumber('turnLeft') + 1);
    bed.run(bed.core.machineNumber('turnLeft'));
  }
  expect([...lengths].sort()).toEqual(expected);
});
