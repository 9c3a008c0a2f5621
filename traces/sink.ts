/**
 * Where a writer's bytes go: a file, or whatever a test puts in its place. A failed append is cut off again, so that
 * the file ends with a complete block.
 *
 * Nobody writes into what another has written: files are created, never opened to be emptied. A trace that is to
 * replace another is written beside it and takes its name when it is complete, so that a recording that fails, or is
 * killed, costs nothing but itself; what was recorded up to then stays under the name beside. Claims (claim.ts) keep
 * two recorders from racing for one name.
 *
 * A power cut may lose what the disk was not waited for, in any order: so the disk has the bytes before they get the
 * name.
 */
import {
  accessSync,
  closeSync,
  constants,
  fdatasyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, format, parse, resolve } from 'node:path';
import { type Claim, claim } from './claim.ts';
import { TraceWriteError, writeError } from './errors.ts';
import { isTracePrefix } from './preamble.ts';
import { PRIVATE_FILE } from './private.ts';
import { syncFolder } from './sync-folder.ts';
import { errnoOf } from './system-errors.ts';

export interface TraceSink {
  /** Where the bytes are; another place once a replacement is complete. */
  readonly path: string;
  /** Appends all of `bytes` or throws; may have written a part. */
  append(bytes: Uint8Array): void;
  /** Cuts back to `sizeBytes`, if it can; must not throw. */
  truncate(sizeBytes: number): void;
  /**
   * Waits until the disk has all that was appended, so that a power cut cannot take it; throws when it does not take
   * it.
   */
  sync(): void;
  /**
   * Ends the file as a whole trace: it has its name from now on, and the disk has both.
   * @throws TraceWriteError when it cannot get it, or the disk fails; the file is closed all the same
   */
  complete(): void;
  /** Ends the file as it is; must not throw. */
  close(): void;
  /** Removes what was created, when nothing of use got into it; must not throw. */
  discard(): void;
}

/** As many symbolic links in a row as Linux follows. */
const MAX_LINKS = 40;

/** A path; or several, of which the first is taken that no file has and nobody claims. */
export type TracePlace = string | Iterable<string>;

/**
 * Creates a trace file, or one that will replace the trace of that name. Of what is not a trace, only an empty file is
 * replaced. Devices and pipes are written to as they are.
 * @throws TraceWriteError
 */
export function fileSink(place: TracePlace): TraceSink {
  if (typeof place === 'string') return sinkAt(place);
  let refused: unknown = new TraceWriteError('io', '', 'no name was given for the trace');
  for (const path of place) {
    try {
      return newSink(path);
    } catch (error) {
      refused = error;
      if (!(error instanceof TraceWriteError && (error.kind === 'exists' || error.kind === 'in-use'))) break;
    }
  }
  throw refused;
}

function newSink(path: string): TraceSink {
  // A symbolic link, too, wherever it leads.
  if (statOf(path, lstatSync)) throw new TraceWriteError('exists', path, 'exists already; choose another name');
  return claimed(path, (held) => openFile(path, path, held));
}

function sinkAt(place: string): TraceSink {
  const first = statOf(place);
  if (first?.isDirectory())
    throw new TraceWriteError('is-directory', place, 'is a folder; give a file name ending in .djvm');
  if (first && !first.isFile()) return openStream(place, first);
  // The file behind a symbolic link is replaced, not the link.
  const path = targetOf(place);
  return claimed(path, (held) => {
    if (!statOf(path)) return openFile(path, path, held);
    refuseForeignFile(path);
    return openBeside(path, held);
  });
}

function claimed(path: string, open: (held: Claim) => TraceSink): TraceSink {
  const held = claim(path);
  try {
    return open(held);
  } catch (error) {
    held.release();
    throw writeError(path, error);
  }
}

/**
 * A file `run.part.djvm` for what is to become `run.djvm`; or `run.part-2.djvm`: one may be left of a killed recorder.
 */
function openBeside(path: string, held: Claim): TraceSink {
  const { dir, name, ext } = parse(path);
  for (let n = 1; ; n++) {
    const beside = format({ dir, name: `${name}.part${n === 1 ? '' : `-${n}`}`, ext });
    try {
      return openFile(beside, path, held);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
}

/** A sink on a regular file at `at` that gets the name `path` when it is complete. */
function openFile(at: string, path: string, held: Claim): TraceSink {
  const fd = openSync(at, 'wx', PRIVATE_FILE);
  let now = at;
  let isNameSynced = false;
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    closeQuietly(fd);
    held.release();
  };
  const sync = () => {
    fdatasyncSync(fd);
    if (isNameSynced) return;
    syncFolder(dirname(now));
    isNameSynced = true;
  };
  const rename = () => {
    try {
      renameSync(now, path);
    } catch (error) {
      throw writeError(path, error);
    }
    now = path;
    syncFolder(dirname(path));
  };
  return {
    get path() {
      return now;
    },
    append: (bytes) => writeAll(fd, bytes),
    truncate: (sizeBytes) => cutBack(fd, sizeBytes),
    sync,
    complete() {
      try {
        // A name that is about to be given up need not outlive a power cut.
        isNameSynced ||= now !== path;
        sync();
        if (now !== path) rename();
      } catch (error) {
        throw writeError(now, error);
      } finally {
        close();
      }
    },
    close,
    discard() {
      try {
        close();
        // Once it has taken the place of another, that one cannot be had back.
        if (now === at) rmSync(now, { force: true });
      } catch {
        // Nothing to be done about a file that cannot be removed; the first error is the one to report.
      }
    },
  };
}

/** A sink on a device or pipe, where there is no disk to wait for. */
function openStream(path: string, stat: Stats): TraceSink {
  let fd: number;
  try {
    // Without a reader, opening a pipe would wait for one, deaf to signals.
    const probe = stat.isFIFO() ? openSync(path, constants.O_WRONLY | constants.O_NONBLOCK) : undefined;
    fd = openSync(path, 'w');
    if (probe !== undefined) closeSync(probe);
  } catch (error) {
    if (errnoOf(error) !== 'ENXIO') throw writeError(path, error);
    throw new TraceWriteError('io', path, 'is a pipe that nobody reads; start its reader first, or give a file name');
  }
  const close = () => closeQuietly(fd);
  return {
    path,
    append: (bytes) => writeAll(fd, bytes),
    truncate: (sizeBytes) => cutBack(fd, sizeBytes),
    sync() {},
    complete: close,
    close,
    discard: close,
  };
}

function statOf(path: string, stat: typeof statSync = statSync): Stats | undefined {
  try {
    return stat(path, { throwIfNoEntry: false });
  } catch (error) {
    throw writeError(path, error);
  }
}

/** What a path means when it is a symbolic link, also one to a file that is not there. */
function targetOf(path: string): string {
  let target = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    try {
      target = resolve(dirname(target), readlinkSync(target));
    } catch {
      return target;
    }
  }
  return target;
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}

/** Some file systems tell the fate of what was written only here: those who need to know it have synced. */
function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // It is closed all the same.
  }
}

function cutBack(fd: number, sizeBytes: number): void {
  try {
    ftruncateSync(fd, sizeBytes);
  } catch {
    // A device or pipe: readers will find the unfinished block and say so.
  }
}

/** `-o kernel.elf` by mistake must not destroy the kernel. */
function refuseForeignFile(path: string): void {
  const first = new Uint8Array(8);
  try {
    // Somebody may have protected it.
    accessSync(path, constants.W_OK);
    if (statSync(path).size === 0) return;
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
