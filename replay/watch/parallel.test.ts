/** Two threads against one: the same answer, the same place, the same error. */
import { describe, expect, it } from 'vitest';
import { TraceError } from '../../traces/index.ts';
import { DATA, machineOf, rewrite, traceStore, WORK } from '../replay.fixtures.ts';
import { finish } from '../search/index.ts';
import { openTimeline } from '../timeline/index.ts';
import type { WatchedMemory } from './memory.ts';
import { lastAccessInParallel, type ShareOptions } from './parallel.ts';
import { lastAccess } from './who-wrote.ts';

const store = traceStore();
const EVERY = 2_000;
const UNTOUCHED = DATA + 0x9000;
const poke = (moment: number, paddr: number) => ({
  trigger: { kind: 'moment', moment } as const,
  event: { kind: 'poke', paddr, bytes: Uint8Array.of(moment & 255, 1) } as const,
});
// Inputs at checkpoints, between them, and at the very beginning.
const trace = await store.take({
  config: machineOf(WORK),
  planned: [
    poke(0, UNTOUCHED + 64),
    poke(4 * EVERY, UNTOUCHED + 128),
    poke(4 * EVERY + 700, UNTOUCHED + 256),
    poke(9 * EVERY, UNTOUCHED + 512),
  ],
  maxMoment: 30 * EVERY,
  checkpointEvery: EVERY,
});
const SHARED = { threads: 2, alone: EVERY } satisfies ShareOptions;

const bytesAt = (paddr: number, what: Partial<WatchedMemory> = { writes: true }): WatchedMemory => ({
  at: { space: 'spa', address: BigInt(paddr) },
  bytes: 8,
  ...what,
});

const untouched = bytesAt(UNTOUCHED);

/** What comes of a question asked at the end, or another moment: the answer and where the run stands then. */
async function asked(memory: WatchedMemory, options: ShareOptions | undefined, of = trace, from = of.last.moment) {
  const run = openTimeline(of);
  run.seek(from);
  const hit = options ? await lastAccessInParallel(run, memory, options) : finish(lastAccess(run, memory));
  const { machine, place } = run;
  return { hit, place, digest: machine.digest(), watches: machine.watches };
}

/** Handles that keep a process alive. */
const threads = () => process.getActiveResourcesInfo().filter((name) => /Worker|MessagePort/.test(name)).length;

describe('the last access, asked of two threads', () => {
  it.each<[what: string, memory: WatchedMemory, from?: number]>([
    ['nothing wrote there', untouched],
    ['an input of the very beginning', bytesAt(UNTOUCHED + 64)],
    ['an input where a window begins', bytesAt(UNTOUCHED + 128), 4 * EVERY + 1],
    ['an input where a window ends', bytesAt(UNTOUCHED + 128, { changes: true }), 5 * EVERY],
    ['hits everywhere', bytesAt(DATA)],
    ['reads, asked where a window begins', bytesAt(DATA + 8, { reads: true }), 20 * EVERY],
  ])('%s', async (_, memory, from) => {
    const alone = await asked(memory, undefined, trace, from);
    const before = threads();
    // Asked of the newest window already, or of those behind it.
    const shared = await asked(memory, from === undefined ? SHARED : { threads: 2, alone: 0 }, trace, from);
    expect(shared).toEqual(alone);
    expect(alone.hit === undefined).toBe(memory === untouched);
    expect(threads()).toBe(before);
  });
});

describe('a second thread that cannot help', () => {
  it('is replaced by the first, when its name is that of another trace by now', async () => {
    const other = await store.take({ config: machineOf(WORK), maxMoment: EVERY });
    const renamed = Object.create(trace, { path: { value: other.path } }) as typeof trace;
    const memory = bytesAt(UNTOUCHED + 64);
    expect(await asked(memory, SHARED, renamed)).toEqual(await asked(memory, undefined));
  });

  it('is not started for short searches, or on one core', async () => {
    const before = threads();
    const onProgress = () => expect(threads()).toBe(before);
    for (const options of [{ threads: 1, alone: 0 }, { threads: 2 }]) {
      expect((await asked(bytesAt(UNTOUCHED), { ...options, onProgress })).hit).toBeUndefined();
    }
  });

  it('ends when the search is stopped', async () => {
    const controller = new AbortController();
    const run = openTimeline(trace);
    run.seek(run.last.moment);
    const { place } = run;
    const before = threads();
    const onProgress = () => {
      if (threads() > before) controller.abort();
    };
    const options = { ...SHARED, signal: controller.signal, onProgress };
    expect(await lastAccessInParallel(run, bytesAt(UNTOUCHED), options)).toBeUndefined();
    expect(controller.signal.aborted).toBe(true);
    expect([run.place, run.machine.watches, threads()]).toEqual([place, [], before]);
  });
});

it('meets the same error where a run leaves its recording, and finds the same behind that', async () => {
  const damaged = rewrite(trace, store.path(), {
    inputs: [...trace.inputs].map((input, n) => (n === 2 ? { ...input, moment: input.moment + 1 } : input)),
  });
  const outcome = async (memory: WatchedMemory, options: ShareOptions | undefined, from: number) => {
    try {
      return await asked(memory, options, damaged, from);
    } catch (error) {
      return error;
    }
  };
  const early = bytesAt(UNTOUCHED + 64);
  const alone = await outcome(early, undefined, damaged.last.moment);
  expect(alone).toBeInstanceOf(TraceError);
  expect(await outcome(early, SHARED, damaged.last.moment)).toEqual(alone);
  const behind = bytesAt(UNTOUCHED + 512);
  const found = await outcome(behind, undefined, 10 * EVERY);
  expect(found).toMatchObject({ hit: { kind: 'access', by: 'input' } });
  expect(await outcome(behind, { threads: 2, alone: 0 }, 10 * EVERY)).toEqual(found);
});
