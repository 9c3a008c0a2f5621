import { existsSync, statSync } from 'node:fs';
import { fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { createMachine, type MachineConfig, UserError } from '../../engine/index.ts';
import { openTrace, TraceWriteError } from '../../traces/index.ts';
import type { PlannedInput } from '../base/types.ts';
import { DATA, ECHO, HYPERVISOR, machineOf, traceStore, WORK } from '../replay.fixtures.ts';
import { replayTrace } from '../verify/verify.ts';
import { record } from './record.ts';
import { findExecution, findInstruction, staysUntil } from './trigger.ts';

const store = traceStore();
const text = (bytes: Iterable<{ byte: number }>) => String.fromCharCode(...Array.from(bytes, ({ byte }) => byte));
const typed = (moment: number, what: string): PlannedInput => ({
  trigger: { kind: 'moment', moment },
  event: { kind: 'console', bytes: new TextEncoder().encode(what) },
});

const MAX = 8_000;
const moments = fc.integer({ min: 0, max: MAX + 500 });
const inputs: fc.Arbitrary<PlannedInput> = fc.record({
  trigger: fc.record({ kind: fc.constant('moment' as const), moment: moments }),
  event: fc.oneof(
    fc.record({
      kind: fc.constant('poke' as const),
      paddr: fc.nat({ max: 0x2000 }).map((offset) => DATA + offset),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }),
    }),
    fc.record({ kind: fc.constant('console' as const), bytes: fc.uint8Array({ maxLength: 5 }) }),
    fc.record({
      kind: fc.constant('fault' as const),
      fault: fc.record({
        model: fc.constant('register' as const),
        hart: fc.constantFrom(-1, 0),
        register: fc.integer({ min: 1, max: 32 }),
        bit: fc.nat(63),
      }),
    }),
  ),
});
const quanta = fc.record({
  policy: fc.constantFrom('fixed' as const, 'jittered' as const),
  ticks: fc.constantFrom(64, 300, 1000),
  seed: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
});

describe('record', () => {
  it('makes traces that replay, from the start and from each checkpoint', async () => {
    const runs = fc.record({
      harts: fc.constantFrom(1, 2, 4),
      quantum: quanta,
      planned: fc.array(inputs, { maxLength: 4 }),
      digestEvery: fc.integer({ min: 50, max: 3000 }),
      checkpointEvery: fc.integer({ min: 500, max: 9000 }),
    });
    await fc.assert(
      fc.asyncProperty(runs, async ({ harts, quantum, ...options }) => {
        const trace = await store.take({ ...options, config: machineOf(WORK, { harts, quantum }), maxMoment: MAX });
        expect(trace.damage).toBeUndefined();
        // A fault may send every hart into trap after trap, so that nothing retires any more.
        if (trace.end!.reason !== 'moment') expect(trace.end!.reason).toMatch(/^halted fail/);
        const whole = replayTrace(trace);
        expect(whole).toMatchObject({ ok: true, end: { moment: trace.end!.moment, ticks: trace.end!.ticks } });
        expect(whole.digestsCompared).toBe(trace.digests.length + trace.checkpoints.length + 1);
        for (const n of trace.checkpoints.keys()) expect(replayTrace(trace, { fromCheckpoint: n }).ok).toBe(true);
      }),
      { numRuns: 8 },
    );
  });

  it('writes digests and checkpoints where they are due, console and notes as they come', async () => {
    const trace = await store.take({});
    expect(trace.digests.map(({ moment }) => moment)).toEqual(Array.from({ length: 20 }, (_, n) => 1000 * (n + 1)));
    expect(trace.checkpoints.map(({ moment }) => moment)).toEqual([0, 4000, 8000, 12000, 16000, 20000]);
    expect(text(trace.console)).toMatch(/^B\nC\nD\n/);
    expect(trace.notes.slice(0, 2)).toMatchObject([
      { hart: 0, code: 0x1003, arg: 66 },
      { hart: 0, code: 0x1003, arg: 67 },
    ]);
    const machine = createMachine(machineOf(WORK));
    machine.run({ moment: 5000 });
    expect(trace.digests.at(4)).toEqual({ moment: 5000, ticks: machine.ticks, digest: machine.digest() });
    expect(trace.end).toMatchObject({ moment: 20_000, reason: 'moment' });
  });

  it('lets a file have each eighth digest and each checkpoint at once', async () => {
    const path = store.path();
    const options = { config: machineOf(WORK), planned: [], maxMoment: 2900, digestEvery: 100, checkpointEvery: 1000 };
    let bytes = 0;
    const grownAt: number[] = [];
    const onProgress = (moment: number) => {
      const { size } = statSync(path);
      if (size > bytes) grownAt.push(moment);
      bytes = size;
    };
    await record({ ...options, path, commandLine: [], onProgress });
    // A checkpoint is taken behind the digest of its position, and seen at the next one.
    expect(grownAt).toEqual([100, 800, 1100, 1800, 2100, 2800]);
  });

  it('resolves whom a fault hits, and says which inputs were never due', async () => {
    const fault: PlannedInput = {
      trigger: { kind: 'moment', moment: 777 },
      event: { kind: 'fault', fault: { model: 'register', hart: -1, register: 10, bit: 3 } },
    };
    const late = typed(99_999, 'x');
    const path = store.path();
    const options = {
      config: machineOf(WORK),
      maxMoment: 2000,
      digestEvery: 100,
      checkpointEvery: 1000,
      commandLine: [],
    };
    const result = await record({ ...options, path, planned: [late, fault] });
    expect(result.notReached).toEqual([late]);
    const reference = createMachine(machineOf(WORK));
    reference.run({ moment: 777 });
    const { hart } = reference.next();
    expect([...openTrace(path).inputs]).toEqual([
      {
        moment: 777,
        ticks: reference.ticks,
        kind: 'fault',
        data: { fault: { model: 'register', hart, register: 10, bit: 3 } },
      },
    ]);
  });

  it('wakes an idle machine with the next typed input, however late it was planned', async () => {
    const path = store.path();
    const options = {
      config: machineOf(ECHO),
      maxMoment: 10 ** 9,
      digestEvery: 100,
      checkpointEvery: 1000,
      commandLine: [],
    };
    const result = await record({ ...options, path, planned: [typed(10 ** 8, 'q'), typed(10 ** 7, 'abc')] });
    expect(result).toMatchObject({ stop: { kind: 'halted', status: 'pass' }, notReached: [] });
    const halted = openTrace(path);
    expect(text(halted.console)).toBe('>abcq');
    expect(replayTrace(halted).ok).toBe(true);
    const idle = await record({ ...options, path, planned: [typed(10 ** 7, 'abc')] });
    expect(idle.stop).toEqual({ kind: 'idle' });
    const asleep = openTrace(path);
    expect(text(asleep.console)).toBe('>abc');
    expect(asleep.end?.reason).toBe('idle');
    expect(replayTrace(asleep).ok).toBe(true);
  });
});

