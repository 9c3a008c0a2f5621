import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeBlock, MAX_BLOCK_BYTES } from './block.ts';
import { Directory } from './directory.ts';
import { firstFrom, openTraceBytes, type Trace, TraceError } from './index.ts';
import { PagedRecords } from './paged.ts';
import { encodePreamble, PREAMBLE_BYTES } from './preamble.ts';
import { CONSOLE } from './records/bulk.ts';
import { encodeEnd } from './records/end.ts';
import { completeHeader, encodeHeader } from './records/header.ts';
import { KIND } from './records/kinds.ts';
import { scanBlocks } from './scan.ts';
import { memorySource } from './source.ts';
import { FIELDS, type ForgedBlock, forged, IMAGES, SAMPLE, SAMPLE_END, sealed, traceBytes } from './trace.fixtures.ts';
import { contentOf } from './walk.ts';

/** Bytes that blocks were decoded to. */
let decoded = 0;
vi.mock('./block.ts', async (original) => {
  const block = await original<typeof import('./block.ts')>();
  const decodeBody: typeof block.decodeBody = (header, stored) => {
    decoded += header.rawBytes;
    return block.decodeBody(header, stored);
  };
  return { ...block, decodeBody };
});
beforeEach(() => {
  decoded = 0;
});

const ROWS = Math.floor(MAX_BLOCK_BYTES / CONSOLE.rowBytes);
const zeros = (kind: number, records: number, rowBytes: number): ForgedBlock => ({
  kind,
  records,
  content: new Uint8Array(records * rowBytes),
});

describe('opening a trace of zero-filled blocks', () => {
  const BLOCKS = 400;
  const file = forged(1, 1, [
    ...Array<ForgedBlock>(BLOCKS).fill(zeros(KIND.CONSOLE, ROWS, CONSOLE.rowBytes)),
    ...Array<ForgedBlock>(BLOCKS).fill(zeros(KIND.NOTES, 37_000, 28)),
    ...Array<ForgedBlock>(BLOCKS).fill(zeros(KIND.PAGES, 256, 4096)),
  ]);

  it('costs its headers, not what they would decode to', () => {
    expect(file.length).toBeLessThan(300_000);
    const trace = openTraceBytes('bomb', file);
    expect(trace.damage?.kind).toBe('truncated');
    expect([trace.console.length, trace.notes.length]).toEqual([BLOCKS * ROWS, BLOCKS * 37_000]);
    expect(decoded).toBeLessThan(10_000);
  });

  it('and reading a few records costs their blocks', () => {
    const trace = openTraceBytes('bomb', file);
    expect(trace.console.slice(0, 5)).toHaveLength(5);
    expect(trace.console.at(-1)).toEqual({ moment: 0, ticks: 0, byte: 0 });
    expect(firstFrom(trace.notes, 'moment', 1)).toBe(trace.notes.length);
    // Both ends of the console; the search looks at one block for each halving.
    expect(decoded).toBeLessThan((2 + Math.log2(BLOCKS) + 2) * MAX_BLOCK_BYTES);
  });
});

describe('a record that claims more than its kind can have', () => {
  const long = (kind: number, blocks: number): ForgedBlock[] =>
    Array.from({ length: blocks }, (_, n) => ({
      kind,
      continues: n < blocks - 1,
      content: new Uint8Array(MAX_BLOCK_BYTES),
    }));
  it.each([
    ['inputs', long(KIND.INPUTS, 20)],
    ['a console over several blocks', long(KIND.CONSOLE, 2)],
    ['a checkpoint', long(KIND.CHECKPOINT, 30)],
    ['an end', [{ kind: KIND.END, content: new Uint8Array(5000) }]],
    ['an image without its name', [{ kind: KIND.IMAGE, content: new Uint8Array(31) }]],
    ['no record at all', [{ kind: KIND.DIGESTS, records: 0, content: new Uint8Array(0) }]],
  ])('is damage, and is not decoded: %s', (_, blocks) => {
    const trace = openTraceBytes('t', forged(1, 1, blocks));
    expect(trace.damage?.kind).toBe('malformed');
    expect(decoded).toBeLessThan(10_000);
  });
});

