/**
 * Traces whose checksums are right and whose records cannot be: each is a TraceError that says what is wrong, wherever
 * the record is used. Nothing is believed because a file says it.
 */
import { describe, expect, it } from 'vitest';
import { type FullCheckpoint, type Trace, TraceError, type TraceInput } from '../traces/index.ts';
import { type Change, machineOf, rewrite, traceStore, WORK } from './replay.fixtures.ts';
import { createTracePlayer, openTimeline } from './timeline/index.ts';
import { replayTrace, verifyCheckpoints } from './verify/verify.ts';

const store = traceStore();
const MACHINE_BYTES = 80;

describe('a trace with right checksums', async () => {
  const disk = { kind: 'block', slot: 2, readOnly: false, serial: '' } as const;
  const image = { name: 'disk', bytes: new Uint8Array(8192).fill(7) };
  const config = machineOf(WORK, {
    virtio: [
      { ...disk, image },
      { kind: 'entropy', slot: 3 },
    ],
  });
  const trace = await store.take({ config });
  const changed = (change: Change) => rewrite(trace, store.path(), change);
  /** Changes the checkpoint at moment 8000. */
  const lying = (change: (checkpoint: FullCheckpoint) => Partial<FullCheckpoint>) =>
    changed({ checkpoint: (its, n) => (n === 2 ? { ...its, ...change(its) } : its) });
  /** Places in a state: the machine's block, then hart 0's, which begins with x0. */
  const X0 = MACHINE_BYTES;
  const X10 = X0 + 10 * 8;

  const uses: [string, (trace: Trace) => void][] = [
    ['verifying', verifyCheckpoints],
    ['seeking', (its) => openTimeline(its).seek(8_500)],
    ['replaying from it', (its) => replayTrace(its, { fromCheckpoint: 2 })],
  ];

  it('is fine when nothing was changed', () => {
    const copy = changed({ checkpoint: (its) => ({ ...its, state: its.state.slice() }) });
    for (const [, use] of uses) use(copy);
    expect(replayTrace(copy).ok).toBe(true);
  });

  describe.each<[string, (checkpoint: FullCheckpoint) => Partial<FullCheckpoint>, RegExp]>([
    ['another x10', ({ state }) => ({ state: flip(state, X10) }), /digest 0x[0-9a-f]{16}, expected 0x/],
    ['another page', ({ pages }) => ({ pages: new Map(pages).set(64, ONES) }), /digest/],
    ['a page too few', ({ pages }) => ({ pages: new Map([...pages].slice(1)) }), /digest/],
    ['another digest', ({ digest }) => ({ digest: digest ^ 1n }), /digest/],
    ['a shorter state', ({ state }) => ({ state: state.slice(8) }), /a state of \d+ bytes, expected \d+/],
    ['no state', () => ({ state: new Uint8Array() }), /a state of 0 bytes/],
    ['a page beyond RAM', ({ pages }) => ({ pages: new Map(pages).set(1 << 20, ONES) }), /page 1048576, which lies/],
    ['a page of no disk', ({ pages }) => ({ pages: new Map(pages).set(2 ** 28, ONES) }), /page 268435456/],
    ['a page behind its disk', ({ pages }) => ({ pages: new Map(pages).set(3 * 2 ** 28 + 2, ONES) }), /page 805306370/],
    ['the turn of a hart that is not there', ({ state }) => ({ state: flip(state, 24, 0x40) }), /currentHart/],
    ['turns of another length', ({ state }) => ({ state: flip(state, 32) }), /quantumTicks/],
    ['another position', ({ state }) => ({ state: flip(state, 8) }), /moment/],
    ['x0 that is not zero', ({ state }) => ({ state: flip(state, X0) }), /hart0\.x 1, which no hart/],
  ])('and %s in a checkpoint', (_, change, why) => {
    const liar = lying(change);

    it.each(uses)('is found by %s', (_use, use) => {
      const { message } = refusal(() => use(liar));
      expect(message).toMatch(/^\S+: the checkpoint at moment 8000 cannot be right: [^\n]*$/);
      expect(message).toMatch(why);
    });

    it('is no obstacle to a replay that does not use the checkpoint', () => {
      // Its digest is compared, as each is.
      expect(replayTrace(liar, { until: 7_000 }).ok).toBe(true);
      expect(openTimeline(liar).moment).toBe(0);
    });
  });

  it('whose run parts from it still says where, although the next checkpoint cannot be right', () => {
    const digests = trace.digests.map((its, n) => (n === 6 ? { ...its, digest: 1n } : its));
    const checkpoint = (its: FullCheckpoint) => ({ ...its, state: its.state.slice(8) });
    const result = replayTrace(changed({ digests, checkpoint }));
    expect(result.divergence).toMatchObject({ differsAt: { moment: 7000 }, expected: 1n, differences: [] });
  });

  it.each<[string, TraceInput['kind'], TraceInput['data'], RegExp]>([
    ['an unknown kind', 'cosmic', {}, /not one that this dejavm knows \(cosmic\)/],
    ['bytes outside RAM', 'poke', { paddr: 0, bytes: Uint8Array.of(1) }, /cannot be right: 1 bytes at 0x0/],
    ['bytes far outside RAM', 'poke', { paddr: 2 ** 53 - 1, bytes: Uint8Array.of(1) }, /cannot be right/],
    ['a hart that is not there', 'fault', { fault: { model: 'failstop', hart: 7 } }, /harts 0…1/],
    ['a frame for no network', 'net', { slot: 3, bytes: Uint8Array.of(1) }, /no network device/],
    ['a frame for no slot', 'net', { slot: 99, bytes: Uint8Array.of(1) }, /no network device/],
    ['no such device', 'fault', { fault: { model: 'device', slot: 3, effect: 'io-error' } }, /no such device/],
    ['too much typed at once', 'console', { bytes: new Uint8Array(1 << 20) }, /the line holds/],
  ])('and an input with %s', (_, kind, data, why) => {
    const { moment, ticks } = trace.digests.at(2)!;
    const liar = changed({ inputs: [{ moment, ticks, kind, data }] });
    expect(refusal(() => replayTrace(liar)).message).toMatch(why);
    expect(refusal(() => openTimeline(liar).seek(3_500)).message).toMatch(why);
  });

  it.each<[string, NonNullable<Change['header']>]>([
    ['harts', { machine: { ...trace.header.machine, harts: 9 } }],
    ['harts', { machine: { ...trace.header.machine, harts: Number.MAX_SAFE_INTEGER } }],
    ['RAM', { machine: { ...trace.header.machine, ramBytes: 4097 } }],
    ['RAM', { machine: { ...trace.header.machine, ramBytes: 0 } }],
    ['quantum', { machine: { ...trace.header.machine, quantum: { policy: 'fixed', ticks: 0, seed: '0' } } }],
    [
      'schedule seed',
      { machine: { ...trace.header.machine, quantum: { policy: 'fixed', ticks: 64, seed: '9'.repeat(20) } } },
    ],
    ['kernel command line', { machine: { ...trace.header.machine, append: 'a\0b' } }],
    ['wall-clock', { machine: { ...trace.header.machine, wallClock: Number.MAX_SAFE_INTEGER } }],
    ['slot', { machine: { ...trace.header.machine, devices: [{ kind: 'entropy', slot: 8, settings: {} }] } }],
  ])('and a machine that cannot be made: %s', (what, header) => {
    const liar = changed({ header });
    for (const use of [createTracePlayer, replayTrace, openTimeline, verifyCheckpoints]) {
      const { message } = refusal(() => use(liar));
      expect(message).toMatch(/^\S+: describes a machine that cannot be made: [^\n]*$/);
      expect(message).toContain(what);
    }
  });

  it('and an end that no digest vouches for is refused on opening', () => {
    const far = { ...trace.end!, moment: Number.MAX_SAFE_INTEGER, ticks: Number.MAX_SAFE_INTEGER };
    expect(changed({ end: far }).damage).toBeDefined();
    // Whatever the header says about how far apart digests are.
    const sparse = changed({ end: far, digests: [], header: { digestEvery: Number.MAX_SAFE_INTEGER } });
    expect(sparse.damage).toMatchObject({ kind: 'malformed' });
    expect(sparse.last.moment).toBeLessThanOrEqual(20_000);
  });

  it('and a time that its instructions do not take is left when they have retired', () => {
    const far = { ...trace.end!, ticks: Number.MAX_SAFE_INTEGER };
    const result = replayTrace(changed({ end: far }));
    expect(result).toMatchObject({ ok: false, end: { moment: far.moment + 1 } });
    expect(result.divergence).toMatchObject({ what: 'position' });
  });
});

/** A page of ones. */
const ONES = { hash: 0xb6725b5068da1f79n, bytes: new Uint8Array(4096).fill(1) };

function refusal(act: () => unknown): TraceError {
  try {
    act();
  } catch (error) {
    if (error instanceof TraceError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function flip(state: Uint8Array, at: number, mask = 1): Uint8Array {
  const changed = state.slice();
  changed[at]! ^= mask;
  return changed;
}