describe('a live console', () => {
  it('becomes inputs with exact positions', async () => {
    const script = [undefined, undefined, 'hello ', undefined, new Array(100).fill('w').join(''), 'q'];
    let polls = 0;
    const trace = await store.take({
      config: machineOf(ECHO),
      maxMoment: 10 ** 9,
      pollConsole: () => {
        const what = script[polls++];
        return what === undefined ? undefined : new TextEncoder().encode(what);
      },
    });
    expect(text(trace.console)).toBe(`>hello ${'w'.repeat(100)}q`);
    expect(trace.inputs).toHaveLength(3);
    expect(trace.end?.reason).toBe('halted pass 0');
    expect(replayTrace(trace).ok).toBe(true);
  });

  it('that closes lets an idle machine end', async () => {
    let polls = 0;
    const trace = await store.take({
      config: machineOf(ECHO),
      maxMoment: 10 ** 9,
      pollConsole: () => (polls++ < 3 ? undefined : 'closed'),
    });
    expect(trace.end?.reason).toBe('idle');
    expect(polls).toBe(4);
  });

  it('nobody types at, and a stop nobody requests, change nothing', async () => {
    const long = { maxMoment: 400_000, digestEvery: 30_000, checkpointEvery: 100_000 };
    const closed = await store.take(long);
    let asked = 0;
    const live = await store.take({ ...long, pollConsole: () => new Uint8Array(), stopRequested: () => ++asked === 0 });
    expect(asked).toBeGreaterThan(5);
    expect(live.digests).toEqual(closed.digests);
    expect(live.end).toEqual(closed.end);
  });

  it('stops where it is asked to, in good order', async () => {
    let asked = 0;
    const trace = await store.take({ maxMoment: 10 ** 9, digestEvery: 30_000, stopRequested: () => ++asked > 3 });
    expect(trace.end?.reason).toBe('stopped');
    expect(trace.damage).toBeUndefined();
    expect(trace.last.moment).toBeGreaterThan(100_000);
    expect(replayTrace(trace).ok).toBe(true);
  });
});

