/**
 * Where a reader's bytes come from: a file, or memory. A file is opened for each use, so that an open trace holds no
 * descriptor; a file that changes meanwhile is found by its checksums.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { asUint8Array } from './bytes.ts';
import { TraceError } from './errors.ts';
import { errnoOf, systemReason } from './system-errors.ts';

export interface ByteSource {
  readonly path: string;
  readonly sizeBytes: number;
  /** Bytes from `offset`, as many as there are up to `length`. */
  read(offset: number, length: number): Uint8Array;
  /** Runs `body` with the source kept open, for many reads in a row. */
  batch<T>(body: () => T): T;
}

/** The bytes of a regular file. @throws TraceError `missing`, `unreadable`, or `not-a-trace` for anything but a file */
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
  const sizeBytes = batch(() => fstatSync(fd!).size);
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

/**
 * Opens a regular file. Opening a FIFO would wait for a writer, opening a device may do things, and neither has a size.
 */
function open(path: string): number {
  try {
    refuseOthers(path, statSync(path));
    // Another file may be there by now: without waiting, it is looked at again.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      refuseOthers(path, fstatSync(fd));
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return fd;
  } catch (error) {
    if (error instanceof TraceError) throw error;
    if (errnoOf(error) === 'ENOENT') {
      throw new TraceError('missing', path, 'no such file; `dejavm record -o FILE` makes a trace', { cause: error });
    }
    throw new TraceError('unreadable', path, `cannot be read: ${systemReason(error)}`, { cause: error });
  }
}

function refuseOthers(path: string, stat: Stats): void {
  if (!stat.isFile()) throw new TraceError('not-a-trace', path, 'is not a regular file; give a .djvm file');
}
