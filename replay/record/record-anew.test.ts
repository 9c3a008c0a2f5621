/**
 * Recording a trace's run anew: equal to itself, under any behaviour and format; where two recordings part is found.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { ENGINE_BEHAVIOUR, UserError } from '../../engine/index.ts';
import { openTrace, type RecordList, type Trace, TraceError } from '../../traces/index.ts';
import type { PlannedInput } from '../base/types.ts';
import { compareRecordings } from '../compare/recordings.ts';
import { DATA, ECHO, HYPERVISOR, machineOf, rewrite, traceStore, WORK } from '../replay.fixtures.ts';
import { replayTrace } from '../verify/verify.ts';
import { recordAnew } from './record-anew.ts';

const store = traceStore();
const anew = (trace: Trace, options: { maxMoment?: number } = {}) =>
  recordAnew(trace, { path: store.path(), ...options });
const streams = (result: Awaited<ReturnType<typeof anew>>) =>
  Object.fromEntries(result.comparison.streams.map((it) => [it.stream, it]));
const typed = (moment: number, text: string): PlannedInput => ({
  trigger: { kind: 'moment', moment },
  event: { kind: 'console', bytes: new TextEncoder().encode(text) },
});
const strike = (trigger: PlannedInput['trigger'], register = 25): PlannedInput => ({
  trigger,
  event: { kind: 'fault', fault: { model: 'register', hart: 0, register, bit: 3 } },
});

const MAX = 6000;
const inputs: fc.Arbitrary<PlannedInput> = fc.record({
  trigger: fc.oneof(
    fc.record({ kind: fc.constant('moment' as const), moment: fc.nat(MAX) }),
    // Often between two instructions of one moment: every 64th is a call.
    fc.record({ kind: fc.constant('ticks' as const), ticks: fc.nat(MAX) }),
  ),
  event: fc.oneof(
    fc.record({
      kind: fc.constant('poke' as const),
      paddr: fc.nat({ max: 0x2000 }).map((offset) => DATA + offset),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }),
    }),
    fc.record({ kind: fc.constant('console' as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 5 }) }),
    fc.record({
      kind: fc.constant('fault' as const),
      fault: fc.record({
        model: fc.constant('register' as const),
        hart: fc.constantFrom(-1, 0, 1),
        register: fc.integer({ min: 1, max: 32 }),
        bit: fc.nat(63),
      }),
    }),
  ),
});

describe('a run recorded anew', () => {
  it('is the same run, input by input and record by record', async () => {
    const runs = fc.record({ planned: fc.array(inputs, { maxLength: 6 }), program: fc.constantFrom(WORK, HYPERVISOR) });
    await fc.assert(
      fc.asyncProperty(runs, async ({ planned, program }) => {
        const old = await store.take({ planned, config: machineOf(program), maxMoment: MAX });
        const result = await anew(old);
        expect(result).toMatchObject({ comparison: { equal: true }, displaced: [] });
        const trace = openTrace(result.recorded.path);
        for (const stream of ['inputs', 'digests', 'vmDigests', 'console', 'notes', 'end'] as const)
          expect(trace[stream]).toEqual(old[stream]);
        expect(replayTrace(trace).ok).toBe(true);
      }),
      { numRuns: 8 },
    );
  });

  it('gets its inputs also where it idles, and ends by itself as it did', async () => {
    const planned = [typed(10 ** 7, 'abc'), typed(10 ** 7, 'de'), strike({ kind: 'moment', moment: 20 })];
    for (const last of [[], [typed(10 ** 8, 'q')]]) {
      const old = await store.take({ config: machineOf(ECHO), maxMoment: 10 ** 9, planned: [...planned, ...last] });
      expect(old.end!.reason).toBe(last.length === 0 ? 'idle' : 'halted pass 0');
      const result = await anew(old);
      expect(result).toMatchObject({ comparison: { equal: true }, displaced: [] });
      expect(streams(result).end).toMatchObject({ equal: 1 });
      expect(openTrace(result.recorded.path).inputs).toEqual(old.inputs);
    }
  });

  it('holds what a killed recorder had written, and vouches for it', async () => {
    const planned = [typed(900, 'x'), typed(7500, 'y'), typed(15_800, 'z')];
    const old = await store.take({ planned });
    // Killed right behind its last input: the digests since the third are not there.
    const digests = old.digests.slice(0, 3);
    const cut = { ...old, digests, checkpoints: old.checkpoints.slice(0, 1), end: undefined, last: digests[2]! };
    const result = await anew(cut);
    expect(result).toMatchObject({ comparison: { equal: true }, displaced: [] });
    expect(result.recorded.end.ticks).toBeGreaterThanOrEqual(cut.inputs.at(-1)!.ticks);
    expect(openTrace(result.recorded.path).inputs).toEqual(cut.inputs);
  });

  it('can be shorter than it was, and still agrees as far as it goes', async () => {
    const old = await store.take({ planned: [typed(900, 'x'), typed(15_800, 'z')] });
    const result = await anew(old, { maxMoment: 5000 });
    expect(result).toMatchObject({ comparison: { equal: true }, displaced: [], recorded: { end: { moment: 5000 } } });
    expect(streams(result)).toMatchObject({ state: { equal: 7 }, end: { equal: 0 } });
    // And longer: nothing of the old one contradicts what comes then.
    const longer = await anew(old, { maxMoment: 25_000 });
    expect(longer).toMatchObject({ comparison: { equal: true }, recorded: { end: { moment: 25_000 } } });
  });
});

describe('a trace of another version', () => {
  it('of an older engine behaviour is not replayed, but recorded anew', async () => {
    const trace = await store.take({ planned: [strike({ kind: 'moment', moment: 777 })] });
    const old = rewrite(trace, store.path(), { header: { engineBehaviour: ENGINE_BEHAVIOUR - 1 } });
    expect(() => replayTrace(old)).toThrow(/record the run anew with `dejavm rerun`/);
    const result = await anew(old);
    expect(result).toMatchObject({ comparison: { equal: true }, displaced: [] });
    const { header } = openTrace(result.recorded.path);
    expect(header).toEqual({ ...trace.header, engineBehaviour: ENGINE_BEHAVIOUR });
  });

  it('whose states cannot be compared is compared by what the run did', async () => {
    const trace = await store.take({});
    const change = { header: { engineBehaviour: ENGINE_BEHAVIOUR - 1 } };
    const otherState = (checkpoint: { digest: bigint }) => ({ ...checkpoint, digest: checkpoint.digest ^ 1n });
    const old = {
      ...rewrite(trace, store.path(), change),
      checkpoints: trace.checkpoints.map((it) => ({ ...it, ...otherState(it) })),
    };
    const result = await anew(old);
    expect(result.comparison.equal).toBe(true);
    expect(streams(result).state!.incomparable).toMatch(/^engine behaviours \d+ and \d+ start from different states$/);
    expect(streams(result).console).toMatchObject({ equal: trace.console.length });
    // Nor do states that cannot be compared agree anywhere.
    const altered = trace.console.map((it, n) => (n === 4 ? { ...it, byte: 1 } : it));
    expect(compareRecordings({ ...old, console: altered }, trace).mismatch).toMatchObject({
      stream: 'console',
      differsAt: { moment: trace.console.at(4)!.moment },
      agreedAt: { moment: trace.notes.at(1)!.moment },
    });
    // Of the same behaviour, another state at the start is a difference.
    const same = compareRecordings({ ...trace, checkpoints: old.checkpoints }, trace);
    expect(same).toMatchObject({ equal: false, mismatch: { stream: 'state', differsAt: { moment: 0, ticks: 0 } } });
  });

  it('of format 1.0 and engine behaviour 3, as that version wrote it', async () => {
    const old = openTrace(fileURLToPath(new URL('../../traces/corpus/behaviour-3.djvm', import.meta.url)));
    expect(old.header).toMatchObject({ formatMajor: 1, formatMinor: 0, engineBehaviour: 3 });
    expect(() => replayTrace(old)).toThrow(TraceError);
    const result = await anew(old);
    expect(result).toMatchObject({ comparison: { equal: true }, displaced: [] });
    expect(streams(result)).toMatchObject({ console: { equal: 7 }, end: { equal: 1 } });
    expect(replayTrace(openTrace(result.recorded.path)).ok).toBe(true);
  });
});

describe('where two recordings part', () => {
  const planned = [strike({ kind: 'moment', moment: 9000 })];
  const parts = async (trace: Trace) => (await anew(trace)).comparison;

  it.each<[string, (trace: Trace) => Parameters<typeof rewrite>[2], number, number]>([
    ['state', ({ digests }) => ({ digests: digests.map((it, n) => (n < 6 ? it : { ...it, digest: 1n })) }), 6000, 7000],
    ['console', ({ console }) => ({ console: console.map((it, n) => (n === 3 ? { ...it, byte: 1 } : it)) }), -1, 3],
    ['console', ({ console }) => ({ console: console.filter((_, n) => n !== 5) }), -1, 5],
    ['notes', ({ notes }) => ({ notes: notes.map((it, n) => (n === 2 ? { ...it, arg: 9 } : it)) }), -1, 2],
    ['notes', ({ notes }) => ({ notes: notes.slice(0, -1) }), -1, -1],
  ])('%s', async (stream, change, agreed, differs) => {
    const trace = await store.take({ planned, checkpointEvery: 50_000 });
    const { equal, mismatch } = await parts(rewrite(trace, store.path(), change(trace)));
    expect(equal).toBe(false);
    expect(mismatch!.stream).toBe(stream);
    if (stream === 'state') {
      expect([mismatch!.agreedAt.moment, mismatch!.differsAt.moment]).toEqual([expect.any(Number), differs]);
      expect(mismatch!.agreedAt.moment).toBeGreaterThanOrEqual(agreed);
      expect(mismatch!.agreedAt.moment).toBeLessThan(differs);
    } else {
      const records: RecordList<{ moment: number }> = stream === 'console' ? trace.console : trace.notes;
      expect(mismatch!.differsAt.moment).toBe(records.at(differs)!.moment);
      expect(mismatch!.agreedAt.moment).toBeLessThanOrEqual(mismatch!.differsAt.moment);
    }
  });

  it('the end', async () => {
    const trace = await store.take({ config: machineOf(ECHO), maxMoment: 10 ** 9, planned: [typed(10 ** 7, 'aq')] });
    const sooner = { ...trace, end: { ...trace.end!, reason: 'idle' } };
    expect(await parts(sooner)).toMatchObject({ equal: false, mismatch: { stream: 'end' } });
    const later = { ...trace, end: { ...trace.end!, ticks: 10 ** 6, moment: 10 ** 6 } };
    expect(await parts(later)).toMatchObject({ mismatch: { stream: 'end', differsAt: { moment: trace.end!.moment } } });
    // A recording that was stopped before says nothing about the end; one that was stopped later does.
    const stopped = { ...trace, end: { ...trace.end!, reason: 'stopped' }, last: { moment: 5, ticks: 5 } };
    expect(compareRecordings(stopped, trace).streams.at(-1)).toEqual({ stream: 'end', equal: 0 });
    expect(compareRecordings({ ...stopped, last: trace.last }, trace)).toMatchObject({ mismatch: { stream: 'end' } });
  });

  it('a digest that is due at the same moment, but at another time', async () => {
    const trace = await store.take({ planned });
    const digests = trace.digests.map((it, n) => (n === 4 ? { ...it, ticks: it.ticks + 1 } : it));
    const { mismatch } = compareRecordings({ ...trace, digests, checkpoints: [] }, trace);
    expect(mismatch).toMatchObject({ stream: 'state', differsAt: { moment: 5000 }, agreedAt: { moment: 4000 } });
  });

  it('a console byte of the same moment, but at another time', async () => {
    const trace = await store.take({ planned });
    const console = trace.console.map((it, n) => (n === 4 ? { ...it, ticks: it.ticks + 1 } : it));
    const { mismatch } = compareRecordings({ ...trace, console }, trace);
    expect(mismatch).toMatchObject({
      stream: 'console',
      differsAt: { moment: trace.console.at(4)!.moment, ticks: trace.console.at(4)!.ticks },
    });
  });

  it('a VM’s memory', async () => {
    const trace = await store.take({ planned });
    const vmDigests = trace.digests.map(({ moment, ticks, digest }) => ({ moment, ticks, digest, vmid: 1 }));
    const other = vmDigests.map((it, n) => (n === 2 ? { ...it, digest: 0n } : it));
    const { mismatch } = compareRecordings({ ...trace, vmDigests }, { ...trace, vmDigests: other });
    expect(mismatch).toMatchObject({ stream: 'VM memory', differsAt: { moment: 3000 }, agreedAt: { moment: 2000 } });
  });
});

describe('an input whose position is not met', () => {
  it('keeps its moment when it strikes an instruction, its time when it comes from outside', async () => {
    const planned = [strike({ kind: 'moment', moment: 777 }), typed(1500, 'a')];
    const trace = await store.take({ planned });
    const [fault, text] = trace.inputs;
    const moved = [
      { ...fault!, ticks: fault!.ticks - 3 },
      { ...text!, moment: text!.moment + 3 },
    ];
    const result = await anew(rewrite(trace, store.path(), { inputs: moved }));
    expect(result.comparison.equal).toBe(true);
    expect(result.displaced.map(({ input: { moment, ticks }, appliedAt }) => [{ moment, ticks }, appliedAt])).toEqual(
      [fault!, text!].map(({ moment, ticks }, n) => [
        { moment: moved[n]!.moment, ticks: moved[n]!.ticks },
        { moment, ticks },
      ]),
    );
  });

  it('is named when the run ends before', async () => {
    const trace = await store.take({ config: machineOf(ECHO), maxMoment: 10 ** 9, planned: [typed(10 ** 7, 'q')] });
    const late = {
      ...trace.inputs.at(0)!,
      moment: 10 ** 6,
      ticks: 10 ** 6,
      kind: 'poke',
      data: { paddr: DATA, bytes: Uint8Array.of(1) },
    };
    const result = await anew({ ...trace, inputs: [...trace.inputs, late] });
    expect(result.displaced).toMatchObject([{ input: { moment: 10 ** 6 }, appliedAt: undefined }]);
  });
});

it('the trace that is recorded anew is never written over', async () => {
  const trace = await store.take({});
  const before = readFileSync(trace.path);
  await expect(recordAnew(trace, { path: trace.path })).rejects.toThrow(UserError);
  expect(readFileSync(trace.path)).toEqual(before);
  const path = store.path();
  await expect(recordAnew({ ...trace, image: () => undefined }, { path })).rejects.toThrow(TraceError);
  expect(existsSync(path)).toBe(false);
});
