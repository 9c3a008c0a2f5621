/**
 * What a guest that sleeps, or does nothing but trap, costs its recorder and its replayer: bounded by work that no
 * guest can stretch. Nothing here looks at a clock: the numbers of looks outside are counted.
 */
import { describe, expect, it } from 'vitest';
import { createMachine } from '../engine/index.ts';
import { openTrace } from '../traces/index.ts';
import type { RecordOptions } from './base/types.ts';
import { record } from './record/record.ts';
import { HYPERVISOR, machineOf, rewrite, traceStore } from './replay.fixtures.ts';
import { replayTrace } from './verify/verify.ts';

const store = traceStore();

/** Hart 0 sleeps from timer to timer, `mtime` apart; the others wait for ever. */
const sleeper = (mtime: number, wakes: number) => `
    csrr t0, mhartid
    bnez t0, forever
    li t0, 0x80
    csrw mie, t0
    li s0, 0x02004000
    li s1, 0x0200bff8
    li s2, ${wakes}
  again:
    ld t1, 0(s1)
    li t2, ${mtime}
    add t1, t1, t2
    sd t1, 0(s0)
    wfi
    addi s2, s2, -1
    bnez s2, again
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
  forever:
    csrw mie, zero
    wfi
    j forever
`;
/** Traps into nothing for ever, with a timer far ahead: neither an instruction retires nor is the machine stuck. */
const STORM = `
    li s0, 0x02004000
    li t1, 0x100000000000
    sd t1, 0(s0)
    csrw mtvec, zero
    ecall
`;

/** Records with somebody who may stop it, and counts how often he is asked. */
async function watched(program: string, options: Partial<RecordOptions> = {}, askedAtMost = Number.POSITIVE_INFINITY) {
  let asked = 0;
  const result = await record({
    path: store.path(),
    config: machineOf(program, { harts: 1 }),
    planned: [],
    maxMoment: 10_000,
    digestEvery: 1000,
    checkpointEvery: 100_000,
    commandLine: [],
    stopRequested: () => ++asked > askedAtMost,
    ...options,
  });
  return { ...result, asked, trace: openTrace(result.path) };
}

describe('a guest that sleeps', () => {
  it('is skipped to its timer in one go, days ahead', async () => {
    const day = 24 * 3600 * 1e7;
    const { stop, end, asked, trace } = await watched(sleeper(day, 3));
    expect(stop).toEqual({ kind: 'halted', status: 'pass', code: 0 });
    expect(end.ticks).toBeGreaterThan(3 * day * 100);
    expect(asked).toBeLessThan(5);
    expect(replayTrace(trace)).toMatchObject({ ok: true, complete: true });
  });

  it('ends at a virtual time, exactly', async () => {
    const { stop, end, trace } = await watched(sleeper(1000, 1e9), { maxMoment: 1e9, maxTicks: 123_456_789 });
    expect(stop).toEqual({ kind: 'ticks' });
    expect(end.ticks).toBe(123_456_789);
    expect(trace.end).toMatchObject({ reason: 'time', ticks: 123_456_789 });
    expect(replayTrace(trace)).toMatchObject({ ok: true, complete: true, end: { ticks: 123_456_789 } });
  });

  it('ends with virtual time itself', async () => {
    const { stop, end, asked, trace } = await watched(sleeper(2 ** 50, 1));
    expect([stop.kind, end.ticks]).toEqual(['ticks', Number.MAX_SAFE_INTEGER]);
    expect(asked).toBeLessThan(5);
    expect(replayTrace(trace)).toMatchObject({ ok: true, complete: true });
  });

  it('does not sleep through what somebody outside types', async () => {
    const typed = [undefined, undefined, undefined, Buffer.from('x'), 'closed' as const];
    const { trace } = await watched(sleeper(1e7, 3), { pollConsole: () => typed.shift() });
    expect(trace.inputs).toHaveLength(1);
    expect(trace.inputs.at(0)!.ticks).toBeLessThan(5e6);
    expect(replayTrace(trace).ok).toBe(true);
  });
});

