import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_HEADER_BYTES, decodeBody } from './block.ts';
import { xxh64 } from './hash.ts';
import { openTraceBytes, type Trace, TraceError } from './index.ts';
import { Malformed } from './malformed.ts';
import { pack } from './msgpack.ts';
import { KIND } from './records/kinds.ts';
import { forged, IMAGES, type Op, opsArb, SAMPLE, SAMPLE_END, SPARSE_FIELDS, traceBytes } from './trace.fixtures.ts';

const WHOLE = traceBytes(SAMPLE, SAMPLE_END);
const ORIGINAL = openTraceBytes('t', WHOLE);

/** Blocks by an independent reading of the format: [kind, records, end offset]. */
function blocksOf(bytes: Uint8Array): { kind: number; records: number; end: number }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const blocks = [];
  for (let at = 24; at + 40 <= bytes.length && view.getUint32(at, true) === 0x42564a44; ) {
    const end = at + 40 + view.getUint32(at + 16, true);
    blocks.push({ kind: view.getUint8(at + 4), records: view.getUint32(at + 20, true), end });
    at = end;
  }
  return blocks;
}

/** Opens a trace and looks at every byte of it. */
const openWhole = (bytes: Uint8Array, path = 't') => openTraceBytes(path, bytes, { thorough: true });

function tryOpen(bytes: Uint8Array, open: (bytes: Uint8Array) => Trace = openWhole): Trace | TraceError {
  try {
    return open(bytes);
  } catch (error) {
    if (error instanceof TraceError) return error;
    throw error;
  }
}

/** Asserts that what is readable of `trace` is a prefix of the original, stream by stream, contents included. */
function expectPrefixOf(original: Trace, trace: Trace): void {
  expect(trace.header).toStrictEqual(original.header);
  for (const stream of ['inputs', 'digests', 'vmDigests', 'console', 'notes', 'checkpoints'] as const) {
    expect([...trace[stream]]).toStrictEqual(original[stream].slice(0, trace[stream].length));
  }
  trace.checkpoints.forEach((_, n) => {
    expect(trace.checkpoint(n)).toStrictEqual(original.checkpoint(n));
  });
  if (trace.end) expect(trace.end).toStrictEqual(original.end);
  for (const { role } of IMAGES) {
    try {
      expect(trace.image(role)).toStrictEqual(original.image(role));
    } catch (error) {
      expect(error).toBeInstanceOf(TraceError);
    }
  }
}

describe('a trace cut off at any byte', () => {
  it('gives exactly the records of its complete blocks', () => {
    const blocks = blocksOf(WHOLE);
    const count = (kind: number, length: number) =>
      blocks.filter((b) => b.kind === kind && b.end <= length).reduce((sum, b) => sum + b.records, 0);
    for (let length = 0; length < WHOLE.length; length++) {
      const trace = tryOpen(WHOLE.subarray(0, length));
      if (length < blocks[0]!.end) {
        expect(trace, `length ${length}`).toBeInstanceOf(TraceError);
        expect((trace as TraceError).kind).toBe(length === 0 ? 'empty' : 'damaged');
        continue;
      }
      if (trace instanceof TraceError) throw trace;
      expectPrefixOf(ORIGINAL, trace);
      expect(trace.inputs).toHaveLength(count(KIND.INPUTS, length));
      expect(trace.digests).toHaveLength(count(KIND.DIGESTS, length));
      expect(trace.console).toHaveLength(count(KIND.CONSOLE, length));
      expect(trace.notes).toHaveLength(count(KIND.NOTES, length));
      expect(trace.checkpoints).toHaveLength(count(KIND.CHECKPOINT, length));
      expect(trace.end !== undefined).toBe(count(KIND.END, length) === 1);
      const lastComplete = blocks.findLast((b) => b.end <= length)!.end;
      expect(trace.damage).toMatchObject({ kind: 'truncated', offset: lastComplete, lastGood: trace.last });
    }
  });

  it('has whatever a readable digest or checkpoint depends on', () => {
    fc.assert(
      fc.property(opsArb, fc.double({ min: 0, max: 1, noNaN: true }), (ops, share) => {
        const bytes = traceBytes(ops, undefined, IMAGES, SPARSE_FIELDS);
        const trace = tryOpen(bytes.subarray(0, Math.floor(bytes.length * share)));
        if (trace instanceof TraceError) return;
        let digests = trace.digests.length;
        let checkpoints = trace.checkpoints.length;
        const before = { input: 0, vmDigest: 0, console: 0, note: 0 };
        for (const step of ops) {
          if (digests === 0 && checkpoints === 0) break;
          if (step.op === 'digest') digests--;
          else if (step.op === 'checkpoint') checkpoints--;
          else if (step.op !== 'flush') before[step.op]++;
        }
        expect(trace.inputs.length).toBeGreaterThanOrEqual(before.input);
        expect(trace.vmDigests.length).toBeGreaterThanOrEqual(before.vmDigest);
        expect(trace.console.length).toBeGreaterThanOrEqual(before.console);
        expect(trace.notes.length).toBeGreaterThanOrEqual(before.note);
      }),
      { numRuns: 150 },
    );
  });
});

