/** Runs in which software resets the machine: one trace, one timeline. */
import { fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { RESET_NOTE } from '../engine/index.ts';
import { configFromTrace, openTimeline, recordAnew, replayTrace } from './index.ts';
import { machineOf, traceStore } from './replay.fixtures.ts';

const store = traceStore();
const STARTS = 0x8010_0000;
/** Prints how often it has started and what was typed, works for a while, and asks for a reset; ends when told to. */
const PROGRAM = `
    csrr t0, mhartid
    bnez t0, sleep
    li s0, ${STARTS}
    li s1, 0x10000000
    li s2, 0x100000
    ld t0, 0(s0)
    addi t0, t0, 1
    sd t0, 0(s0)
    addi t1, t0, 48
    sb t1, 0(s1)
    li t2, 2000
  work:
    lbu t1, 5(s1)
    andi t1, t1, 1
    beqz t1, quiet
    lbu t1, 0(s1)
    sb t1, 0(s1)
  quiet:
    addi t2, t2, -1
    bnez t2, work
    ld t3, 8(s0)
    beq t0, t3, end
    li t1, 0x77777
    sw t1, 0(s2)
    j .
  end:
    li t1, 0x5555
    sw t1, 0(s2)
    j .
  sleep:
    wfi
    j sleep
`;
const config = machineOf(PROGRAM, { reboots: true });
const type = (moment: number, text: string) =>
  ({
    trigger: { kind: 'moment', moment },
    event: { kind: 'console', bytes: new TextEncoder().encode(text) },
  }) as const;
const endAfter = (starts: number) =>
  ({
    trigger: { kind: 'moment', moment: 0 },
    event: { kind: 'poke', paddr: STARTS + 8, bytes: Uint8Array.of(starts) },
  }) as const;

describe('a recording of a machine that is reset', async () => {
  const planned = [endAfter(4), type(3_000, 'a'), type(15_000, 'b'), type(30_000, 'c')];
  const trace = await store.take({ config, planned, maxMoment: 1_000_000, digestEvery: 700, checkpointEvery: 5_000 });
  const resets = [...trace.notes].filter(({ code }) => code === RESET_NOTE);

  it('goes on behind each reset, and says where they are', () => {
    expect(trace.end?.reason).toBe('halted pass 0');
    expect(String.fromCharCode(...[...trace.console].map(({ byte }) => byte))).toBe('1a2b3c4');
    expect(resets).toMatchObject([{ arg: 7 }, { arg: 7 }, { arg: 7 }]);
    expect(configFromTrace(trace).reboots).toBe(true);
  });

  it('replays, also from every checkpoint', () => {
    expect(replayTrace(trace)).toMatchObject({ ok: true });
    for (const n of trace.checkpoints.keys())
      expect(replayTrace(trace, { fromCheckpoint: n })).toMatchObject({ ok: true });
  });

  it('is sought in any order, before, at and behind resets', () => {
    const places = fc.oneof(
      fc.nat(trace.last.ticks),
      fc.constantFrom(...resets.flatMap(({ ticks }) => [ticks - 1, ticks, ticks + 1, ticks + 2])),
    );
    fc.assert(
      fc.property(fc.array(places, { minLength: 1, maxLength: 6 }), (ticks) => {
        const timeline = openTimeline(trace);
        const fresh = openTimeline(trace);
        for (const at of ticks) timeline.toTicks(at, 'pending');
        fresh.toTicks(ticks.at(-1)!, 'pending');
        const { machine } = timeline;
        expect([machine.ticks, machine.moment, machine.digest()]).toEqual([
          fresh.machine.ticks,
          fresh.machine.moment,
          fresh.machine.digest(),
        ]);
      }),
      { numRuns: 20 },
    );
  });

  it('is recorded anew as it is', async () => {
    const { recorded } = await recordAnew(trace, { path: store.path() });
    expect(recorded.end).toEqual({ moment: trace.last.moment, ticks: trace.last.ticks, digest: trace.end?.digest });
  });
});

describe('a recording of a machine whose resets', () => {
  it.each([undefined, false])('end the run (%s) says so and replays', async (reboots) => {
    const { reboots: _, ...rest } = config;
    const trace = await store.take({ config: { ...rest, ...(reboots !== undefined && { reboots }) } });
    expect(trace.end?.reason).toBe('halted reset 7');
    expect([...trace.notes]).toEqual([]);
    expect(configFromTrace(trace).reboots).toBe(reboots);
    expect(replayTrace(trace)).toMatchObject({ ok: true });
  });

  it('follow each other for ever ends where it was told to', async () => {
    const limits = [{ maxMoment: 100_000 }, { maxMoment: 10_000_000, maxTicks: 150_000 }];
    for (const limit of limits) {
      const trace = await store.take({ config, ...limit });
      const { moment, ticks } = trace.last;
      expect('maxTicks' in limit ? ticks : moment).toBe('maxTicks' in limit ? limit.maxTicks : limit.maxMoment);
      expect([...trace.notes].length).toBeGreaterThan(5);
      expect(replayTrace(trace)).toMatchObject({ ok: true });
    }
  });
});
