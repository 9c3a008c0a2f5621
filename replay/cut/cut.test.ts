/**
 * Cuts replay: what they hold is what the whole recording holds there, at the same moments, and every question about a
 * run can be asked of them. Relies on the small programs of replay.fixtures.ts.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../engine/index.ts';
import {
  addBookmark,
  dumpRecords,
  openTrace,
  readBookmarks,
  type Trace,
  TraceError,
  TraceWriteError,
} from '../../traces/index.ts';
import { MomentError, type Place } from '../base/index.ts';
import { bisectTraces, compareRecordings, diffTraces } from '../compare/index.ts';
import { goToMoment, parseMomentText } from '../language/index.ts';
import { recordAnew } from '../record/index.ts';
import { DATA, ECHO, machineOf, rewrite, traceStore } from '../replay.fixtures.ts';
import { finish } from '../search/index.ts';
import { openTimeline } from '../timeline/index.ts';
import { replayTrace, verifyCheckpoints } from '../verify/index.ts';
import { lastAccess } from '../watch/index.ts';
import { bisectWhen, firstWhen, readCondition } from '../when/index.ts';
import { type CutOptions, type CutResult, cutTrace } from './index.ts';

const store = traceStore();
const poke = (moment: number, byte: number) => ({
  trigger: { kind: 'moment', moment } as const,
  event: { kind: 'poke', paddr: DATA + 8, bytes: Uint8Array.of(byte) } as const,
});
const POKES = [3000, 7001, 12_345].map((moment) => poke(moment, moment & 0xff));

let whole: Trace;
beforeAll(async () => {
  whole = await store.take({ planned: POKES });
});

const place = (trace: Trace, moment: number, here: Place['here'] = 'applied'): Place => {
  const run = openTimeline(trace);
  run.seek(moment, here);
  return run.place;
};
const options = (trace: Trace, from: number, to: number, here?: Place['here']): CutOptions => ({
  from: place(trace, from),
  to: place(trace, to, here),
  path: store.path(),
});
const cut = (trace: Trace, its: CutOptions): CutResult => finish(cutTrace(openTimeline(trace), its))!;
const cutOut = (trace: Trace, from: number, to: number, here?: Place['here']): Trace =>
  openTrace(cut(trace, options(trace, from, to, here)).path, { thorough: true });

/** All that replays, verifies, and is what the whole recording says. */
function expectPart(part: Trace, of: Trace): void {
  expect(part.damage).toBeUndefined();
  verifyCheckpoints(part);
  expect(replayTrace(part)).toMatchObject({ ok: true, complete: true, end: part.last });
  const { first, last } = part;
  const isInside = ({ ticks }: { readonly ticks: number }) => ticks >= first.ticks && ticks <= last.ticks;
  const isBehind = ({ ticks }: { readonly ticks: number }) => ticks > first.ticks && ticks <= last.ticks;
  expect([...part.digests]).toEqual([...of.digests].filter(isInside));
  expect([...part.vmDigests]).toEqual([...of.vmDigests].filter(isInside));
  expect([...part.console]).toEqual([...of.console].filter(isBehind));
  expect([...part.notes]).toEqual([...of.notes].filter(isBehind));
  const [own, others] = [openTimeline(part), openTimeline(of)];
  for (const moment of [first.moment, Math.floor((first.moment + last.moment) / 2), last.moment]) {
    own.seek(moment, 'pending');
    others.seek(moment, 'pending');
    expect([own.ticks, own.machine.digest()]).toEqual([others.ticks, others.machine.digest()]);
  }
}

