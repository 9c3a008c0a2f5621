import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FORMAT_MAJOR, FORMAT_MINOR, openTraceBytes, type TraceCheckpoint } from './index.ts';
import { encodePreamble } from './preamble.ts';
import { KIND } from './records/kinds.ts';
import { scanBlocks } from './scan.ts';
import { memorySource } from './source.ts';
import {
  apply,
  FIELDS,
  IMAGES,
  memorySink,
  type Op,
  opsArb,
  page,
  recordsOf,
  SAMPLE,
  SAMPLE_END,
  SPARSE_FIELDS,
  traceBytes,
} from './trace.fixtures.ts';
import type { RecordPlace } from './walk.ts';
import { traceWriterOn } from './writer.ts';

/** Page maps as the recorder meant them, by an independent reading of the contract. */
function pageMaps(checkpoints: readonly TraceCheckpoint[]): Map<number, Uint8Array>[] {
  const now = new Map<number, Uint8Array>();
  return checkpoints.map((checkpoint) => {
    for (const changed of checkpoint.changed) now.set(changed.index, changed.bytes);
    for (const index of checkpoint.cleared) now.delete(index);
    return new Map(now);
  });
}

/** Page contents that stand in a trace. */
function pagesIn(bytes: Uint8Array): number {
  let pages = 0;
  const take = ({ kind, records }: RecordPlace) => {
    if (kind === KIND.PAGES) pages += records;
  };
  scanBlocks(
    memorySource('t', bytes),
    { major: FORMAT_MAJOR, minor: FORMAT_MINOR, isCut: false, check: encodePreamble().check },
    { contents: false, take },
  );
  return pages;
}

function expectSame(bytes: Uint8Array, ops: readonly Op[]): void {
  const trace = openTraceBytes('t', bytes);
  expect([...trace.inputs]).toStrictEqual(recordsOf(ops, 'input'));
  expect([...trace.digests]).toStrictEqual(recordsOf(ops, 'digest'));
  expect([...trace.vmDigests]).toStrictEqual(recordsOf(ops, 'vmDigest'));
  expect([...trace.console]).toStrictEqual(recordsOf(ops, 'console'));
  expect([...trace.notes]).toStrictEqual(recordsOf(ops, 'note'));
  const checkpoints = recordsOf(ops, 'checkpoint');
  const maps = pageMaps(checkpoints);
  expect(trace.checkpoints).toHaveLength(checkpoints.length);
  // Backwards and forwards: loading one must not depend on which was loaded before.
  for (const n of [...checkpoints.keys(), ...[...checkpoints.keys()].reverse()]) {
    const { moment, ticks, digest, state } = checkpoints[n]!;
    const loaded = trace.checkpoint(n);
    expect(trace.checkpoints.at(n)).toStrictEqual({ moment, ticks, digest });
    expect(loaded).toMatchObject({ moment, ticks, digest });
    expect(loaded.state).toStrictEqual(state);
    expect(new Map([...loaded.pages].map(([index, p]) => [index, p.bytes]))).toStrictEqual(maps[n]);
  }
}