describe('what cannot be recorded', () => {
  const options = {
    config: machineOf(WORK),
    maxMoment: 2000,
    digestEvery: 100,
    checkpointEvery: 1000,
    commandLine: [],
  };

  it('a full disk', async () => {
    await expect(record({ ...options, planned: [], path: '/dev/full' })).rejects.toThrow(TraceWriteError);
  });

  it.each<[string, PlannedInput['event'], RegExp]>([
    ['a poke outside RAM', { kind: 'poke', paddr: 0x10, bytes: Uint8Array.of(1) }, /0x10 cannot be written: RAM is/],
    ['a fault on a hart', { kind: 'fault', fault: { model: 'failstop', hart: 7 } }, /fault on hart 7: the machine has/],
    ['a fault outside RAM', { kind: 'fault', fault: { model: 'memory', paddr: 16, bit: 1 } }, /no RAM at this/],
    ['a frame', { kind: 'net', slot: 3, bytes: new Uint8Array(60) }, /no network device/],
  ])('%s that the machine cannot take, whenever it is planned: nothing is written', async (_what, event, why) => {
    const path = store.path();
    const planned: PlannedInput[] = [{ trigger: { kind: 'moment', moment: 1234 }, event }];
    await expect(record({ ...options, planned, path })).rejects.toThrow(UserError);
    await expect(record({ ...options, planned, path })).rejects.toThrow(why);
    expect(existsSync(path)).toBe(false);
    await record({ ...options, planned: [], path });
    await expect(record({ ...options, planned, path })).rejects.toThrow(why);
    expect(openTrace(path).end).toBeDefined();
  });

  it('a frame from a live network for a slot without one: what came before it stays readable', async () => {
    const path = store.path();
    const machine: { moment: number } = { moment: 0 };
    const network = {
      next: () => (machine.moment > 60_000 ? { slot: 3, bytes: new Uint8Array(60) } : undefined),
      send: () => {},
    };
    const live = { ...options, maxMoment: 400_000, digestEvery: 10_000, checkpointEvery: 50_000, planned: [], network };
    const onProgress = (moment: number) => {
      machine.moment = moment;
    };
    await expect(record({ ...live, path, onProgress })).rejects.toThrow(UserError);
    const trace = openTrace(path);
    expect(trace).toMatchObject({ inputs: { length: 0 }, end: undefined });
    expect(trace.last.moment).toBeGreaterThan(60_000);
    expect(replayTrace(trace).ok).toBe(true);
  });

  it('at intervals or triggers that make no sense', async () => {
    const path = store.path();
    const poke = { kind: 'poke', paddr: DATA, bytes: Uint8Array.of(1) } as const;
    const never: PlannedInput = { trigger: { kind: 'hypervisor', after: 1, k: 0 }, event: poke };
    for (const change of [{ digestEvery: 0 }, { checkpointEvery: Number.POSITIVE_INFINITY }, { planned: [never] }]) {
      await expect(record({ ...options, planned: [], path, ...change })).rejects.toThrow(UserError);
    }
    expect(existsSync(path)).toBe(false);
  });

  it('an unusable image: a trace of that name survives', async () => {
    const path = store.path();
    await record({ ...options, planned: [], path });
    const config = { ...machineOf(WORK), bios: { name: 'x', bytes: new Uint8Array() } };
    await expect(record({ ...options, config, planned: [], path })).rejects.toThrow(UserError);
    expect(openTrace(path).end).toBeDefined();
  });
});

