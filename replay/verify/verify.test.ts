import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMachine, ENGINE_BEHAVIOUR } from '../../engine/index.ts';
import { openTraceBytes, TraceError, type TraceInput } from '../../traces/index.ts';
import { MAX_VMID, type Position } from '../base/index.ts';
import { configFromTrace, inputsFromTrace } from '../container/config.ts';
import { DATA, machineOf, rewrite, traceStore, WORK } from '../replay.fixtures.ts';
import { replayTrace } from './verify.ts';

const store = traceStore();

describe('replay finds', async () => {
  const poke: TraceInput['data'] = { paddr: DATA + 0x800, bytes: Uint8Array.of(0x10) };
  const trace = await store.take({
    planned: [
      {
        trigger: { kind: 'moment', moment: 6_500 },
        event: { kind: 'poke', ...(poke as { paddr: number; bytes: Uint8Array }) },
      },
    ],
  });
  const changed = (change: Parameters<typeof rewrite>[2]) => replayTrace(rewrite(trace, store.path(), change));
  const at = (moment: number) => expect.objectContaining({ moment });

  it('nothing in a faithful copy', () => {
    expect(changed({})).toMatchObject({ ok: true, digestsCompared: 20 + 6 + 1 });
  });

  it('a state that differs, between two digests, and what it is at the next checkpoint', () => {
    const result = changed({ inputs: [] });
    expect(result).toMatchObject({ ok: false, end: { moment: 7000 } });
    // Checkpoints 0 and 4000, digests 1000 to 6000.
    expect(result.digestsCompared).toBe(8);
    expect(result.divergence).toMatchObject({
      what: 'state digest',
      agreedAt: { moment: 6000 },
      differsAt: { moment: 7000 },
      expected: trace.digests.at(6)!.digest,
      differencesAt: { moment: 8000 },
      differences: [{ where: 'ram', paddr: DATA + 0x800, a: 0x10n, b: 0n }],
    });
  });

  it('the VMs whose memory was recorded otherwise at the same position', () => {
    const { digests } = trace;
    const vm = (vmid: number, { moment, ticks }: Position) => ({ moment, ticks, vmid, digest: 5n });
    const [before, here, behind] = [digests.at(5)!, digests.at(6)!, digests.at(7)!];
    const vmDigests = [vm(3, before), vm(1, here), vm(2, here), vm(MAX_VMID + 1, here), vm(4, behind)];
    const other = { ...rewrite(trace, store.path(), { inputs: [] }), vmDigests };
    expect(replayTrace(other).divergence).toMatchObject({ differsAt: { moment: 7000 }, vms: [1, 2] });
  });

  it('a wrong digest, although the state is right', () => {
    const digests = trace.digests.map((digest, n) => (n === 2 ? { ...digest, digest: digest.digest ^ 1n } : digest));
    expect(changed({ digests }).divergence).toMatchObject({
      agreedAt: at(2000),
      differsAt: at(3000),
      differences: [],
    });
  });

  it('a console byte that differs, is missing, or is too many', () => {
    const console = [...trace.console];
    const third = console[3]!;
    const swapped = console.with(3, { ...third, byte: 0x3f });
    expect(changed({ console: swapped }).divergence).toMatchObject({
      what: 'console',
      differsAt: at(third.moment),
      expected: 0x3fn,
    });
    const sooner = changed({ console: console.with(3, { ...third, moment: third.moment - 1 }) });
    expect(sooner.divergence).toMatchObject({ what: 'console', differsAt: at(third.moment) });
    const without = changed({ console: console.toSpliced(3, 1) });
    expect(without.divergence).toMatchObject({ what: 'console', differsAt: at(third.moment) });
    const more = changed({ console: [...console, { ...trace.last, byte: 1 }] });
    expect(more.divergence).toMatchObject({ what: 'console', expected: 1n, actual: -1n, agreedAt: at(19_000) });
  });

  it('a note that differs', () => {
    const [first] = trace.notes;
    const notes = [...trace.notes].with(0, { ...first!, hart: 1, arg: 2 });
    expect(changed({ notes }).divergence).toMatchObject({
      what: 'note',
      differsAt: at(first!.moment),
      // Hart, argument and code, 16 bits for each of the latter.
      expected: 0x1_0002_1003n,
      actual: BigInt(first!.arg * 2 ** 16 + 0x1003),
    });
  });

  it('an end that differs, and an input that does not fall where it should', () => {
    expect(changed({ end: { ...trace.end!, digest: 0n } }).divergence).toMatchObject({
      agreedAt: at(20_000),
      expected: 0n,
    });
    const inputs = trace.inputs.map((input) => ({ ...input, moment: input.moment + 1 }));
    expect(changed({ inputs }).divergence).toMatchObject({ what: 'position', agreedAt: at(6000), differsAt: at(7000) });
  });

  it('a position that is never reached', () => {
    const last = trace.digests.at(-1)!;
    const digests = [...trace.digests].with(-1, { ...last, ticks: last.ticks + 1 });
    const end = { ...trace.end!, ticks: trace.end!.ticks + 2 };
    expect(changed({ digests, end }).divergence?.what).toBe('position');
  });

  it('nothing before the checkpoint that it starts from, or behind `until`', () => {
    const bad = rewrite(trace, store.path(), { inputs: [] });
    expect(replayTrace(bad, { until: 6_900 })).toMatchObject({ ok: true, end: { moment: 6_900 } });
    expect(replayTrace(trace, { until: 6_900 }).complete).toBe(false);
    expect(replayTrace(trace, { until: trace.last.moment }).complete).toBe(true);
    expect(replayTrace(bad, { fromCheckpoint: 2 }).ok).toBe(true);
    expect(replayTrace(bad, { fromCheckpoint: 1 }).ok).toBe(false);
    expect(() => replayTrace(bad, { fromCheckpoint: 99 })).toThrow(RangeError);
  });

  it('every prefix of the file agreeing', () => {
    const bytes = readFileSync(trace.path);
    for (let share = 0.2; share < 1; share += 0.04) {
      const prefix = openTraceBytes('prefix', bytes.subarray(0, Math.floor(bytes.length * share)));
      const result = replayTrace(prefix);
      expect(result).toMatchObject({ ok: true, end: prefix.last });
    }
  });
});

