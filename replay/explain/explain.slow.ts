/** The kept failed runs are explained: of each the bit that its fault flipped, which `explainRun` does not look at. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { openTrace } from '../../traces/index.ts';
import { inputsFromTrace } from '../container/index.ts';
import { withoutFault } from '../corpus.fixtures.ts';
import { finish } from '../search/index.ts';
import { openTimeline } from '../timeline/index.ts';
import { type ExplainProgress, explainRun, firstDifference } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-explaining-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('explainRun', () => {
  it.each([
    ['copied-word', { kind: 'register', hart: 0, what: 't3', bits: [5] }],
    ['wrong-pc', { kind: 'register', hart: 1, what: 'a3', bits: [3] }],
    ['hang-after-recovery', { kind: 'code', paddr: 0x8020_1e79, bits: [2], symbol: 'lazarus pick+0x19' }],
  ])('finds what began %s', async (name, cause) => {
    const path = fileURLToPath(new URL(`../../traces/corpus/${name}.djvm`, import.meta.url));
    const trace = openTrace(path);
    const into = join(folder, name);
    mkdirSync(into);
    const [a, g] = [openTimeline(trace), openTimeline(await withoutFault(trace, into))];
    const progress: ExplainProgress = {};
    const { symptoms, explained, tried } = finish(explainRun(a, g, progress));
    const [fault] = inputsFromTrace(trace).filter(({ event }) => event.kind === 'fault');
    const position = { moment: fault!.moment, ticks: fault!.ticks };
    expect(explained!.answer.cause).toMatchObject({ ...cause, position, inputs: ['fault'] });
    expect([progress.symptoms, progress.asking, progress.tried]).toEqual([symptoms, explained!.symptom, tried]);
    const first = firstDifference(a, g, position);
    expect([first.equalAt, first.differsAt!.ticks]).toEqual([position, position.ticks + 1]);
    // What is no cause is not confirmed: recorded digests say around which positions the runs part.
    const other = firstDifference(a, g, { moment: 0, ticks: 1_000 });
    expect(other.equalAt!.ticks).toBeLessThanOrEqual(position.ticks);
    expect(other.differsAt!.ticks).toBeGreaterThan(position.ticks);
  });
});