describe('a flipped byte', () => {
  const expectFound = (bytes: Uint8Array, at: number, mask: number, original: Trace) => {
    const flipped = bytes.slice();
    flipped[at]! ^= mask;
    const trace = tryOpen(flipped);
    if (trace instanceof TraceError) {
      expect(['damaged', 'not-a-trace'], `byte ${at}`).toContain(trace.kind);
      return;
    }
    expect(trace.damage, `byte ${at} of ${bytes.length} flipped by ${mask}`).toBeDefined();
    expect(trace.damage!.offset).toBeLessThanOrEqual(at);
    expectPrefixOf(original, trace);
  };

  it('is found wherever it is', () => {
    for (let at = 0; at < WHOLE.length; at++) expectFound(WHOLE, at, 1 << (at % 8), ORIGINAL);
  });

  it('is found in any trace, whatever changed in it', () => {
    fc.assert(
      fc.property(opsArb, fc.nat(), fc.integer({ min: 1, max: 255 }), (ops, at, mask) => {
        const end = { ...SAMPLE_END, moment: 2 ** 32, ticks: 2 ** 52 };
        const bytes = traceBytes(ops, end, IMAGES, SPARSE_FIELDS);
        expectFound(bytes, at % bytes.length, mask, openTraceBytes('t', bytes));
      }),
      { numRuns: 200 },
    );
  });

  it('is located: the block, and the last position that is good', () => {
    const second = WHOLE.slice();
    const blocks = blocksOf(WHOLE);
    const n = blocks.findIndex((b) => b.kind === KIND.NOTES);
    second[blocks[n]!.end - 1]! ^= 1;
    const { damage } = openWhole(second);
    expect(damage).toMatchObject({
      offset: blocks[n - 1]!.end,
      kind: 'checksum',
      lastGood: { moment: 100, ticks: 120 },
    });
    expect(damage!.message).toBe(`content of block ${n} is damaged`);
  });
});

describe('an image', () => {
  const blocks = blocksOf(WHOLE);
  const first = blocks.findIndex((b) => b.kind === KIND.IMAGE);
  const { role, name } = IMAGES[0]!;
  const imageOf = (bytes: Uint8Array) => {
    try {
      return openWhole(bytes).image(role);
    } catch (error) {
      return error as TraceError;
    }
  };

  it('that is damaged is called so, with the place, and not cut off', () => {
    const flipped = WHOLE.slice();
    flipped[blocks[first]!.end - 1]! ^= 1;
    const start = blocks[first - 1]!.end;
    expect(imageOf(flipped)).toMatchObject({
      kind: 'damaged',
      message: `t: the ${role} image (${name}) cannot be read: content of block ${first} is damaged, at byte ${start}; use another copy of the file`,
    });
  });

  it('that the file ends before was cut off', () => {
    expect(imageOf(WHOLE.slice(0, blocks[first]!.end - 1))).toMatchObject({
      kind: 'no-image',
      message: `t: the ${role} image (${name}) was cut off; record the run again`,
    });
  });
});

