/**
 * What a power cut costs. The calls that a recorder makes are kept; a disk that takes only what it was waited for is
 * made from any beginning of them. Between two syncs it may take anything or nothing, and in any order.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTraceWriter, openTrace, openTraceBytes, TraceWriteError, type TraceWriter } from './index.ts';
import { apply, FIELDS, IMAGES, SAMPLE, SAMPLE_END, traceBytes } from './trace.fixtures.ts';

/** A call that changes what is on the disk, or waits for it. */
type Call =
  | { readonly call: 'create' | 'fdatasync' | 'fsync'; readonly path: string }
  | { readonly call: 'write'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly call: 'rename'; readonly path: string; readonly to: string };
const made = vi.hoisted(() => ({
  calls: [] as Call[],
  paths: new Map<number, string>(),
  /** The call that fails, the how manyth of its kind, and why. */
  failing: undefined as { call: string; n: number; errno: number; code: string } | undefined,
}));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const note = (call: Call) => {
    made.calls.push(call);
    const { failing } = made;
    if (failing?.call !== call.call || made.calls.filter((earlier) => earlier.call === call.call).length !== failing.n)
      return;
    throw Object.assign(new Error(`${failing.code}: planted, ${call.call}`), failing);
  };
  return {
    ...real,
    openSync(path: string, flags: string, mode?: number) {
      const fd = real.openSync(path, flags, mode);
      made.paths.set(fd, path);
      if (flags === 'wx') note({ call: 'create', path });
      return fd;
    },
    writeSync(fd: number, bytes: Uint8Array, at: number) {
      const count = real.writeSync(fd, bytes, at);
      note({ call: 'write', path: made.paths.get(fd)!, bytes: bytes.slice(at, at + count) });
      return count;
    },
    fdatasyncSync(fd: number) {
      real.fdatasyncSync(fd);
      note({ call: 'fdatasync', path: made.paths.get(fd)! });
    },
    fsyncSync(fd: number) {
      real.fsyncSync(fd);
      note({ call: 'fsync', path: made.paths.get(fd)! });
    },
    renameSync(path: string, to: string) {
      real.renameSync(path, to);
      note({ call: 'rename', path, to });
    },
  };
});