describe('somebody who may stop the recording is asked', () => {
  it('while a guest does nothing but trap', async () => {
    const { stop, end, trace } = await watched(STORM, {}, 3);
    expect(stop).toEqual({ kind: 'moment' });
    expect(end.ticks).toBeGreaterThan(2_000_000);
    expect(trace.end?.reason).toBe('stopped');
    expect(replayTrace(trace)).toMatchObject({ ok: true, complete: true });
  });

  it('while a trigger is looked for that never comes', async () => {
    const poke = { kind: 'poke', paddr: 0x8000_0000, bytes: Uint8Array.of(1) } as const;
    for (const [program, trigger] of [
      [STORM, { kind: 'hypervisor', after: 0, k: 5 }],
      [sleeper(1000, 1e9), { kind: 'two-level', ticks: 0, k: 5 }],
    ] as const) {
      const { notReached, trace } = await watched(program, { planned: [{ trigger, event: poke }], maxMoment: 1e9 }, 3);
      expect(notReached).toHaveLength(1);
      expect(trace.end?.reason).toBe('stopped');
    }
  });

  it('and the same instruction is hit as without him', async () => {
    const poke = { kind: 'poke', paddr: 0x8001_0000, bytes: Uint8Array.of(1) } as const;
    const options = {
      config: machineOf(HYPERVISOR),
      planned: [{ trigger: { kind: 'two-level', ticks: 2_500, k: 3_000 }, event: poke }],
      maxMoment: 6_000_000,
      digestEvery: 10_000_000,
    } as const;
    const asked = await watched('', options);
    expect(asked.asked).toBeGreaterThan(3);
    const alone = await store.take(options);
    expect([...asked.trace.inputs]).toEqual([...alone.inputs]);
    expect(alone.inputs).toHaveLength(1);
    expect(asked.trace.end).toEqual(alone.end);
  });
});

describe('a replay', async () => {
  const trace = await store.take({ config: machineOf(sleeper(1000, 1e9)), maxMoment: 20_000 });

  it('of a run that parts from its recording and sleeps on ends where the recording does', () => {
    const far = { ...trace.end!, moment: trace.end!.moment + 1000 };
    const result = replayTrace(rewrite(trace, store.path(), { end: far }));
    expect(result).toMatchObject({ ok: false, complete: false, divergence: { what: 'position' } });
    expect(result.end.ticks).toBe(trace.end!.ticks);
  });

  it('ends at a virtual time or a moment, and compares what came before', () => {
    const half = Math.floor(trace.last.ticks / 2);
    const { digestsCompared, ...result } = replayTrace(trace, { untilTicks: half });
    expect(result).toEqual({ ok: true, complete: false, end: { moment: expect.any(Number), ticks: half } });
    expect(digestsCompared).toBe([...trace.digests, ...trace.checkpoints].filter(({ ticks }) => ticks <= half).length);
    expect(replayTrace(trace, { until: 5000 })).toMatchObject({ ok: true, complete: false, end: { moment: 5000 } });
    expect(replayTrace(trace, { until: 1e12, untilTicks: 1e15 })).toMatchObject({ ok: true, complete: true });
  });

  it('up to a virtual time misses output that did not come until then', () => {
    const half = Math.floor(trace.last.ticks / 2);
    const console = [{ moment: 10, ticks: half - 1, byte: 65 }];
    const planted = rewrite(trace, store.path(), { console });
    expect(replayTrace(planted, { untilTicks: half })).toMatchObject({ ok: false, divergence: { what: 'console' } });
    expect(replayTrace(planted, { untilTicks: half - 2 }).ok).toBe(true);
  });
});

describe('work', () => {
  it('is what harts execute, not what they sleep through, and cutting a run by it changes nothing', () => {
    const config = machineOf(sleeper(1000, 1e9), { harts: 2 });
    const whole = createMachine(config);
    whole.run({ ticks: 5_000_000 });
    const cut = createMachine(config);
    let stops = 0;
    while (cut.run({ ticks: 5_000_000, work: 7 }).kind === 'work') stops++;
    expect(cut.digest()).toBe(whole.digest());
    // Each stop comes after exactly seven ticks that were not slept through: most of them retired an instruction.
    expect(7 * (stops + 1)).toBeGreaterThan(whole.moment);
    expect(stops * 7).toBeLessThan(2 * whole.moment);
  });
});