describe('a run further than its digests reach', () => {
  const END = { moment: 0, ticks: 2 ** 53 - 1, digest: 0n, reason: 'idle' };
  const digest = (...moments: number[]) => {
    const content = new Uint8Array(24 * moments.length);
    const view = new DataView(content.buffer);
    for (const [n, moment] of moments.entries()) {
      for (const column of [0, 8 * moments.length]) view.setBigUint64(column + 8 * n, BigInt(moment), true);
    }
    return { kind: KIND.DIGESTS, records: moments.length, content };
  };
  const end = (moment: number) => ({ kind: KIND.END, content: encodeEnd({ ...END, moment }) });
  const every = FIELDS.digestEvery;

  const at = (last: number) => ({ end: undefined, last: { moment: last }, damage: { kind: 'malformed' } });

  it.each<[string, ForgedBlock[], number]>([
    ['an end at 2^53 - 1 instructions', [end(2 ** 53 - 1)], 0],
    ['an end behind the last digest', [digest(every, 2 * every), end(3 * every + 1)], 2 * every],
    ['an end before the last digest', [digest(every, 2 * every), end(every)], 2 * every],
    ['a first digest far away', [digest(every + 1)], 0],
  ])('is malformed: %s', (_, blocks, last) => {
    for (const thorough of [false, true]) {
      expect(openTraceBytes('t', forged(1, 1, blocks), { thorough })).toMatchObject(at(last));
    }
  });

  it('is malformed in the middle, too, when everything is looked at', () => {
    const opened = (...blocks: ForgedBlock[]) => openTraceBytes('t', forged(1, 1, blocks), { thorough: true });
    expect(opened(digest(1, 2, 3, 3 * every))).toMatchObject(at(0));
    expect(opened(digest(1, 2, 3), digest(3 * every))).toMatchObject(at(3));
  });

  it('is fine where they do', () => {
    const trace = openTraceBytes('t', forged(1, 1, [digest(every, 2 * every), end(3 * every)]), { thorough: true });
    expect(trace).toMatchObject({ damage: { kind: 'truncated' }, last: { moment: 3 * every } });
  });
});

describe('a header with right checksums that contradicts itself', () => {
  const header = completeHeader(FIELDS, [], 1, 1);
  const open =
    (changed: object, minor = 1) =>
    () =>
      openTraceBytes('t', sealed(1, minor, [{ kind: KIND.HEADER, content: encodeHeader({ ...header, ...changed }) }]));

  it.each<[string, () => unknown, RegExp]>([
    ['an id that is another run’s', open({ id: '0123456789abcdef' }), /expected an id that follows/],
    ['a field that its id does not cover', open({ toolVersion: '9.9.9' }), /expected an id that follows/],
    ['another version than the first bytes', open({}, 0), /expected format 1.0 as in the first bytes/],
    ['no digests', open(completeHeader({ ...FIELDS, digestEvery: 0 }, [], 1, 1)), /digestEvery from 1/],
  ])('is refused: %s', (_, act, message) => {
    expect(act).toThrow(TraceError);
    expect(act).toThrow(message);
  });

  it('is fine with fields of a newer version, which its id covers', () => {
    const { id: _, ...body } = completeHeader(FIELDS, [], 1, 9);
    const newer = completeHeader({ ...body, ...{ weather: 'fair' } } as typeof FIELDS, [], 1, 9);
    expect(openTraceBytes('t', sealed(1, 9, [{ kind: KIND.HEADER, content: encodeHeader(newer) }])).header.id).toBe(
      newer.id,
    );
  });
});

