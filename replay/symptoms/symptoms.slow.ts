/**
 * The symptoms of the kept failed runs (traces/corpus), next to golden runs that are recorded here. Where a symptom
 * says that something is printed, entered or left, going there shows the instruction that does it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { insideVm, NOTES } from '../../engine/index.ts';
import { openTrace, type Trace } from '../../traces/index.ts';
import { withoutFault } from '../corpus.fixtures.ts';
import { vmEquivalence } from '../equivalence/index.ts';
import { failstop, noteOf, openStudio } from '../equivalence/testing.ts';
import { finish } from '../search/index.ts';
import { openTimeline, type TraceTimeline } from '../timeline/index.ts';
import { findSymptoms, type Symptom, type SymptomPlace, symptomText } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-symptoms-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Run {
  readonly a: TraceTimeline;
  readonly g: TraceTimeline;
  readonly found: readonly Symptom[];
}

async function symptomsOf(name: string): Promise<Run> {
  const trace = openTrace(fileURLToPath(new URL(`../../traces/corpus/${name}.djvm`, import.meta.url)));
  const [a, g] = [openTimeline(trace), openTimeline(await withoutFault(trace, folder))];
  return { a, g, found: finish(findSymptoms(a, g)) };
}

const textAt = ({ console }: Trace, place: SymptomPlace): string => {
  const n = console.findIndex(({ ticks }) => ticks === place.ticks + 1);
  return String.fromCharCode(...console.slice(n, n + 4).map(({ byte }) => byte));
};

/** Whether the hart that a place names is next there, at the pc that it names. */
function isNext(run: TraceTimeline, place: SymptomPlace): boolean {
  run.toTicks(place.ticks, 'applied');
  const next = run.machine.next();
  return run.machine.moment === place.moment && next?.hart === place.hart && (!place.pc || next?.pc === place.pc);
}

describe('a run that recovers', async () => {
  const studio = openStudio();
  afterAll(() => studio.close());

  it.each([1, 2, 4])('on %i harts shows that it does, and nothing else', async (harts) => {
    const golden = await studio.record([], { harts });
    const fault = failstop({ kind: 'hypervisor', after: 1_550_000, k: 150 });
    const a = await studio.record([fault], { harts });
    expect(vmEquivalence(a, golden).reasons).toEqual([]);
    const found = finish(findSymptoms(openTimeline(a), openTimeline(golden)));
    const { moment, hart } = noteOf(a, 'DETECTED_TRAP');
    expect(found).toMatchObject([
      { kind: 'detected', at: { moment: moment - 1, hart } },
      { kind: 'output', speaker: undefined, text: expect.stringMatching(/^recovery: hart \d failed: /) },
    ]);
  });
});

describe('copied-word: a VM prints another line', async () => {
  const { a, g, found } = await symptomsOf('copied-word');

  it('is the one symptom, byte for byte', () => {
    expect(found).toMatchObject([{ kind: 'output', speaker: 1, isOrder: false, at: { hart: 0 }, golden: {} }]);
    const [output] = found as [Extract<Symptom, { kind: 'output' }>];
    const { text, golden, byte, at } = output;
    expect(text).not.toBe(golden!.text);
    expect(text.slice(0, byte)).toBe(golden!.text.slice(0, byte));
    expect([textAt(a.trace, at), textAt(g.trace, golden!.at)]).toEqual([
      text.slice(byte, byte + 4),
      golden!.text.slice(byte, byte + 4),
    ]);
    // One bit of a letter.
    const flipped = text.charCodeAt(byte) ^ golden!.text.charCodeAt(byte);
    expect(flipped & (flipped - 1)).toBe(0);
    expect([isNext(a, at), isNext(g, golden!.at)]).toEqual([true, true]);
  });
});

describe('wrong-pc: a VM prints nothing', async () => {
  const { a, g, found } = await symptomsOf('wrong-pc');

  it('misses all of its lines, and its end', () => {
    expect(found).toMatchObject([
      { kind: 'missing', what: 'line', speaker: 2, line: 1, byte: 0 },
      { kind: 'missing', what: 'finished', speaker: 2 },
      { kind: 'missing', what: 'line', speaker: undefined },
      { kind: 'ended', how: 'goes-on', at: a.last, golden: { end: 'halted pass 0', at: g.last } },
    ]);
    const [first, finished] = found.filter((symptom) => symptom.kind === 'missing');
    expect(textAt(g.trace, first!.golden)).toBe('vm2:');
    expect(isNext(g, first!.golden)).toBe(true);
    const done = g.trace.notes.find(({ code, arg }) => code === NOTES.VM_DONE.code && arg === 2)!;
    expect(finished!.golden).toMatchObject({ ticks: done.ticks - 1, hart: done.hart });
  });
});

describe('hang-after-recovery: a VM is never entered again', async () => {
  const { a, g, found } = await symptomsOf('hang-after-recovery');

  it('begins with the VM that stands still and the detection', () => {
    expect(found.slice(0, 3)).toMatchObject([
      { kind: 'stuck', vmid: 1, where: 'outside', cause: { number: 10 } },
      { kind: 'detected', code: NOTES.DETECTED_TRAP.code },
      { kind: 'output', speaker: undefined },
    ]);
    expect(symptomText(found[1]!)).toMatch(/^detected: unexpected trap 0x[0-9a-f]+ at moment \d+ on hart \d$/);
  });

  it('is stuck where the runs show it', () => {
    const stuck = found.filter((symptom) => symptom.kind === 'stuck');
    expect(stuck.map(({ vmid }) => vmid)).toEqual([1, 2, 4]);
    const [first] = stuck as [(typeof stuck)[number], ...typeof stuck];
    expect(first.entries.a).toBe(first.entries.g);
    // The guest asks, and is answered in the golden run alone: the runs part in between.
    expect(isNext(a, first.at!)).toBe(true);
    expect(insideVm(a.machine.hart(first.at!.hart!).mode)).toBe(true);
    const asked = a.machine.hart(first.at!.hart!);
    expect(isNext(g, first.at!)).toBe(true);
    expect(g.machine.hart(first.at!.hart!)).toEqual(asked);
    expect(isNext(g, first.golden)).toBe(true);
    expect(insideVm(g.machine.hart(first.golden.hart!).mode)).toBe(false);
    g.forwardToTicks(first.golden.ticks + 1, 'pending');
    expect(g.machine.hart(first.golden.hart!)).toMatchObject({ mode: 'VS', vmid: 1 });
  });

  it('has other symptoms in order of time, and its disk is not written', () => {
    const times = found.map((symptom) =>
      symptom.kind === 'missing' || !symptom.at ? (symptom as { golden: SymptomPlace }).golden.ticks : symptom.at.ticks,
    );
    expect(times).toEqual(times.toSorted((x, y) => x - y));
    expect(found.slice(-2)).toMatchObject([
      { kind: 'ended', how: 'goes-on' },
      { kind: 'disk', slot: 7 },
    ]);
  });
});
