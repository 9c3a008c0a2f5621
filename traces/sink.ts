/**
 * Where a writer's bytes go: a file, or whatever a test puts in its place. Turns errors of the operating system into
 * TraceWriteError with advice. A failed append is cut off again, so that the file ends with a complete block.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf, TraceWriteError } from './errors.ts';
import { isTracePrefix } from './preamble.ts';

export interface TraceSink {
  readonly path: string;
  /** Appends all of `bytes` or throws; may have written a part. */
  append(bytes: Uint8Array): void;
  /** Cuts back to `sizeBytes`, if it can; must not throw. */
  truncate(sizeBytes: number): void;
  close(): void;
  /** Removes what was created, when nothing of use got into it; must not throw. */
  discard(): void;
}

/**
 * Creates or replaces a trace file. A regular file that is not a trace is never replaced.
 * @throws TraceWriteError
 */
export function fileSink(path: string): TraceSink {
  refuseForeignFile(path);
  let fd: number;
  try {
    fd = openSync(path, 'w');
  } catch (error) {
    throw writeError(path, error);
  }
  return {
    path,
    append(bytes) {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    },
    truncate(sizeBytes) {
      try {
        ftruncateSync(fd, sizeBytes);
      } catch {
        // A device or pipe: readers will find the unfinished block and say so.
      }
    },
    close: () => closeSync(fd),
    discard() {
      try {
        const isFile = fstatSync(fd).isFile();
        closeSync(fd);
        if (isFile) rmSync(path, { force: true });
      } catch {
        // Nothing to be done about a file that cannot be removed; the first error is the one to report.
      }
    },
  };
}

/** `-o kernel.elf` by mistake must not destroy the kernel. */
function refuseForeignFile(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    throw new TraceWriteError('is-directory', path, 'is a folder; give a file name ending in .djvm');
  }
  if (!stat?.isFile() || stat.size === 0) return;
  const first = new Uint8Array(8);
  try {
    const fd = openSync(path, 'r');
    readSync(fd, first, 0, first.length, 0);
    closeSync(fd);
  } catch (error) {
    throw writeError(path, error);
  }
  if (!isTracePrefix(first)) {
    throw new TraceWriteError('not-a-trace', path, 'exists and is not a trace; remove it first or choose another name');
  }
}

/** The TraceWriteError for an error of the operating system. */
export function writeError(path: string, error: unknown): TraceWriteError {
  if (error instanceof TraceWriteError) return error;
  const options = { cause: error };
  switch (errnoOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new TraceWriteError(
        'disk-full',
        path,
        'no space left for the trace; free some or record elsewhere',
        options,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new TraceWriteError(
        'not-writable',
        path,
        'not writable; choose another place or change permissions',
        options,
      );
    case 'EISDIR':
      return new TraceWriteError('is-directory', path, 'is a folder; give a file name ending in .djvm', options);
    case 'ENOENT':
    case 'ENOTDIR': {
      const folder = dirname(path);
      const state = existsSync(folder) ? 'is not a folder' : 'does not exist';
      return new TraceWriteError(
        'no-folder',
        path,
        `folder ${folder} ${state}; create it or choose another place`,
        options,
      );
    }
    default:
      return new TraceWriteError('io', path, error instanceof Error ? error.message : String(error), options);
  }
}