describe('a trace', () => {
  it('gives back any records, finished or abandoned', () => {
    fc.assert(
      fc.property(opsArb, fc.boolean(), (ops, finished) => {
        const bytes = traceBytes(
          ops,
          finished ? { moment: 2 ** 32, ticks: 2 ** 53 - 1, digest: 7n, reason: 'idle — ✓' } : undefined,
          IMAGES,
          SPARSE_FIELDS,
        );
        expectSame(bytes, ops);
        const trace = openTraceBytes('t', bytes);
        expect(trace.end?.reason).toBe(finished ? 'idle — ✓' : undefined);
        expect(trace.damage?.kind).toBe(finished ? undefined : 'truncated');
      }),
      { numRuns: 150 },
    );
  });

  it('carries its header and images, and names the run after them', () => {
    const trace = openTraceBytes('t', traceBytes(SAMPLE, SAMPLE_END));
    expect(trace.header).toMatchObject(FIELDS);
    expect(trace.header).toMatchObject({ formatMajor: FORMAT_MAJOR, formatMinor: FORMAT_MINOR });
    expect(trace.header.id).toMatch(/^[0-9a-f]{16}$/);
    for (const { role, name, bytes } of IMAGES) expect(trace.image(role)).toStrictEqual({ name, bytes });
    expect(trace.image('initrd')).toBeUndefined();
    const other = openTraceBytes('t', traceBytes([], SAMPLE_END, [IMAGES[0]!]));
    expect(other.header.id).not.toBe(trace.header.id);
    expect(openTraceBytes('t', traceBytes([])).header.id).toBe(trace.header.id);
  });

  it('vouches for its end, or for the last digest or checkpoint', () => {
    expect(openTraceBytes('t', traceBytes(SAMPLE, SAMPLE_END)).last).toEqual({ moment: 310, ticks: 2 ** 40 + 30 });
    expect(openTraceBytes('t', traceBytes(SAMPLE)).last).toEqual({ moment: 300, ticks: 2 ** 40 + 9 });
    expect(openTraceBytes('t', traceBytes(SAMPLE.slice(0, 9))).last).toEqual({ moment: 200, ticks: 240 });
    expect(openTraceBytes('t', traceBytes([])).last).toEqual({ moment: 0, ticks: 0 });
  });

  it('is the same bytes for the same records', () => {
    expect(traceBytes(SAMPLE, SAMPLE_END)).toStrictEqual(traceBytes(SAMPLE, SAMPLE_END));
  });

  it('spans blocks with what is larger than one', () => {
    const noise = (length: number) => Uint8Array.from({ length }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 13);
    const image = { role: 'initrd', name: 'disk', bytes: noise(3 * 2 ** 20 + 5) };
    const changed = Array.from({ length: 600 }, (_, i) => page(i, i % 250));
    const paste = { moment: 5, ticks: 5, kind: 'console', data: noise(2 ** 20 + 1) };
    const ops: Op[] = [
      {
        op: 'checkpoint',
        record: { moment: 0, ticks: 0, digest: 0n, state: noise(2 ** 20 + 7), changed, cleared: [] },
      },
      { op: 'input', record: paste },
    ];
    for (let i = 0; i < 70_000; i++)
      ops.push({ op: 'console', record: { moment: 10 + i, ticks: 10 + i, byte: i & 255 } });
    const bytes = traceBytes(ops, { ...SAMPLE_END, moment: 10 ** 6 }, [...IMAGES, image]);
    expectSame(bytes, ops);
    expect(openTraceBytes('t', bytes).image('initrd')).toStrictEqual({ name: 'disk', bytes: image.bytes });
  });

  it('stores each page content and each image once', () => {
    const random = new Uint8Array(4096).map((_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 11);
    const big = { role: 'kernel', name: 'k', bytes: random };
    const sizeOf = (images: (typeof big)[], checkpoints: number) => {
      const sink = memorySink();
      const writer = traceWriterOn(sink, FIELDS, images);
      const hash = page(0, 1).hash;
      for (let n = 0; n < checkpoints; n++) {
        const changed = [{ ...page(n, 1), hash }, page(n + 100, 1)];
        writer.checkpoint({ moment: n, ticks: n, digest: 0n, state: new Uint8Array(0), changed, cleared: [] });
      }
      writer.finish(SAMPLE_END);
      return sink.content().length;
    };
    expect(sizeOf([big, { ...big, role: 'initrd' }], 0) - sizeOf([big], 0)).toBeLessThan(200);
    expect(sizeOf([], 21) - sizeOf([], 1)).toBeLessThan(20 * 200);
  });

  it('stores again the page contents that were not used for longest, when they are too many to remember', () => {
    const ops = [[0, 1, 2], [0], [3], [0], [4], [0], [1]].map(
      (contents, n): Op => ({
        op: 'checkpoint',
        record: {
          moment: n,
          ticks: n,
          digest: 0n,
          state: new Uint8Array(0),
          changed: contents.map((content) => page(10 * n + content, content)),
          cleared: [],
        },
      }),
    );
    const stored = (maxPlaces: number) => {
      const sink = memorySink();
      const writer = traceWriterOn(sink, FIELDS, [], maxPlaces);
      apply(writer, ops);
      writer.finish(SAMPLE_END);
      expectSame(sink.content(), ops);
      return pagesIn(sink.content());
    };
    expect(stored(5)).toBe(5);
    // 0 is always among the three that were used last, 1 is not.
    expect(stored(3)).toBe(5 + 1);
    expect(stored(1)).toBe(5 + 4);
  });
});

describe('the writer refuses what is our mistake', () => {
  const writer = () => traceWriterOn(memorySink(), FIELDS, []);
  it.each<[string, () => void]>([
    ['a position that goes back', () => [5, 4].map((n) => writerOnce.digest({ moment: n, ticks: n, digest: 0n }))],
    ['an unsafe position', () => writer().input({ moment: 2 ** 53, ticks: 0, kind: 'k', data: null })],
    [
      'a page that does not match its hash',
      () =>
        writer().checkpoint({
          moment: 0,
          ticks: 0,
          digest: 0n,
          state: new Uint8Array(),
          changed: [{ ...page(0, 1), hash: 5n }],
          cleared: [],
        }),
    ],
    [
      'a digest beyond 64 bits',
      () => {
        const w = writer();
        w.digest({ moment: 0, ticks: 0, digest: 1n << 64n });
        w.flush();
      },
    ],
  ])('%s', (_, act) => expect(act).toThrow(RangeError));
  const writerOnce = writer();
});
