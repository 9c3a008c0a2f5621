/** Searches against a judge that executes a run tick by tick and writes down what happens in each. */
import { fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { assemble, type MachineEvent, RAM_BASE } from '../../engine/index.ts';
import { HYPERVISOR, machineOf, traceStore, WORK } from '../replay.fixtures.ts';
import { createTracePlayer, openTimeline } from '../timeline/index.ts';
import {
  anyOf,
  type BreakpointHit,
  breakpointObserver,
  finish,
  finishInTurns,
  type Hit,
  observe,
  searchBackward,
  searchForward,
  searchWindow,
  transitionObserver,
  windowsBefore,
} from './index.ts';

const store = traceStore();
const LAST = 3_000;
const poke = (moment: number) => ({
  trigger: { kind: 'moment', moment } as const,
  event: { kind: 'poke', paddr: 0x8001_0100, bytes: Uint8Array.of(moment & 255) } as const,
});

describe.each([
  ['traps and two harts', WORK],
  ['a hypervisor', HYPERVISOR],
])('search in %s', async (_, program) => {
  const trace = await store.take({
    config: machineOf(program),
    planned: [poke(0), poke(1345), poke(2000)],
    maxMoment: LAST,
    checkpointEvery: 800,
    digestEvery: 500,
  });
  const judged = judge();
  const travel = openTimeline(trace);

  /** What is executed and what is trapped or returned from, each at the position before. */
  function judge() {
    const player = createTracePlayer(trace);
    const { machine } = player;
    const events: MachineEvent[] = [];
    const executed: (Hit & { pc: number; hart: number })[] = [];
    const transitions: Hit[] = [];
    const exits: Hit[] = [];
    const digests = new Map<string, bigint>();
    for (;;) {
      const { moment, ticks } = machine;
      for (const here of ['pending', 'applied'] as const) {
        player.toTicks(ticks, here);
        digests.set(`${ticks} ${here}`, machine.digest());
      }
      if (ticks === trace.last.ticks) return { executed, transitions, exits, digests };
      const { hart, pc } = machine.next();
      machine.onEvent = (event) => events.push(event);
      player.toTicks(ticks + 1, 'pending');
      machine.onEvent = undefined;
      for (const event of events.splice(0)) {
        if (event.kind !== 'transition') continue;
        transitions.push({ moment, ticks });
        if (event.from === 'VS' && event.to !== 'VS') exits.push({ moment, ticks });
        if (event.trap && !event.trap.interrupt)
          executed.push({ moment, ticks, hart: event.hart, pc: Number(event.pc) });
      }
      if (machine.moment > moment) executed.push({ moment, ticks, hart, pc: Number(pc) });
    }
  }
  // Breakpoints are in RAM; the first instructions are in ROM.
  const code = [...new Set(judged.executed.map(({ pc }) => pc))].filter((pc) => pc >= RAM_BASE).sort((a, b) => a - b);
  const place = fc.record({
    moment: fc.oneof(fc.integer({ min: 0, max: LAST }), fc.constantFrom(0, 800, 1345, 1600, 2000, LAST)),
    here: fc.constantFrom('applied' as const, 'pending' as const),
  });
  const sought = fc.record({
    what: fc.constantFrom('breakpoints' as const, 'transitions' as const, 'exits' as const, 'any' as const),
    places: fc.uniqueArray(fc.constantFrom(...code), { minLength: 1, maxLength: 4 }),
    hart: fc.constantFrom(undefined, 0, 1),
  });
  type Sought = typeof sought extends fc.Arbitrary<infer S> ? S : never;

  function expected(one: Sought): readonly Hit[] {
    if (one.what === 'transitions') return judged.transitions;
    if (one.what === 'exits') return judged.exits;
    if (one.what === 'any') {
      const starts = judged.executed.filter(({ pc }) => pc === code[0]);
      return [...judged.transitions, ...starts].sort((a, b) => a.ticks - b.ticks);
    }
    const { places, hart } = one;
    return judged.executed.filter((each) => places.includes(each.pc) && (hart === undefined || each.hart === hart));
  }

  function observer(one: Sought) {
    const all = transitionObserver('all', () => true);
    if (one.what === 'transitions') return all;
    if (one.what === 'exits') return transitionObserver('vm', ({ from, to }) => from === 'VS' && to !== 'VS');
    if (one.what === 'any') return anyOf<Hit>([all, breakpointObserver([code[0]!])]);
    return breakpointObserver(one.places, ({ hart }) => one.hart === undefined || hart === one.hart);
  }

  it('finds what single steps find, in both directions, and stands where a direct journey leads', () => {
    const count = fc.oneof(
      { weight: 3, arbitrary: fc.constant(1) },
      { weight: 1, arbitrary: fc.integer({ min: 2, max: 300 }) },
    );
    fc.assert(
      fc.property(place, sought, count, fc.boolean(), (from, one, n, isForward) => {
        travel.seek(from.moment, from.here);
        const origin = travel.place;
        const all = expected(one).filter((hit, i, hits) => hit.ticks !== hits[i - 1]?.ticks);
        const hits = isForward
          ? all.filter(({ ticks }) => ticks > origin.ticks)
          : all.filter(({ ticks }) => ticks < origin.ticks).reverse();
        const wanted = hits[n - 1];
        const search = isForward ? searchForward : searchBackward;
        const found = finish(search(travel, observer(one), n));
        expect(found && { moment: found.moment, ticks: found.ticks }).toEqual(
          wanted && { moment: wanted.moment, ticks: wanted.ticks },
        );
        expect(travel.place).toEqual(wanted ? { moment: wanted.moment, ticks: wanted.ticks, here: 'applied' } : origin);
        const { ticks, here } = travel.place;
        // Where there are no inputs, both sides of them are one.
        expect(travel.machine.digest()).toBe(judged.digests.get(`${ticks} ${here}`));
        expect([travel.machine.breakAt, travel.machine.onEvent]).toEqual([undefined, undefined]);
      }),
      {
        numRuns: 80,
        // Right before inputs, with a hit at that very position.
        examples: [1345, 2000].map((moment): [{ moment: number; here: 'pending' }, Sought, number, boolean] => [
          { moment, here: 'pending' },
          { what: 'breakpoints', places: code, hart: undefined },
          1,
          true,
        ]),
      },
    );
  });
});

describe('what a search costs', async () => {
  const trace = await store.take({ config: machineOf(WORK), maxMoment: 120_000, checkpointEvery: 50_000 });
  /** The loop's first instruction: every seventh or so that is executed. */
  const HOT = Number(assemble(WORK, RAM_BASE).symbols.get('loop'));
  const stops = () => {
    const counted = { stops: 0 };
    const observer = breakpointObserver([HOT], () => {
      counted.stops++;
      return true;
    });
    return { counted, observer };
  };

  it('cuts a window with thousands of hits instead of stopping at each, and finds the same', () => {
    const travel = openTimeline(trace);
    const all: BreakpointHit[] = [];
    finish(observe(travel, { ticks: trace.last.ticks, here: 'applied' }, stops().observer, (hit) => all.push(hit) < 0));
    expect(all.length).toBeGreaterThan(10_000);
    const fresh = openTimeline(trace);
    fresh.seek(100_100);
    const { ticks } = fresh;
    for (const count of [1, 3_000]) {
      fresh.toTicks(ticks, 'applied');
      const { counted, observer } = stops();
      expect(finish(searchBackward(fresh, observer, count))).toEqual(all.filter((hit) => hit.ticks < ticks).at(-count));
      expect(counted.stops).toBeLessThan(count === 1 ? 4_500 : 20_000);
    }
  });

  it('executes each window once when there are few hits or none, and restores few of many states', async () => {
    const trace = await store.take({ config: machineOf(WORK), maxMoment: 120_000, checkpointEvery: 5_000 });
    const travel = openTimeline(trace);
    travel.seek(trace.last.moment);
    let [executed, restored] = [0, 0];
    const { player } = travel;
    const restore = player.restore.bind(player);
    player.restore = (...state) => {
      restored++;
      restore(...state);
    };
    const search = searchBackward(travel, breakpointObserver([0x8000_0f00]));
    for (const progress of search) executed = progress.executed;
    expect(executed).toBeLessThanOrEqual(trace.last.moment);
    // Of the 25 states that are known the fewer the longer nothing is hit; and back to where it stood.
    expect(trace.checkpoints.length).toBe(25);
    expect(restored).toBeLessThanOrEqual(10);
    expect(travel.place).toMatchObject({ ...trace.last, here: 'applied' });
  });

  it('stands where it stood when it is aborted, and says how far it is until then', async () => {
    const travel = openTimeline(trace);
    travel.seek(90_000);
    const origin = travel.place;
    const digest = travel.machine.digest();
    const abort = new AbortController();
    const seen: number[] = [];
    const found = await finishInTurns(searchBackward(travel, breakpointObserver([0x8000_0f00])), {
      signal: abort.signal,
      onProgress: ({ moment }) => {
        seen.push(moment);
        abort.abort();
      },
    });
    expect([found, seen.length, travel.place, travel.machine.digest()]).toEqual([undefined, 1, origin, digest]);
    expect(travel.machine.breakAt).toBeUndefined();
  });

  it('can be had window by window: they join, reach back to the start, and hold what the whole search finds', () => {
    const travel = openTimeline(trace);
    travel.seek(trace.last.moment);
    const windows = [...windowsBefore(travel, travel.place)];
    expect(windows.map(({ end }) => end)).toEqual([travel.place, ...windows.slice(0, -1).map(({ start }) => start)]);
    expect(windows.at(-1)!.start).toMatchObject({ moment: 0, ticks: 0 });
    for (const window of windows) {
      const [alone, { observer }] = [openTimeline(trace), stops()];
      alone.toTicks(window.end.ticks, window.end.here);
      const last = finish(searchBackward(alone, observer));
      // One timeline knows no states but the checkpoints, the other one those that its search has left behind.
      for (const run of [openTimeline(trace), alone]) expect(finish(searchWindow(run, observer, window))).toEqual(last);
    }
  });

  it('refuses counts that it would have to remember without end', () => {
    const travel = openTimeline(trace);
    for (const count of [0, -1, 1.5, 100_001]) {
      expect(() => finish(searchForward(travel, breakpointObserver([HOT]), count))).toThrow(
        `expected a count from 1 to 100000 for a search, got ${count}`,
      );
    }
  });
});
