/** The kept traces of runs (traces/corpus) replay bit for bit. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openTrace } from '../traces/index.ts';
import { replayTrace } from './index.ts';

const corpus = fileURLToPath(new URL('../traces/corpus/', import.meta.url));
const runs = readdirSync(corpus).filter((name) => name.endsWith('.djvm') && !name.startsWith('format-'));

it('there are such traces', () => {
  expect(runs.length).toBeGreaterThan(0);
});

it.each(runs)('%s', (name) => {
  const trace = openTrace(corpus + name);
  expect(trace.damage).toBeUndefined();
  expect(trace.inputs.filter(({ kind }) => kind === 'fault')).toHaveLength(1);
  expect(replayTrace(trace)).toMatchObject({ ok: true });
});