it('never shows what a changed byte has damaged, whichever byte', () => {
  const whole = traceBytes(SAMPLE, SAMPLE_END);
  const views: readonly ((trace: Trace) => unknown)[] = [
    (trace) => trace.header,
    ...(['inputs', 'digests', 'vmDigests', 'console', 'notes', 'checkpoints'] as const).flatMap((stream) => [
      (trace: Trace) => [...trace[stream]],
      (trace: Trace) => trace[stream].at(-1),
    ]),
    (trace) => trace.checkpoint(0),
    (trace) => trace.checkpoint(1),
    ...IMAGES.map(
      ({ role }) =>
        (trace: Trace) =>
          trace.image(role),
    ),
  ];
  const original = openTraceBytes('t', whole);
  const expected = views.map((view) => view(original));
  let found = 0;
  for (let at = 0; at < whole.length; at++) {
    const changed = whole.slice();
    changed[at]! ^= 1 << (at % 8);
    try {
      const trace = openTraceBytes('t', changed);
      // What opening itself has found hides what stands behind it; the rest must be as it was, or refused.
      if (trace.damage) found++;
      else for (const [n, view] of views.entries()) expectSameOrRefused(() => view(trace), expected[n]);
    } catch (error) {
      expect(error).toBeInstanceOf(TraceError);
      found++;
    }
  }
  // Headers, preamble, footer and what vouches for the run are always looked at.
  expect(found).toBeGreaterThan(whole.length / 3);
});

function expectSameOrRefused(view: () => unknown, expected: unknown): void {
  let seen: unknown;
  try {
    seen = view();
  } catch (error) {
    expect(error).toBeInstanceOf(TraceError);
    expect((error as TraceError).kind).toBe('damaged');
    return;
  }
  expect(seen).toStrictEqual(expected);
}

describe('places that do not fit into memory', () => {
  /** A trace of console blocks of these lengths with other blocks between them, and its directory of so many places. */
  function listOf(lengths: readonly number[], capacity: number) {
    let n = 0;
    const blocks = lengths.flatMap((records): ForgedBlock[] => {
      const rows = Array.from({ length: records }, () => ({ moment: n, ticks: n, byte: n++ & 255 }));
      return [
        { kind: KIND.CONSOLE, records, content: CONSOLE.encode(rows) },
        { kind: KIND.PAGES, content: new Uint8Array(4096) },
      ];
    });
    const source = memorySource('t', forged(1, 1, blocks));
    const directory = new Directory(capacity);
    const { check } = encodePreamble(1, 1);
    scanBlocks(
      source,
      { major: 1, minor: 1, isCut: false, check },
      {
        contents: false,
        take: (record) => {
          if (record.kind === KIND.CONSOLE) directory.add(record, record.records);
        },
      },
    );
    const decode = (record: Parameters<typeof contentOf>[1]) =>
      CONSOLE.decode(contentOf(source, record), record.records);
    return { total: n, list: new PagedRecords({ source, kind: KIND.CONSOLE, directory, decode, cached: 2 }) };
  }

  it('are found again: every record, in any order', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        lengths,
        fc.integer({ min: 2, max: 6 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (sizes, capacity, picks) => {
          const { list, total } = listOf(sizes, capacity);
          expect(list.length).toBe(total);
          for (const pick of picks) expect(list.at(pick % total)?.moment).toBe(pick % total);
          expect(list.map(({ moment }) => moment)).toEqual(Array.from({ length: total }, (_, n) => n));
          for (const pick of picks) expect(firstFrom(list, 'moment', pick % (total + 1))).toBe(pick % (total + 1));
        },
      ),
      { numRuns: 60 },
    );
  });
});

it('the tests above see the blocks that are decoded', () => {
  const block = encodeBlock({ kind: 1, sequence: 0, records: 1, continues: false, content: new Uint8Array(9) }, 0n);
  expect(block.bytes.length + PREAMBLE_BYTES).toBeGreaterThan(0);
  openTraceBytes('t', traceBytes(SAMPLE, SAMPLE_END));
  expect(decoded).toBeGreaterThan(100);
});