describe('the k-th hypervisor instruction', () => {
  /**
   * Each HS-mode instruction after `from`: ticks right before it, and its hart; by watching every tick of every hart.
   */
  function everyHypervisorInstruction(config: MachineConfig, from: number, until: number) {
    const machine = createMachine(config);
    machine.run({ moment: from });
    const found: { ticks: number; hart: number }[] = [];
    const look = () => Array.from({ length: config.harts }, (_, n) => machine.hart(n));
    for (let before = look(); machine.moment < until; ) {
      const { ticks } = machine;
      machine.run({ ticks: ticks + 1 });
      const now = look();
      const hart = now.findIndex(({ instret }, n) => instret !== before[n]!.instret);
      if (hart >= 0 && before[hart]!.mode === 'HS') found.push({ ticks, hart });
      before = now;
    }
    return found;
  }

  it('is found as by watching every single instruction', () => {
    const cases = fc.record({
      harts: fc.constantFrom(2, 3),
      quantum: quanta,
      from: fc.nat({ max: 3000 }),
      ks: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
    });
    fc.assert(
      fc.property(cases, ({ harts, quantum, from, ks }) => {
        const config = machineOf(HYPERVISOR, { harts, quantum });
        const until = 12_000;
        const all = everyHypervisorInstruction(config, from, until);
        // Traps of one hart, and harts that wake without any.
        expect(new Set(all.map(({ hart }) => hart)).size).toBe(harts);
        const machine = createMachine(config);
        machine.run({ moment: from });
        const [digest, observer] = [machine.digest(), () => {}];
        machine.onEvent = observer;
        for (const k of [...ks, all.length, all.length + 1]) {
          const found = findInstruction(machine, 'hypervisor', k, { moment: until });
          const executed = Math.min(k - 1, all.length);
          expect(found).toEqual({ ticks: all[k - 1]?.ticks, executed });
          expect(machine.digest()).toBe(digest);
        }
        expect(machine.onEvent).toBe(observer);
      }),
      { numRuns: 5 },
    );
  });

  it('a place: its n-th execution is found as by watching every single instruction', () => {
    const from = 700;
    const until = { ticks: 9000 };
    for (const harts of [1, 2]) {
      const config = machineOf(HYPERVISOR, { harts });
      const watched = everyHypervisorInstruction(config, from, 12_000).filter(({ ticks }) => ticks < until.ticks);
      const machine = createMachine(config);
      const pcs = watched.map(({ ticks, hart }) => {
        machine.run({ ticks });
        return Number(machine.hart(hart).pc);
      });
      const again = createMachine(config);
      again.run({ moment: from });
      const digest = again.digest();
      // A handler's first instruction follows a trap, not an instruction; waiters execute theirs without any
      // transition.
      for (const place of new Set(pcs)) {
        const all = watched.filter((_, n) => pcs[n] === place).map(({ ticks }) => ticks);
        for (const n of [1, 2, all.length, all.length + 1]) {
          const found = findExecution(again, { paddr: place }, n, until);
          expect(found).toEqual({ ticks: all[n - 1], executed: Math.min(n - 1, all.length) });
          expect(again.digest()).toBe(digest);
        }
      }
    }
  });

  it.each([
    ['before RAM', 0x7fff_fffe],
    ['behind RAM', 0x8040_0000],
    ['at an odd address', 0x8000_0001],
  ])('a place %s is none', (_, paddr) => {
    const machine = createMachine(machineOf(HYPERVISOR));
    expect(() => findExecution(machine, { paddr }, 1, { ticks: 10 })).toThrow(UserError);
    expect(findExecution(machine, { paddr: 0x8040_0000 - 2 }, 1, { ticks: 10 }).ticks).toBeUndefined();
  });

  it('whether another instruction retires before a virtual time is known beforehand', () => {
    const [machine, scout] = [0, 1].map(() => createMachine(machineOf(WORK, { harts: 1 })));
    // To right before the first trap: a tick in which nothing retires.
    for (let moment = -1; scout!.moment > moment; scout!.run({ ticks: scout!.ticks + 1 })) ({ moment } = scout!);
    const trap = scout!.ticks - 1;
    machine!.run({ ticks: trap });
    const digest = machine!.digest();
    expect([trap, trap + 1, trap + 2].map((ticks) => staysUntil(machine!, ticks))).toEqual([true, true, false]);
    expect(machine!.digest()).toBe(digest);
  });

  it('is hit by the recorder over any number of digests, next to other inputs', async () => {
    const config = machineOf(HYPERVISOR);
    const all = everyHypervisorInstruction(config, 2500, 20_000);
    const hit = (k: number): PlannedInput => ({
      trigger: { kind: 'hypervisor', after: 2500, k },
      event: { kind: 'poke', paddr: DATA + k, bytes: Uint8Array.of(1) },
    });
    const between = typed(9000, 'x');
    const trace = await store.take({
      config,
      planned: [hit(15), between, hit(7), hit(7), hit(10_000)],
      maxMoment: 20_000,
    });
    const [first, second, third] = [all[6]!.ticks, all[6]!.ticks, all[14]!.ticks];
    const faults = trace.inputs.filter(({ kind }) => kind === 'poke');
    expect(faults.map(({ ticks }) => ticks)).toEqual([first, second, third]);
    expect(trace.inputs).toHaveLength(4);
    // Not on one stretch between two digests, and with the console input in between.
    expect(third - first).toBeGreaterThan(2000);
    expect(trace.inputs.findIndex(({ kind }) => kind === 'console')).toBe(2);
    expect(replayTrace(trace).ok).toBe(true);
  });

  it('is hit also where something else is due right behind it', async () => {
    const config = machineOf(HYPERVISOR);
    const { ticks } = everyHypervisorInstruction(config, 2500, 20_000)[6]!;
    const event = { kind: 'poke', paddr: DATA, bytes: Uint8Array.of(1) } as const;
    const planned: PlannedInput[] = [
      { trigger: { kind: 'hypervisor', after: 2500, k: 7 }, event },
      { trigger: { kind: 'ticks', ticks: ticks + 1 }, event },
    ];
    const trace = await store.take({ config, planned, maxMoment: 20_000 });
    expect(trace.inputs.map((input) => input.ticks)).toEqual([ticks, ticks + 1]);
  });
});
