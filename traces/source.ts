/**
 * Where a reader's bytes come from: a file, or memory. A file is opened for each use, so that an open trace holds no
 * descriptor; a file that changes meanwhile is found by its checksums.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { asUint8Array } from './bytes.ts';
import { errnoOf, TraceError } from './errors.ts';

export interface ByteSource {
  readonly path: string;
  readonly sizeBytes: number;
  /** Bytes from `offset`, as many as there are up to `length`. */
  read(offset: number, length: number): Uint8Array;
  /** Runs `body` with the source kept open, for many reads in a row. */
  batch<T>(body: () => T): T;
}

/** @throws TraceError `missing` or `unreadable` */
export function fileSource(path: string): ByteSource {
  let fd: number | undefined;
  const batch = <T>(body: () => T): T => {
    if (fd !== undefined) return body();
    fd = open(path);
    try {
      return body();
    } finally {
      closeSync(fd);
      fd = undefined;
    }
  };
  const sizeBytes = batch(() => {
    const stat = fstatSync(fd!);
    if (!stat.isFile()) throw new TraceError('not-a-trace', path, 'is not a regular file; give a .djvm file');
    return stat.size;
  });
  const read = (offset: number, length: number) =>
    batch(() => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, sizeBytes - offset)));
      let done = 0;
      while (done < bytes.length) {
        const count = readSync(fd!, bytes, done, bytes.length - done, offset + done);
        if (count === 0) break;
        done += count;
      }
      return bytes.subarray(0, done);
    });
  return { path, sizeBytes, read, batch };
}

/** A trace that stands in memory. */
export function memorySource(path: string, content: Uint8Array): ByteSource {
  const bytes = asUint8Array(content);
  return {
    path,
    sizeBytes: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
    batch: (body) => body(),
  };
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      throw new TraceError('missing', path, 'no such file; `dejavm record -o FILE` makes a trace', { cause: error });
    }
    throw new TraceError('unreadable', path, error instanceof Error ? error.message : String(error), { cause: error });
  }
}
