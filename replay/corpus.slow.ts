/**
 * The kept traces of runs (traces/corpus) replay bit for bit, and each still shows what its row in the README there
 * says: a change of the engine's behaviour may move a fault to where it does nothing. What a VM should have printed is
 * taken from the same run without the fault, recorded from the trace.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { isDetection, NOTES } from '../engine/index.ts';
import { openTrace, type Trace } from '../traces/index.ts';
import { linesByVm } from './compare/diff-console.ts';
import { inputsFromTrace } from './container/config.ts';
import { withoutFault } from './corpus.fixtures.ts';
import { vmEquivalence } from './equivalence/index.ts';
import { linesOf } from './timeline/index.ts';
import { replayTrace } from './verify/verify.ts';

const corpus = fileURLToPath(new URL('../traces/corpus/', import.meta.url));
const readme = readFileSync(join(corpus, 'README.md'), 'utf8');
const runs = readdirSync(corpus).filter((name) => name.endsWith('.djvm') && !/^(format|behaviour)-/.test(name));
const folder = mkdtempSync(join(tmpdir(), 'dejavm-corpus-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What each run shows, by the trace's name. */
const SHOWN: Readonly<Record<string, (trace: Trace, row: string) => Promise<void> | void>> = {
  'copied-word.djvm': async (trace) => {
    expect(detections(trace)).toEqual([]);
    const [printed, golden] = [vmLines(trace), vmLines(await withoutFault(trace, folder))];
    const wrong = printed.get(1)!.filter((line, n) => line !== golden.get(1)![n]);
    expect(wrong).toHaveLength(1);
    expect(printed.get(1)).toHaveLength(golden.get(1)!.length);
    expect(printed.get(2)).toEqual(golden.get(2));
  },
  'wrong-pc.djvm': async (trace) => {
    expect(detections(trace)).toEqual([]);
    const [printed, golden] = [vmLines(trace), vmLines(await withoutFault(trace, folder))];
    expect(golden.get(2)!.at(-1)).toMatch(/^sum .* ok$/);
    expect(printed.get(2)).toBeUndefined();
    expect(printed.get(1)).toEqual(golden.get(1));
  },
  'hang-after-recovery.djvm': (trace, row) => {
    const [strike] = inputsFromTrace(trace).filter(({ event }) => event.kind === 'fault');
    const [detected] = detections(trace);
    expect(row).toContain(`found ${(detected! - strike!.moment).toLocaleString('en')} instructions later`);
    expect(trace.notes.filter(({ code }) => code === NOTES.RESUMED.code)).toHaveLength(1);
    const { equivalent, vms } = vmEquivalence(trace);
    expect(equivalent).toBe(false);
    expect(vms.map(({ vmid, survived, resumedAs }) => [vmid, survived, resumedAs])).toEqual([
      [1, false, 'not-resumed'],
      [2, true, 'completed'],
      [3, true, 'unchanged'],
    ]);
  },
};

it('every kept run has a row in the README, and a statement of what it shows here', () => {
  expect(runs.length).toBeGreaterThan(0);
  expect(Object.keys(SHOWN).sort()).toEqual(runs);
  for (const name of runs) expect(rowOf(name)).toBeDefined();
});

describe.each(runs)('%s', (name) => {
  it('replays, and shows what its row says', async () => {
    const trace = openTrace(corpus + name);
    expect(trace.damage).toBeUndefined();
    expect(trace.inputs.filter(({ kind }) => kind === 'fault')).toHaveLength(1);
    expect(replayTrace(trace)).toMatchObject({ ok: true });
    await SHOWN[name]!(trace, rowOf(name)!);
  });
});

const rowOf = (name: string): string | undefined => readme.split('\n').find((line) => line.startsWith(`| \`${name}\``));

const detections = ({ notes }: Trace): number[] =>
  notes.filter(({ code }) => isDetection(code)).map(({ moment }) => moment);

const vmLines = (trace: Trace): Map<number, string[]> => linesByVm(linesOf(trace.console));