describe('another version', () => {
  it('is refused by name when the major differs', () => {
    expect(() => openWhole(forged(2, 3, []), 'a.djvm')).toThrow(
      'a.djvm: trace format 2.3, this dejavm reads 1.2; use a newer dejavm',
    );
    expect((tryOpen(forged(2, 3, [])) as TraceError).kind).toBe('newer');
    expect((tryOpen(forged(0, 9, [])) as TraceError).message).toContain('use the dejavm that wrote it');
  });

  it('is read when only the minor is newer, without the kinds it added', () => {
    const digest = new Uint8Array(24).fill(1, 0, 1).fill(9, 16);
    const known = { kind: KIND.DIGESTS, content: digest };
    const unknown = { kind: 99, content: new Uint8Array(1000).fill(5) };
    const trace = openWhole(forged(1, 7, [unknown, known, unknown]));
    expect([...trace.digests]).toStrictEqual([{ moment: 1, ticks: 0, digest: 0x0909_0909_0909_0909n }]);
    expect(trace.header.formatMinor).toBe(7);
    expect(trace.damage?.kind).toBe('truncated');
    // In our own version an unknown kind is damage, not a feature.
    expect(openWhole(forged(1, 0, [unknown, known])).damage?.kind).toBe('malformed');
  });

  it('is refused when it needs a feature that we do not have', () => {
    const bytes = forged(1, 0, []);
    const view = new DataView(bytes.buffer);
    view.setUint32(12, 4, true);
    view.setBigUint64(16, xxh64(bytes.subarray(0, 16)), true);
    expect((tryOpen(bytes) as TraceError).kind).toBe('newer');
    expect((tryOpen(bytes) as TraceError).message).toContain('features 0x4');
  });
});

