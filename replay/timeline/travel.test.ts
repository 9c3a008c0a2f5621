import { fc } from '@fast-check/vitest';
import { describe, expect, it, vi } from 'vitest';
import { createMachine } from '../../engine/index.ts';
import { MomentError } from '../base/errors.ts';
import type { PlannedInput } from '../base/types.ts';
import { inputsFromTrace } from '../container/config.ts';
import { DATA, machineOf, rewrite, traceStore, WORK } from '../replay.fixtures.ts';
import { createTracePlayer, openTimeline, Timeline } from './index.ts';

const store = traceStore();
const LAST = 6_000;
const poke = (moment: number, offset: number): PlannedInput => ({
  trigger: { kind: 'moment', moment },
  event: { kind: 'poke', paddr: DATA + offset, bytes: Uint8Array.of(moment & 255) },
});

describe('time travel', async () => {
  const planned = [poke(0, 0x100), poke(1000, 0x108), poke(1000, 0x100), poke(2345, 0), poke(4000, 8)];
  const trace = await store.take({ planned, maxMoment: LAST, checkpointEvery: 1500, digestEvery: 500 });

  /** Digest at each moment, by one walk forward, instruction by instruction. */
  function digests(): bigint[] {
    const machine = createMachine(machineOf(WORK));
    const inputs = [...inputsFromTrace(trace)];
    const found: bigint[] = [];
    for (;;) {
      while (inputs[0]?.ticks === machine.ticks) machine.apply(inputs.shift()!.event);
      found.push(machine.digest());
      if (machine.moment === LAST) return found;
      machine.step();
    }
  }
  const expected = digests();

  it('shows the same state however one came there, and whoever observes', () => {
    const moment = fc.integer({ min: 0, max: LAST });
    const watch = fc.record({
      paddr: fc.nat(0x300).map((offset) => DATA + offset),
      bytes: fc.integer({ min: 1, max: 600 }),
      reads: fc.boolean(),
      writes: fc.boolean(),
      stops: fc.boolean(),
    });
    const instruction = fc.nat(30).map((n) => 0x8000_0000 + 4 * n);
    const observers = fc.record({
      watches: fc.array(watch, { maxLength: 3 }),
      breakAt: fc.array(instruction, { maxLength: 2 }),
      breakAtVirtual: fc.array(instruction.map(BigInt), { maxLength: 2 }),
    });
    const cleared = { watches: [], breakAt: undefined, breakAtVirtual: [] };
    const step = fc.oneof(
      fc.record({ go: fc.constant('observe' as const), who: fc.oneof(observers, fc.constant(cleared)) }),
      fc.record({
        go: fc.constant('seek' as const),
        n: fc.oneof(moment, fc.constantFrom(0, 999, 1000, 1001, 1500, 4000, LAST)),
      }),
      fc.record({ go: fc.constant('forward' as const), n: fc.integer({ min: 1, max: 700 }) }),
      fc.record({
        go: fc.constant('backward' as const),
        n: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 700 })),
      }),
    );
    const travel = openTimeline(trace);
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 16 }), (steps) => {
        for (const its of steps) {
          if (its.go === 'observe') {
            Object.assign(travel.machine, its.who);
            continue;
          }
          const { go, n } = its;
          const before = travel.moment;
          if (go === 'seek') travel.seek(n);
          else if (go === 'forward') travel.stepForward(n);
          else travel.stepBackward(n);
          const to = go === 'seek' ? n : go === 'forward' ? Math.min(LAST, before + n) : Math.max(0, before - n);
          expect(travel.moment).toBe(to);
          expect(travel.machine.digest(), `at ${to}`).toBe(expected[to]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('walks backwards over the whole run, one instruction at a time', () => {
    const travel = openTimeline(trace);
    travel.seek(LAST);
    for (let moment = LAST; moment > LAST - 1200; moment--) {
      expect(travel.machine.digest()).toBe(expected[moment]);
      travel.stepBackward();
    }
  });

  it('finds its way after somebody else moved the machine', () => {
    const travel = openTimeline(trace);
    travel.seek(900);
    travel.machine.run({ moment: 1100 });
    travel.seek(1100);
    expect(travel.machine.digest()).toBe(expected[1100]);
  });

  it('finds its way after somebody else changed the machine where it stands, and said so', () => {
    const travel = openTimeline(trace);
    travel.seek(900);
    travel.machine.apply({ kind: 'poke', paddr: DATA, bytes: Uint8Array.of(0xff) });
    expect(travel.machine.digest()).not.toBe(expected[900]);
    travel.leave();
    travel.seek(900);
    expect(travel.machine.digest()).toBe(expected[900]);
  });

  it('goes on from where it stands, however it came there', () => {
    const travel = openTimeline(trace);
    const restore = vi.spyOn(travel.player, 'restore');
    const ways: (() => void)[] = [
      () => travel.toTicks(3000, 'applied'),
      () => travel.forwardToTicks(3010, 'applied'),
      () => travel.forwardToMoment(travel.moment + 5),
      () => void travel.advance({ moment: travel.moment + 5 }, 'applied'),
      () => travel.toMoment(travel.moment + 5),
    ];
    for (const way of ways) {
      way();
      restore.mockClear();
      travel.toTicks(travel.ticks + 3, 'applied');
      expect(restore).not.toHaveBeenCalled();
    }
  });

  it('leaves snapshots on its way, the closer to where it goes the more', () => {
    const unreachable = (where: string) => new Error(where);
    const timeline = new Timeline(createTracePlayer(trace), { starts: [], unreachable });
    timeline.toMoment(5000);
    const { ticks } = timeline.machine;
    for (const back of [4000, 2000, 1000]) {
      const known = timeline.knownBefore({ ticks: ticks - back, here: 'applied' });
      expect(ticks - known!.ticks, `${back} back`).toBeLessThanOrEqual(2 * back);
    }
  });

  it('takes no snapshot where none are to be left behind', () => {
    const [player, unreachable] = [createTracePlayer(trace), (where: string) => new Error(where)];
    const timeline = new Timeline(player, { starts: [], leavesSnapshots: false, unreachable });
    const snapshot = vi.spyOn(timeline.machine, 'snapshot');
    timeline.toMoment(5000);
    timeline.toTicks(2000, 'applied');
    timeline.keepPresent();
    timeline.toMoment(1000);
    expect(timeline.machine.digest()).toBe(expected[1000]);
    expect(snapshot).not.toHaveBeenCalled();
  });

  it('shows the moment of an input before it, too, and comes back', () => {
    const travel = openTimeline(trace);
    const word = () => travel.machine.readPhysical(DATA, 1)[0];
    travel.seek(2345);
    const after = word();
    travel.seek(2345, 'pending');
    expect([travel.moment, word() === after]).toEqual([2345, false]);
    expect(travel.machine.digest()).not.toBe(expected[2345]);
    travel.seek(2345);
    expect(travel.machine.digest()).toBe(expected[2345]);
  });

  it('knows its ends', () => {
    const travel = openTimeline(trace);
    expect(travel.moment).toBe(0);
    travel.stepBackward();
    expect(travel.moment).toBe(0);
    travel.stepForward(10 ** 9);
    expect(travel.moment).toBe(LAST);
    expect(travel.last).toEqual({ moment: LAST, ticks: trace.end!.ticks });
    for (const moment of [LAST + 1, -1, 0.5, Number.NaN]) expect(() => travel.seek(moment)).toThrow(MomentError);
    expect(() => travel.seek(LAST + 1)).toThrow(/moment 6001: .* has moments 0 to 6000$/);
  });

  it('shows the console as of the present', () => {
    const travel = openTimeline(trace);
    expect(travel.consoleLines()).toEqual([]);
    travel.seek(LAST);
    const all = travel.consoleLines();
    expect(all.slice(0, 1)).toMatchObject([{ text: 'B' }]);
    const [first] = all;
    travel.seek(first!.moment);
    expect(travel.consoleLines()).toEqual([first]);
    travel.stepBackward();
    expect(travel.consoleLines()).toEqual([]);
  });

  it('refuses a trace that does not replay', () => {
    const inputs = trace.inputs.map((input) => (input.moment === 2345 ? { ...input, moment: 2346 } : input));
    const bad = openTimeline(rewrite(trace, store.path(), { inputs }));
    bad.seek(2000);
    expect(() => bad.seek(2400)).toThrow(
      /does not replay: on the way to moment 2400 the run parts from the recording at moment 2345; 'dejavm verify'/,
    );
  });
});