describe('a cut', () => {
  it('replays, at any two moments, with the digests of the whole recording', () => {
    const moments = fc.tuple(fc.nat(19_998), fc.integer({ min: 1, max: 20_000 }), fc.boolean());
    fc.assert(
      fc.property(moments, ([from, length, isPending]) => {
        const to = Math.min(20_000, from + length);
        const part = cutOut(whole, from, to, isPending ? 'pending' : 'applied');
        expect([part.first.moment, part.last.moment]).toEqual([from, to]);
        expect(part.header.cut).toEqual({ of: whole.header.id, from: part.first, to: part.last });
        expectPart(part, whole);
      }),
      { numRuns: 8 },
    );
  });

  it('begins before the inputs of its first position, and ends on the asked side of those of its last', () => {
    const at = 7001;
    const inputs = (trace: Trace) => trace.inputs.map(({ moment }) => moment);
    expect(inputs(cutOut(whole, at, 9000))).toEqual([at]);
    expect(inputs(cutOut(whole, at - 1, at))).toEqual([at]);
    expect(inputs(cutOut(whole, at - 1, at, 'pending'))).toEqual([]);
    expect(inputs(cutOut(whole, at + 1, 9000))).toEqual([]);
  });

  it('of a cut is the cut of the whole, byte for byte', () => {
    const outer = cutOut(whole, 2500, 15_000);
    const inner = cut(outer, options(outer, 6000, 13_000));
    const direct = cut(whole, options(whole, 6000, 13_000));
    expect(readFileSync(inner.path).equals(readFileSync(direct.path))).toBe(true);
    expect(inner).toMatchObject({ of: whole.header.id, id: direct.id });
    expectPart(openTrace(inner.path), whole);
  });

  it('to the end ends as the recording does; from the start on it is the recording', () => {
    const part = cutOut(whole, 0, 20_000);
    expect(part.end).toEqual(whole.end);
    const [ours, others] = [part, whole].map((trace) => [...dumpRecords(trace)].slice(1));
    expect(ours).toEqual(others);
    expect(cutOut(whole, 0, 19_999).end!.reason).toBe('cut');
  });

  it('holds what is typed to a machine that sleeps, and its waiting bytes', async () => {
    const typed = [40, 900, 2000, 5000].map((ticks, n) => ({
      trigger: { kind: 'ticks', ticks } as const,
      event: { kind: 'console', bytes: Buffer.from(n === 3 ? 'q' : 'abcdefghijklmnopqr'.slice(0, 6 * n + 2)) } as const,
    }));
    const asleep = await store.take({ config: machineOf(ECHO), planned: typed, digestEvery: 50 });
    expect(asleep.end!.reason).toBe('halted pass 0');
    const { moment } = asleep.last;
    for (const [from, to] of [
      [0.1, 0.6],
      [0.3, 1],
      [0.5, 0.9],
    ] as const) {
      expectPart(cutOut(asleep, Math.floor(from * moment), Math.floor(to * moment)), asleep);
    }
  });

  it('of a recording that was cut off ends where that does', async () => {
    const recorded = await store.take({ planned: POKES });
    const stopped = store.path();
    writeFileSync(stopped, readFileSync(recorded.path).subarray(0, Math.floor(0.8 * recorded.sizeBytes)));
    const trace = openTrace(stopped);
    expect(trace.end).toBeUndefined();
    const part = cutOut(trace, 1000, trace.last.moment);
    expect(part.end!.reason).toBe('cut');
    expectPart(part, recorded);
  });
});

