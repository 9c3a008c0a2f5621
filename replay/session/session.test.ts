import { fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { HYPERVISOR, machineOf, traceStore } from '../replay.fixtures.ts';
import { finish } from '../search/index.ts';
import { arbitraryProgram, configOf, type Judged, judgeRun } from './calls.fixtures.ts';
import { type DebugSession, openSession, type Stopped } from './index.ts';

const store = traceStore();
const LAST = 2_000;
const record = (program: Parameters<typeof configOf>[0]) =>
  store.take({ config: configOf(program), maxMoment: LAST, checkpointEvery: 700, digestEvery: 500 });

/** Where a move should lead: a virtual time, the first position of a moment, or nowhere. */
type Expected = { readonly ticks: number } | { readonly moment: number } | undefined;

/** What single steps say about each move. */
const JUDGES: Record<string, (judged: Judged, at: DebugSession['run']) => Expected> = {
  'over forward': (judged, { machine }) => {
    const { hart } = machine.next();
    const frame = judged.frameAt(hart, machine.ticks);
    const own = judged.executed.filter((e) => e.hart === hart && e.frame === frame && e.ticks >= machine.ticks);
    const [now, then] = own;
    if (!now) return undefined;
    if (now.flow === 'call' || now.flow === 'ecall') return then && { ticks: then.ticks };
    return now.moment < LAST ? { moment: now.moment + 1 } : undefined;
  },
  'over backward': (judged, { machine }) => {
    const { hart } = machine.next();
    for (let { ticks, moment } = machine; ; ) {
      if (moment === 0) return undefined;
      const before = judged.executed.findLast((e) => e.retired && e.ticks < ticks)!;
      const ended = before.hart === hart ? before.ends : undefined;
      if (!ended) return { moment: moment - 1 };
      if (ended.kind !== 'interrupt') return { ticks: ended.from };
      ticks = ended.from;
      moment = judged.executed.findLast((e) => e.retired && e.ticks < ticks)!.moment + 1;
    }
  },
  'out forward': (judged, { machine }) => {
    const { hart } = machine.next();
    const frame = judged.frameAt(hart, machine.ticks);
    if (frame.kind === 'start') return undefined;
    if (frame.kind !== 'call') return frame.to === undefined ? undefined : { ticks: frame.to };
    const then = judged.executed.find((e) => e.hart === hart && e.frame === frame.parent && e.ticks >= machine.ticks);
    return then && { ticks: then.ticks };
  },
  'out backward': (judged, { machine }) => {
    const { hart } = machine.next();
    const frame = judged.frameAt(hart, machine.ticks);
    return frame.kind === 'start' ? undefined : { ticks: frame.from };
  },
  'trap forward': (judged, { machine }) => {
    const ticks = judged.traps.find((trap) => trap > machine.ticks);
    return ticks === undefined ? undefined : { ticks };
  },
  'trap backward': (judged, { machine }) => {
    const ticks = judged.traps.findLast((trap) => trap < machine.ticks);
    return ticks === undefined ? undefined : { ticks };
  },
};

const MOVES: Record<string, (session: DebugSession) => Stopped> = {
  'over forward': (session) => finish(session.over('forward')),
  'over backward': (session) => finish(session.over('backward')),
  'out forward': (session) => finish(session.out('forward')),
  'out backward': (session) => finish(session.out('backward')),
  'trap forward': (session) => finish(session.to('trap', 'forward')),
  'trap backward': (session) => finish(session.to('trap', 'backward')),
};

/** A move; one that says that there is no caller is one that leads nowhere. */
function make(session: DebugSession, name: string): Stopped {
  try {
    return MOVES[name]!(session);
  } catch (error) {
    expect(String(error)).toMatch(/no call of main|no symbol says/);
    return { moves: 0 };
  }
}

function check(judged: Judged, session: DebugSession, moment: number, name: string): void {
  session.run.seek(moment);
  const origin = session.run.place;
  const expected = JUDGES[name]!(judged, session.run);
  session.run.seek(moment);
  const stopped = make(session, name);
  const { place } = session.run;
  expect([stopped.moves, place.here]).toEqual([expected ? 1 : 0, 'applied']);
  expect(place).toMatchObject(expected ?? origin);
  if (expected && 'moment' in expected) expect(place.ticks).toBe(judged.firsts.get(expected.moment));
  expect(session.run.machine.digest()).toBe(judged.digests.get(place.ticks));
}

describe('moves', () => {
  it('lead where single steps say, for calls, recursions, traps and interrupts on several harts', async () => {
    const moves = fc.array(
      fc.record({ moment: fc.integer({ min: 0, max: LAST }), name: fc.constantFrom(...Object.keys(MOVES)) }),
      { minLength: 12, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(arbitraryProgram, moves, async (program, list) => {
        const trace = await record(program);
        const judged = judgeRun(trace);
        const session = openSession(trace);
        for (const { moment, name } of list) check(judged, session, moment, name);
      }),
      { numRuns: 5, endOnFailure: true },
    );
  });
});

describe('a session', async () => {
  // f0 calls f1, which calls f2 and f3.
  const call = (to: number) => ({ do: 'call' as const, to });
  const program = {
    functions: [[call(1)], [call(2), call(3)], [], [{ do: 'ecall' as const, to: 0 }]],
    depth: 4,
    timer: 400,
  };
  const trace = await record(program);
  const open = () => {
    const session = openSession(trace);
    const { firmware } = session.run.symbols;
    return { session, place: (name: string) => Number(firmware.loadAddress(name)) };
  };
  const where = ({ run: { machine, symbols } }: DebugSession) => {
    const { hart, pc } = machine.next();
    return [hart, symbols.describe(machine.hart(hart).mode, pc)];
  };

  it('runs to breakpoints in both directions, of a hart if so told, and counts', () => {
    const { session, place } = open();
    const any = session.stops.breakAt({ paddr: place('f2') }, 'f2');
    expect(finish(session.to('breakpoint', 'forward', 3))).toMatchObject({ moves: 3, stop: any });
    expect(where(session)[1]).toBe('f2');
    session.stops.delete(any.id);
    const own = session.stops.breakAt({ paddr: place('f3'), hart: 1, mode: 'M', pc: BigInt(place('f3')) }, 'f3');
    expect([any.id, own.id]).toEqual([1, 2]);
    session.stops.breakAt({ paddr: place('f2'), mode: 'HS' }, 'f2');
    session.stops.breakAt({ paddr: place('f2'), vmid: 0 }, 'f2');
    session.stops.breakAt({ paddr: place('f2'), pc: 0n }, 'f2');
    for (const direction of ['forward', 'forward', 'backward'] as const) {
      expect(finish(session.to('breakpoint', direction))).toMatchObject({ moves: 1, stop: own });
      expect(where(session)).toEqual([1, 'f3']);
    }
    const { place: before } = session.run;
    expect(finish(session.to('breakpoint', 'forward', 5000))).toEqual({ moves: 0 });
    expect(session.run.place).toEqual(before);
  });

  it('goes over and out several times, and stops at a breakpoint on the way', () => {
    const { session, place } = open();
    const inner = session.stops.breakAt({ paddr: place('f2') }, 'f2');
    finish(session.to('breakpoint', 'forward'));
    const [hart] = where(session);
    expect(finish(session.out('forward', 2))).toEqual({ moves: 2 });
    expect(where(session)).toEqual([hart, 'f0+0x14']);
    expect(finish(session.over('backward'))).toMatchObject({ moves: 0, stop: inner });
    session.stops.delete(inner.id);
    finish(session.out('forward', 2));
    expect(finish(session.over('backward'))).toEqual({ moves: 1 });
    expect(where(session)).toEqual([hart, 'f0+0x10']);
    expect(finish(session.over('forward'))).toEqual({ moves: 1 });
    expect(where(session)).toEqual([hart, 'f0+0x14']);
  });

  it('runs to accesses of watched memory, and over a call up to one, and breaks at virtual addresses', () => {
    const { session, place } = open();
    // Where f0 and f1 keep ra when main of hart 0 calls them.
    const at = { space: 'spa', address: 0x80017ff0n } as const;
    const watch = session.stops.watch({ at, bytes: 8, writes: true }, 'frame');
    expect(finish(session.to('watchpoint', 'forward', 2))).toMatchObject({ moves: 2, stop: watch });
    expect(where(session)).toEqual([0, 'f1+0x4']);
    finish(session.to('watchpoint', 'forward'));
    expect(where(session)).toEqual([0, 'f0+0x4']);
    expect(finish(session.to('stop', 'backward'))).toMatchObject({ moves: 1, stop: watch, hit: { by: 'store' } });
    expect(where(session)).toEqual([0, 'f1+0x4']);
    finish(session.out('backward'));
    expect(finish(session.over('forward'))).toMatchObject({ moves: 0, stop: watch });
    expect(where(session)).toEqual([0, 'f1+0x4']);
    session.stops.delete(watch.id);
    const virtual = session.stops.breakAt({ pc: BigInt(place('f3')) }, 'f3');
    expect(finish(session.to('stop', 'forward'))).toMatchObject({ moves: 1, stop: virtual });
    expect(where(session)[1]).toBe('f3');
    expect(() => session.stops.watch({ at, bytes: 8 }, 'x')).toThrow(/expected reads, writes or changes to watch for/);
    expect(() => finish(session.to('watchpoint', 'forward'))).toThrow('no watchpoint is set');
  });

  it('goes to exits, hypercalls and events of a run with a VM', async () => {
    const config = machineOf(HYPERVISOR);
    const session = openSession(await store.take({ config, maxMoment: 8_000, digestEvery: 1000 }));
    const exit = finish(session.to('exit', 'forward', 2));
    const { place } = session.run;
    expect(exit).toMatchObject({ moves: 2, transition: { from: 'VS', to: 'HS', trap: { cause: 10 } } });
    expect(session.run.machine.hart(0).mode).toBe('VS');
    session.run.seek(0);
    expect(finish(session.to('hypercall', 'forward', 2))).toEqual(exit);
    expect(session.run.place).toEqual(place);
    expect(finish(session.to('exit', 'backward'))).toMatchObject({ moves: 1 });
    expect(finish(session.to('exit', 'backward'))).toEqual({ moves: 0 });
    expect(session.toEvent('forward')).toMatchObject({ kind: 'end', moment: 8_000 });
    expect(session.toEvent('forward')).toBeUndefined();
    expect(session.step('backward', 10_000)).toBe(8_000);
  });

  it('says in one line what cannot be', () => {
    const { session, place } = open();
    const refuse = (act: () => unknown, message: RegExp | string) => expect(act).toThrow(message);
    refuse(() => finish(session.to('breakpoint', 'forward')), 'no breakpoint is set');
    refuse(
      () => session.stops.breakAt({ paddr: 0x1000 }, 'x'),
      'a breakpoint at 0x1000: expected an even address in RAM',
    );
    refuse(() => session.stops.breakAt({ paddr: place('f1') + 1 }, 'x'), /expected an even address in RAM/);
    refuse(
      () => session.stops.breakAt({ paddr: place('f1'), hart: 2 }, 'x'),
      'no hart 2: this machine has harts 0 to 1',
    );
    refuse(() => session.stops.delete(1), 'there is no breakpoint or watchpoint 1: none is set');
    session.stops.breakAt({ paddr: place('f1') }, 'f1');
    expect(session.stops.breakAt({ paddr: place('f1') }, 'again').id).toBe(1);
    refuse(() => session.stops.delete(7), 'there is no breakpoint or watchpoint 7: set are 1');
    refuse(() => finish(session.over('forward', 0)), 'expected a count from 1 to 100000, got 0');
    refuse(() => finish(session.out('forward')), /^no symbol says in which function hart \d is \(pc 0x1000, M-mode\)/);
    expect(session.run.moment).toBe(0);
  });
});