const folder = fs.mkdtempSync(join(tmpdir(), 'dejavm-power-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const path = join(folder, 'run.djvm');
beforeEach(() => {
  for (const name of fs.readdirSync(folder)) fs.rmSync(join(folder, name));
  Object.assign(made, { calls: [], failing: undefined });
});

const OLD = traceBytes([], SAMPLE_END);
const WHOLE = traceBytes(SAMPLE, SAMPLE_END);

/** A file: what was written, and what of it the disk was waited for. */
interface OnDisk {
  bytes: Uint8Array;
  synced: Uint8Array;
}

/**
 * Every content that the name may have after a power cut behind these calls, when a name that was not waited for may or
 * may not be there, and of a file only what was waited for is there.
 */
function afterPowerCut(
  calls: readonly Call[],
  name: string,
  before: Uint8Array | undefined,
): (Uint8Array | undefined)[] {
  const empty = new Uint8Array(0);
  const files = new Map<string, OnDisk>();
  let possible: { file: OnDisk | undefined }[] = [{ file: before && { bytes: before, synced: before } }];
  for (const call of calls) {
    if (call.call === 'create') {
      files.set(call.path, { bytes: empty, synced: empty });
      if (call.path === name) possible.push({ file: files.get(name) });
    } else if (call.call === 'write') {
      const file = files.get(call.path)!;
      file.bytes = Buffer.concat([file.bytes, call.bytes]);
    } else if (call.call === 'fdatasync') {
      const file = files.get(call.path)!;
      file.synced = file.bytes;
    } else if (call.call === 'rename') {
      const file = files.get(call.path)!;
      files.delete(call.path);
      files.set(call.to, file);
      if (call.to === name) possible.push({ file });
    } else if (call.path === folder) {
      // The folder is as it looks now.
      possible = possible.slice(-1);
    }
  }
  return possible.map(({ file }) => file && Uint8Array.from(file.synced));
}

/** The sample is synced behind its last checkpoint, at moment 200. */
const MIDDLE = SAMPLE.findLastIndex(({ op }) => op === 'checkpoint') + 1;

/** Records the sample; answers how many calls were made when its middle was synced. */
function recordSample(opened: (writer: TraceWriter) => void = () => {}): number {
  const writer = createTraceWriter(path, FIELDS, IMAGES);
  opened(writer);
  apply(writer, SAMPLE.slice(0, MIDDLE));
  writer.sync();
  const calls = made.calls.length;
  apply(writer, SAMPLE.slice(MIDDLE));
  writer.finish(SAMPLE_END);
  return calls;
}

describe('a power cut at any time', () => {
  it('leaves the old trace or the new one, whole, where one is replaced', () => {
    fs.writeFileSync(path, OLD);
    recordSample();
    const { calls } = made;
    expect(calls.map(({ call }) => call).filter((call) => call !== 'write')).toEqual([
      'create',
      'fdatasync',
      'fsync',
      'fdatasync',
      'rename',
      'fsync',
    ]);
    for (let cut = 0; cut <= calls.length; cut++) {
      for (const content of afterPowerCut(calls.slice(0, cut), path, OLD)) expect([OLD, WHOLE]).toContainEqual(content);
    }
    expect(afterPowerCut(calls, path, OLD)).toEqual([WHOLE]);
  });

  it.each(['new', 'old'])('leaves what was synced, under a name that is %s', (which) => {
    if (which === 'old') fs.writeFileSync(path, OLD);
    const written = which === 'old' ? join(folder, 'run.part.djvm') : path;
    const middle = recordSample();
    const { calls } = made;
    const renamed = calls.findIndex(({ call }) => call === 'rename');
    for (let cut = middle; cut <= (renamed < 0 ? calls.length : renamed); cut++) {
      const contents = afterPowerCut(calls.slice(0, cut), written, undefined);
      expect(contents).toHaveLength(1);
      expect(openTraceBytes('t', contents[0]!).last.moment).toBeGreaterThanOrEqual(200);
    }
    if (which === 'new') expect(afterPowerCut(calls, path, undefined)).toEqual([WHOLE]);
  });

  it('leaves nothing that was only flushed, but what was abandoned', () => {
    const writer = createTraceWriter(path, FIELDS, IMAGES);
    const digest = (moment: number) => writer.digest({ moment, ticks: moment, digest: 1n });
    const left = () =>
      afterPowerCut(made.calls, path, undefined).map((bytes) => bytes && openTraceBytes('t', bytes).last.moment);
    digest(10);
    writer.sync();
    expect(left()).toEqual([10]);
    digest(20);
    writer.flush();
    expect(left()).toEqual([10]);
    writer.abandon();
    expect(left()).toEqual([20]);
  });
});

describe('a disk that does not take what it was given', () => {
  const whatFails = (act: () => unknown): TraceWriteError => {
    try {
      act();
    } catch (error) {
      expect(error).toBeInstanceOf(TraceWriteError);
      return error as TraceWriteError;
    }
    throw new Error('nothing failed');
  };
  const error = (code: 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EINVAL' | 'EACCES') => {
    const errno = { EIO: -5, ENOSPC: -28, EDQUOT: -122, EINVAL: -22, EACCES: -13 }[code];
    return { errno, code: code === 'EDQUOT' ? 'Unknown system error -122' : code };
  };

  it.each([
    ['EIO', 'io', /cannot be written: i\/o error; record elsewhere$/],
    ['ENOSPC', 'disk-full', /no space left on device; make room or record elsewhere$/],
    ['EDQUOT', 'disk-full', /disk quota exceeded; make room or record elsewhere$/],
    ['EINVAL', 'io', /invalid argument/],
  ] as const)('in the middle, at the end, in the folder: %s', (code, kind, message) => {
    const places = [
      { call: 'fdatasync', n: 1, left: 'run.part.djvm', moment: 200 },
      { call: 'fdatasync', n: 2, left: 'run.part.djvm', moment: SAMPLE_END.moment },
      ...(code === 'EINVAL' ? [] : [{ call: 'fsync', n: 1, left: 'run.part.djvm', moment: 200 }]),
      ...(code === 'EINVAL' ? [] : [{ call: 'fsync', n: 2, left: 'run.djvm', moment: SAMPLE_END.moment }]),
    ];
    for (const { left, moment, ...failing } of places) {
      for (const name of fs.readdirSync(folder)) fs.rmSync(join(folder, name));
      fs.writeFileSync(path, OLD);
      Object.assign(made, { calls: [], failing: { ...failing, ...error(code) } });
      let writer: TraceWriter | undefined;
      const failed = whatFails(() => {
        recordSample((opened) => {
          writer = opened;
        });
      });
      expect(failed, JSON.stringify(failing)).toMatchObject({ kind, path: join(folder, left) });
      expect(failed.message).toMatch(message);
      // The disk says once what it lost: it is not asked again until it says something better.
      const { length } = made.calls;
      writer!.abandon();
      expect(made.calls).toHaveLength(length);
      expect(fs.readdirSync(folder).sort()).toEqual(left === 'run.djvm' ? [left] : ['run.djvm', left]);
      if (left !== 'run.djvm') expect(Uint8Array.from(fs.readFileSync(path))).toEqual(OLD);
      expect(openTrace(join(folder, left)).last.moment).toBe(moment);
    }
  });

  it.each(['EINVAL', 'EACCES'] as const)('is none when it is a folder that cannot be waited for: %s', (code) => {
    Object.assign(made, { failing: { call: 'fsync', n: 1, ...error(code) } });
    recordSample();
    expect(made.calls.filter(({ call }) => call === 'fsync').map(({ path: at }) => basename(at))).toEqual([
      basename(folder),
    ]);
    expect(Uint8Array.from(fs.readFileSync(path))).toEqual(WHOLE);
  });

  it('is not looked for behind a device', () => {
    const writer = createTraceWriter('/dev/null', FIELDS, IMAGES);
    apply(writer, SAMPLE);
    writer.sync();
    writer.finish(SAMPLE_END);
    expect(new Set(made.calls.map(({ call }) => call))).toEqual(new Set(['write']));
  });
});
