/**
 * The file of bookmarks beside a trace: opened without following links or waiting for pipes, read up to a bound, and
 * only ever appended to. Relies on O_APPEND: the system puts each write behind those of all others.
 */
import { closeSync, constants, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { TraceError, TraceWriteError, type TraceWriteErrorKind } from '../errors.ts';
import { PRIVATE_FILE } from '../private.ts';
import { syncFolder } from '../sync-folder.ts';
import { errnoOf, systemReason } from '../system-errors.ts';
import { MAX_LINE_BYTES } from './line.ts';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;

/** What is read of a file at most: the rest is not looked at, and nothing is added to a file that is so long. */
export const MAX_FILE_BYTES: number = 4 << 20;
const NEWLINE = 0x0a;

/** The file for a trace's bookmarks. */
export const bookmarksPath = (trace: string): string => `${trace}.bookmarks`;

export interface Content {
  /** Lines without their newlines; of the last one, what there is. Longer ones are cut. */
  readonly lines: readonly string[];
  /** Whether the file goes on behind what was read. */
  readonly isCut: boolean;
}

/** Reads the file; nothing when there is none. @throws TraceError when it cannot be read, or is no file */
export function readContent(path: string): Content {
  let fd: number | undefined;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    refuseOther(fd);
    const bytes = readUpTo(fd, MAX_FILE_BYTES + 1);
    const text = bytes.subarray(0, MAX_FILE_BYTES).toString('utf8');
    return {
      lines: text.split('\n').map((line) => line.slice(0, MAX_LINE_BYTES + 1)),
      isCut: bytes.length > MAX_FILE_BYTES,
    };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { lines: [], isCut: false };
    throw new TraceError('unreadable', path, `bookmarks cannot be read: ${reasonOf(error)}`, { cause: error });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * Appends a line in one piece and waits until the disk has it. What others append meanwhile stands before or behind it.
 * A piece of a line that somebody's full disk or death has left is ended first.
 * @throws TraceWriteError
 */
export function appendLine(path: string, line: string): void {
  let fd: number | undefined;
  try {
    fd = openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, PRIVATE_FILE);
    const { size } = refuseOther(fd);
    const bytes = Buffer.from(endsLine(fd, size) ? line : `\n${line}`);
    if (size + bytes.length > MAX_FILE_BYTES) {
      throw new TraceWriteError('io', path, 'has no room for another bookmark; take away lines that are not needed');
    }
    const written = writeSync(fd, bytes);
    if (written < bytes.length) throw new TraceWriteError('disk-full', path, 'no space left for a bookmark; make room');
    fdatasyncSync(fd);
    if (size === 0) syncFolder(dirname(resolve(path)));
  } catch (error) {
    throw error instanceof TraceWriteError
      ? error
      : new TraceWriteError(kindOf(error), path, `no bookmark can be written: ${reasonOf(error)}`, { cause: error });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function readUpTo(fd: number, most: number): Buffer {
  const size = Math.min(fstatSync(fd).size + 1, most);
  const bytes = Buffer.alloc(size);
  let length = 0;
  for (let read = 1; read > 0 && length < size; length += read)
    read = readSync(fd, bytes, length, size - length, length);
  return bytes.subarray(0, length);
}

function endsLine(fd: number, size: number): boolean {
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  return readSync(fd, last, 0, 1, size - 1) === 1 && last[0] === NEWLINE;
}

class NoFile extends Error {}

function refuseOther(fd: number): { readonly size: number } {
  const stat = fstatSync(fd);
  if (!stat.isFile()) throw new NoFile('it is no regular file');
  return stat;
}

/** ELOOP: a symbolic link, which could lead to anything. */
const reasonOf = (error: unknown): string =>
  errnoOf(error) === 'ELOOP' ? 'it is a symbolic link' : error instanceof NoFile ? error.message : systemReason(error);

function kindOf(error: unknown): TraceWriteErrorKind {
  switch (errnoOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'disk-full';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'not-writable';
    case 'EISDIR':
      return 'is-directory';
    case 'ENOENT':
    case 'ENOTDIR':
      return 'no-folder';
    default:
      return 'io';
  }
}