describe('a trace that cannot run here', async () => {
  const trace = await store.take({ maxMoment: 100 });

  it('because the engine behaves otherwise, names both versions', () => {
    const other = rewrite(trace, store.path(), { header: { engineBehaviour: ENGINE_BEHAVIOUR + 1 } });
    expect(() => replayTrace(other)).toThrow(TraceError);
    expect(() => replayTrace(other)).toThrow(
      new RegExp(
        `engine behaviour ${ENGINE_BEHAVIOUR + 1}, this dejavm has ${ENGINE_BEHAVIOUR}; replay it with that version`,
      ),
    );
  });

  it.each<[string, TraceInput]>([
    ['an unknown kind', { moment: 1, ticks: 1, kind: 'cosmic', data: {} }],
    ['no bytes', { moment: 1, ticks: 1, kind: 'console', data: { bytes: 'abc' } }],
    ['no data', { moment: 1, ticks: 1, kind: 'console', data: null }],
    [
      'a bit that no register has',
      { moment: 1, ticks: 1, kind: 'fault', data: { fault: { model: 'register', hart: 0, register: 3, bit: 64 } } },
    ],
    ['an unresolved hart', { moment: 1, ticks: 1, kind: 'fault', data: { fault: { model: 'failstop', hart: -1 } } }],
  ])('because an input has %s', (_, input) => {
    expect(() => [...inputsFromTrace({ ...trace, inputs: [input] })]).toThrow(
      /the input at moment 1 is not one that this dejavm knows/,
    );
  });

  it('its machine is the one it was recorded on', () => {
    const config = configFromTrace(trace);
    expect(config).toEqual(machineOf(WORK));
    expect(createMachine(config).digest()).toBe(trace.checkpoints.at(0)!.digest);
  });
});