describe('questions of a cut', () => {
  let part: Trace;
  beforeAll(() => {
    part = cutOut(whole, 5000, 15_000);
  });

  it('that lead before it are refused with what it has', () => {
    const run = openTimeline(part);
    expect(run.moment).toBe(5000);
    const why = new RegExp(`has moments 5000 to 15000; it is a cut, the whole run is recording ${whole.header.id}`);
    for (const go of [
      () => run.seek(4999),
      () => run.toTicks(part.first.ticks - 1, 'pending'),
      () => run.seek(15_001),
    ]) {
      expect(go).toThrow(MomentError);
      expect(go).toThrow(why);
    }
    run.seek(5003);
    run.stepBackward(10);
    expect(run.moment).toBe(5000);
  });

  it('by name: positions are those of the whole run, what is counted begins with the cut', () => {
    const go = (text: string) => {
      const run = openTimeline(part);
      finish(goToMoment(run, parseMomentText(text)));
      return run.place;
    };
    expect(go('start-')).toMatchObject(part.first);
    expect(go('start')).toMatchObject(part.first);
    for (const [text, moment] of [
      ['6000', 6000],
      ['input', 7001],
      ['input#2-1', 12_344],
      ['end-1000', 14_000],
      ['start+7', 5007],
    ] as const) {
      expect(go(text).moment).toBe(moment);
    }
    expect(go(`${part.first.ticks + 9}ns`).ticks).toBe(part.first.ticks + 9);
    for (const text of ['4999', `${part.first.ticks - 1}ns`, 'start-1', 'input-5000']) {
      expect(() => go(text)).toThrow(/is before the start: .* has moments 5000 to 15000; it is a cut/);
    }
    expect(() => go('input#3')).toThrow(/there is no input#3/);
  });

  it('who wrote: what the whole recording answers, or nothing', () => {
    const ask = (trace: Trace, paddr: number) => {
      const run = openTimeline(trace);
      run.seek(15_000);
      return finish(lastAccess(run, { at: { space: 'spa', address: BigInt(paddr) }, bytes: 1, writes: true }));
    };
    expect(ask(part, DATA + 8)).toEqual(ask(whole, DATA + 8));
    expect(ask(part, DATA + 8)).toMatchObject({ moment: 12_345 });
    expect(ask(part, DATA - 8)).toBeUndefined();
  });

  it('when: from where it begins', () => {
    const ask = (trace: Trace, text: string) => {
      const run = openTimeline(trace);
      run.seek(5000, 'pending');
      const { machine, symbols } = run;
      const condition = readCondition(text, { machine, symbols });
      const first = finish(firstWhen(run, condition, { ticks: part.last.ticks, here: 'applied' }));
      return [first, finish(bisectWhen(openTimeline(part), condition))?.outcome];
    };
    for (const text of [`[spa:${DATA + 8}]:1 == 0x39`, `[spa:${DATA}]:8 > 0`]) {
      expect(ask(part, text)).toEqual(ask(whole, text));
    }
    expect(ask(part, `[spa:${DATA + 8}]:1 == 0x39`)).toEqual([expect.objectContaining({ moment: 12_345 }), 'found']);
    expect(ask(part, `[spa:${DATA}]:8 > 0`)[1]).toBe('always');
  });

  it('diff and bisect compare what both have', async () => {
    expect(compareRecordings(whole, part).equal).toBe(true);
    expect(diffTraces(part, whole)).toMatchObject({ equal: true, part: { from: part.first, to: part.last } });
    expect(diffTraces(whole, part).lines[0]).toBe('compared from moment 5000 to 15000 only: a cut has no more');
    expect(bisectTraces(whole, part)).toMatchObject({
      identical: true,
      cause: expect.stringContaining('is a part of'),
    });
    const other = await store.take({ planned: [POKES[0]!, POKES[1]!, poke(9000, 1), POKES[2]!] });
    expect(compareRecordings(other, part)).toMatchObject({
      equal: false,
      mismatch: { stream: 'state', agreedAt: { moment: 9000 }, differsAt: { moment: 10_000 } },
    });
    expect(diffTraces(other, part)).toMatchObject({ equal: false, inputs: [{ moment: 9000 }] });
    expect(bisectTraces(other, part)).toMatchObject({ identical: false, moment: 9000 });
    const [early, late] = [cutOut(other, 8000, 14_000), cutOut(other, 9500, 14_000)];
    expect(bisectTraces(part, early)).toMatchObject({ identical: false, moment: 9000 });
    const parted = bisectTraces(part, late);
    expect(parted).toMatchObject({ identical: false, moment: 9500, cause: expect.stringMatching(/parted before/) });
    expect(parted.differences.length).toBeGreaterThan(0);
    const apart = () => bisectTraces(cutOut(whole, 0, 5000), late);
    expect(apart).toThrow(/no moment in common: .* 0 to 5000.* 9500 to 14000/);
  });

  it('rerun is refused', async () => {
    await expect(recordAnew(part, { path: store.path() })).rejects.toThrow(
      new RegExp(`begins at moment 5000, .*rerun the whole recording, ${whole.header.id}`),
    );
  });
});

describe('nothing is cut', () => {
  const files = () => readdirSync(dirname(whole.path)).sort();
  const act = (trace: Trace, its: CutOptions) => () => cut(trace, its);

  it('where nothing lies between, or over the recording itself', () => {
    const before = files();
    const bytes = readFileSync(whole.path);
    for (const [from, to] of [
      [5000, 5000],
      [5001, 5000],
    ] as const) {
      expect(act(whole, options(whole, from, to))).toThrow(UserError);
      expect(act(whole, options(whole, from, to))).toThrow(
        /nothing to cut: --from is moment 500., --to is moment 5000/,
      );
    }
    const onto = { ...options(whole, 1, 2), path: whole.path };
    expect(act(whole, onto)).toThrow(/is the trace that is to be cut: give the new one another name/);
    expect(files()).toEqual(before);
    expect(readFileSync(whole.path).equals(bytes)).toBe(true);
  });

  it('over what is no trace; a trace of that name is replaced', () => {
    const path = store.path();
    writeFileSync(path, 'something else');
    expect(act(whole, { ...options(whole, 1, 2), path })).toThrow(TraceWriteError);
    expect(readFileSync(path, 'utf8')).toBe('something else');
    const old = cutOut(whole, 1, 2);
    cut(whole, { ...options(whole, 100, 200), path: old.path });
    expect(openTrace(old.path).first.moment).toBe(100);
  });

  it('when it is ended on its way: no file is left, and the one of that name stays', () => {
    const older = cutOut(whole, 1, 2);
    const bytes = readFileSync(older.path);
    for (const path of [store.path(), older.path]) {
      const before = files();
      const cutting = cutTrace(openTimeline(whole), { ...options(whole, 1000, 19_000), path });
      expect(cutting.next().done).toBe(false);
      cutting.return(undefined as never);
      expect(files()).toEqual(before);
    }
    expect(readFileSync(older.path).equals(bytes)).toBe(true);
  });

  it('when the recording does not replay there', () => {
    const altered = rewrite(whole, store.path(), {
      digests: [...whole.digests].map((at) => (at.moment === 9000 ? { ...at, digest: at.digest ^ 1n } : at)) as never,
    });
    const its = options(altered, 8000, 10_000);
    expect(act(altered, its)).toThrow(TraceError);
    expect(act(altered, its)).toThrow(/not later than moment 9000, so nothing is cut; 'dejavm verify' says where/);
    expect(existsSync(its.path as string)).toBe(false);
    // What is fine is cut.
    expectPart(cutOut(altered, 2000, 8000), whole);
  });
});

it('bookmarks of the part come along once', async () => {
  const trace = await store.take({ planned: POKES });
  for (const moment of [100, 6000, 7001, 19_000]) addBookmark(trace, { ...place(trace, moment), text: `at ${moment}` });
  const its = options(trace, 6000, 9000);
  for (let times = 0; times < 2; times++) expect(cut(trace, its).bookmarks).toBe(2);
  const { bookmarks } = readBookmarks(openTrace(its.path as string));
  expect(bookmarks.map(({ moment, text, isOfThisRun }) => [moment, text, isOfThisRun])).toEqual([
    [6000, 'at 6000', true],
    [7001, 'at 7001', true],
  ]);
  expect(statSync(`${its.path}.bookmarks`).mode & 0o777).toBe(0o600);
});
