import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { getSystemErrorMessage, getSystemErrorName } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { writeError } from './errors.ts';
import { createTraceWriter, openTrace, openTraceBytes, TraceError, TraceWriteError } from './index.ts';
import { apply, FIELDS, IMAGES, memorySink, SAMPLE, SAMPLE_END, traceBytes } from './trace.fixtures.ts';
import { traceWriterOn } from './writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-traces-'));
afterAll(() => rmSync(folder, { recursive: true }));
const inFolder = (name: string) => join(folder, name);

function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('expected an error');
}

describe('a trace file', () => {
  it('is what the writer wrote', () => {
    const path = inFolder('whole.djvm');
    const writer = createTraceWriter(path, FIELDS, IMAGES);
    apply(writer, SAMPLE);
    writer.finish(SAMPLE_END);
    expect(Uint8Array.from(readFileSync(path))).toStrictEqual(traceBytes(SAMPLE, SAMPLE_END));
    expect(writer.bytesWritten).toBe(statSync(path).size);
    const trace = openTrace(path);
    expect(trace.end).toStrictEqual(SAMPLE_END);
    expect(trace.checkpoint(1).pages.size).toBe(2);
  });

  it('can be read while it is written, up to the last flush', () => {
    const path = inFolder('live.djvm');
    const writer = createTraceWriter(path, FIELDS, IMAGES);
    expect(openTrace(path).image('bios')?.bytes).toStrictEqual(IMAGES[0]!.bytes);
    writer.digest({ moment: 5, ticks: 6, digest: 1n });
    expect(openTrace(path).digests).toHaveLength(0);
    writer.flush();
    expect(openTrace(path)).toMatchObject({ last: { moment: 5, ticks: 6 }, end: undefined });
    writer.abandon();
    expect(() => writer.flush()).toThrow('closed');
  });

  it('replaces a trace, but nothing else', () => {
    const path = inFolder('again.djvm');
    createTraceWriter(path, FIELDS, IMAGES).finish(SAMPLE_END);
    createTraceWriter(path, FIELDS, []).finish(SAMPLE_END);
    expect(openTrace(path).header.images).toEqual([]);
    const foreign = inFolder('kernel.elf');
    writeFileSync(foreign, '\x7fELF...');
    expect(errorOf(() => createTraceWriter(foreign, FIELDS, []))).toMatchObject({ kind: 'not-a-trace' });
    expect(readFileSync(foreign, 'latin1')).toBe('\x7fELF...');
  });

  it('found changed after it was opened is refused', () => {
    const path = inFolder('changed.djvm');
    writeFileSync(path, traceBytes(SAMPLE, SAMPLE_END));
    const trace = openTrace(path);
    truncateSync(path, 200);
    expect(errorOf(() => trace.checkpoint(0))).toMatchObject({ kind: 'damaged' });
  });
});

function fileOf(content: string): string {
  const path = inFolder('content');
  writeFileSync(path, content);
  return path;
}

describe('a file that cannot be opened', () => {
  it.each<[string, () => string, string, RegExp]>([
    ['missing', () => inFolder('none.djvm'), 'missing', /no such file; `dejavm record -o FILE` makes a trace$/],
    ['empty', () => fileOf(''), 'empty', /is empty; record the run again$/],
    ['text', () => fileOf('hello'), 'not-a-trace', /give a .djvm file$/],
    ['a folder', () => folder, 'not-a-trace', /regular file/],
  ])('%s', (_, path, kind, message) => {
    const error = errorOf(() => openTrace(path()));
    expect(error).toBeInstanceOf(TraceError);
    expect(error).toMatchObject({ kind, message: expect.stringMatching(message) });
    expect((error as Error).message).not.toContain('\n');
  });
});

describe('a place that cannot be written', () => {
  it.each<[string, string, string, RegExp]>([
    ['a folder', folder, 'is-directory', /is a folder; give a file name/],
    ['in no folder', inFolder('no/such/a.djvm'), 'no-folder', /does not exist; create it/],
    ['a full device', '/dev/full', 'disk-full', /no space left/],
  ])('%s', (_, path, kind, message) => {
    const error = errorOf(() => createTraceWriter(path, FIELDS, IMAGES));
    expect(error).toBeInstanceOf(TraceWriteError);
    expect(error).toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  it.each([
    ['EACCES', 'not-writable'],
    ['EROFS', 'not-writable'],
    ['EDQUOT', 'disk-full'],
    ['EFBIG', 'disk-full'],
    ['EIO', 'io'],
  ] as const)('%s is %s, in words that libuv has for it or not', (name, kind) => {
    // As Node makes it: a name where libuv has one.
    const errno = -constants.errno[name];
    const code = getSystemErrorName(errno);
    const error = writeError(
      'p',
      Object.assign(new Error(`${code}: ${getSystemErrorMessage(errno)}, write`), { errno, code }),
    );
    expect(error.kind).toBe(kind);
    expect(error.message).not.toMatch(/Unknown|, write|E[A-Z]+:/);
  });

  it('leaves no half-written file behind', () => {
    const sink = memorySink(500);
    expect(errorOf(() => traceWriterOn(sink, FIELDS, IMAGES))).toMatchObject({ kind: 'disk-full' });
    expect(sink.discarded).toBe(true);
    expect(existsSync('/dev/full')).toBe(true);
  });
});

describe('a disk that fills while recording', () => {
  const whole = traceBytes(SAMPLE, SAMPLE_END);
  const start = traceBytes([]).length;

  it('leaves complete blocks only, whenever it happens', () => {
    const original = openTraceBytes('t', whole);
    for (let capacity = start; capacity < whole.length; capacity++) {
      const sink = memorySink(capacity);
      const writer = traceWriterOn(sink, FIELDS, IMAGES);
      const error = errorOf(() => {
        apply(writer, SAMPLE);
        writer.finish(SAMPLE_END);
      });
      expect(error).toMatchObject({ name: 'TraceWriteError', kind: 'disk-full' });
      // Once failed, always failed: nothing may be appended behind a hole.
      expect(errorOf(() => writer.finish(SAMPLE_END))).toBe(error);
      writer.abandon();
      const content = sink.content();
      expect(content.length).toBe(writer.bytesWritten);
      const trace = openTraceBytes('t', content);
      expect(trace.damage).toMatchObject({ kind: 'truncated', offset: content.length });
      expect([...trace.digests]).toStrictEqual(original.digests.slice(0, trace.digests.length));
    }
  });
});