describe('a forged block with right checksums', () => {
  const damageOf = (kind: number, records: number, content: Uint8Array) =>
    openWhole(forged(1, 0, [{ kind, records, content }])).damage;
  const u32 = (...words: number[]) => new Uint8Array(Uint32Array.from(words).buffer);

  it.each<[string, number, number, Uint8Array]>([
    ['fewer rows than it says', KIND.DIGESTS, 3, new Uint8Array(24)],
    ['billions of rows', KIND.CONSOLE, 0xffff_ffff, new Uint8Array(17)],
    ['a position beyond 2^53', KIND.NOTES, 1, new Uint8Array(28).fill(255)],
    ['positions that go back', KIND.DIGESTS, 2, u32(9, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['an input that is no array', KIND.INPUTS, 1, pack({ moment: 1 }, 9)],
    ['an input with a reserved byte', KIND.INPUTS, 1, Uint8Array.of(0x94, 1, 1, 0xa1, 0x6b, 0xc1)],
    ['an input cut short', KIND.INPUTS, 1, pack([1, 2, 'kind', [1, 2, 3]], 9).subarray(0, -1)],
    [
      'an input with a claimed length of 4 GiB',
      KIND.INPUTS,
      1,
      Uint8Array.of(0x94, 1, 1, 0xa1, 0x6b, 0xc6, 255, 255, 255, 255),
    ],
    ['a checkpoint with a state of 4 GiB', KIND.CHECKPOINT, 1, new Uint8Array(36).fill(255, 24)],
    ['a checkpoint whose page stands nowhere', KIND.CHECKPOINT, 1, u32(0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 7, 0, 0, 0)],
    ['pages of odd size', KIND.PAGES, 1, new Uint8Array(4095)],
    ['an end too short', KIND.END, 1, new Uint8Array(23)],
    ['a second header', KIND.HEADER, 1, pack({}, 9)],
    ['an index of other blocks', KIND.INDEX, 1, new Uint8Array(21)],
  ])('is malformed: %s', (_, kind, records, content) => {
    expect(damageOf(kind, records, content)).toMatchObject({ kind: 'malformed', lastGood: { moment: 0, ticks: 0 } });
  });

  it('cannot fill memory', () => {
    const bomb = zstdCompressSync(new Uint8Array(1 << 26));
    const header = { kind: 3, codec: 1, continues: false, sequence: 1, records: 1, bodyHash: 0n, check: 0n };
    expect(() => decodeBody({ ...header, rawBytes: 1 << 20, storedBytes: bomb.length }, bomb)).toThrow(Malformed);
    expect(() => decodeBody({ ...header, rawBytes: 0, storedBytes: bomb.length }, bomb)).toThrow(Malformed);
    expect(() => decodeBody({ ...header, codec: 9, rawBytes: 1, storedBytes: 1 }, Uint8Array.of(1))).toThrow(Malformed);
  });

  it('cannot claim more than 1 MiB', () => {
    const bytes = forged(1, 0, [{ kind: KIND.DIGESTS, content: new Uint8Array(24) }]);
    const at = blocksOf(bytes)[0]!.end;
    const view = new DataView(bytes.buffer);
    const previous = view.getBigUint64(24 + 32, true);
    view.setUint32(at + 12, 0xffff_ffff, true);
    view.setBigUint64(at + 32, xxh64(bytes.subarray(at, at + 32), previous), true);
    expect(openWhole(bytes).damage).toMatchObject({ kind: 'malformed', offset: at });
    expect(at + BLOCK_HEADER_BYTES).toBeLessThan(bytes.length);
  });

  it('cannot be cut out, swapped or repeated', () => {
    const ends = [24, ...blocksOf(WHOLE).map((b) => b.end)];
    const blocks = ends.slice(1).map((end, i) => WHOLE.subarray(ends[i]!, end));
    const rest = WHOLE.subarray(ends.at(-1)!);
    const build = (order: number[]) => Buffer.concat([WHOLE.subarray(0, 24), ...order.map((i) => blocks[i]!), rest]);
    const order = [...blocks.keys()];
    expect(openWhole(build(order)).damage).toBeUndefined();
    for (let i = 1; i < blocks.length - 1; i++) {
      for (const changed of [order.toSpliced(i, 1), order.toSpliced(i, 2, i + 1, i), order.toSpliced(i, 0, i)]) {
        const trace = tryOpen(build(changed)) as Trace;
        expect(trace.damage?.offset).toBeGreaterThanOrEqual(ends[i]!);
        expectPrefixOf(ORIGINAL, trace);
      }
    }
  });
});

describe('bytes that are no trace', () => {
  it('never open, and never throw anything but TraceError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, magic) => {
        const content = magic ? Buffer.concat([WHOLE.subarray(0, 24), bytes]) : bytes;
        expect(tryOpen(Uint8Array.from(content))).toBeInstanceOf(TraceError);
      }),
    );
  });

  it('survive anything after the footer only as damage', () => {
    const trace = openWhole(Buffer.concat([WHOLE, Uint8Array.of(0)]));
    expect(trace.damage).toMatchObject({
      kind: 'malformed',
      offset: WHOLE.length,
      message: '1 bytes follow the footer',
    });
    expect(trace.end).toStrictEqual(SAMPLE_END);
  });
});

/** The sample must exercise what the tests above claim to. */
it('the sample has every kind of block', () => {
  expect(new Set(blocksOf(WHOLE).map((b) => b.kind))).toEqual(new Set(Object.values(KIND)));
  expect((SAMPLE as Op[]).length).toBeGreaterThan(5);
});
