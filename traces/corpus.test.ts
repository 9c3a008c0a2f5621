import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { FORMAT_MAJOR, FORMAT_MINOR, openTrace, type TraceHeaderFields } from './index.ts';
import { FIELDS, FIELDS_OF_CUT, FIELDS_WITH_DEVICES, IMAGES, recordsOf, SAMPLE, SAMPLE_END } from './trace.fixtures.ts';

const corpus = fileURLToPath(new URL('./corpus/', import.meta.url));
const versions = readdirSync(corpus).filter((name) => name.startsWith('format-'));

const FIELDS_OF: Readonly<Record<string, TraceHeaderFields>> = {
  'format-1.0.djvm': FIELDS,
  'format-1.1.djvm': FIELDS_WITH_DEVICES,
  'format-1.2.djvm': FIELDS_OF_CUT,
};

it('the corpus has a trace of the present version', () => {
  expect(versions).toContain(`format-${FORMAT_MAJOR}.${FORMAT_MINOR}.djvm`);
});

it.each(versions)('%s reads as it was written', (name) => {
  const trace = openTrace(corpus + name);
  expect(trace.damage).toBeUndefined();
  expect(`format-${trace.header.formatMajor}.${trace.header.formatMinor}.djvm`).toBe(name);
  expect(trace.header).toMatchObject(FIELDS_OF[name]!);
  expect([...trace.inputs]).toStrictEqual(recordsOf(SAMPLE, 'input'));
  expect([...trace.digests]).toStrictEqual(recordsOf(SAMPLE, 'digest'));
  expect([...trace.console]).toStrictEqual(recordsOf(SAMPLE, 'console'));
  expect([...trace.notes]).toStrictEqual(recordsOf(SAMPLE, 'note'));
  expect(trace.end).toStrictEqual(SAMPLE_END);
  for (const { role, bytes } of IMAGES) expect(trace.image(role)?.bytes).toStrictEqual(bytes);
  for (const [n, { state, digest }] of recordsOf(SAMPLE, 'checkpoint').entries()) {
    expect(trace.checkpoint(n)).toMatchObject({ digest, state });
  }
  // Page 0 was cleared, page 7 became what page 0 was.
  const [first, second] = [trace.checkpoint(0).pages, trace.checkpoint(1).pages];
  expect([...second.keys()].sort()).toEqual([7, 9]);
  expect(second.get(7)!.bytes).toStrictEqual(first.get(0)!.bytes);
});
