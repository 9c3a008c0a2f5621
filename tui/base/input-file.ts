/**
 * Files that a command line names and that are read whole: images, disks, plans. Relies on Node; what is in a file is
 * its reader's business.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { errnoOf, systemReason } from '../../traces/index.ts';
import { UsageError } from './errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'is a folder; expected a file',
  EACCES: 'not readable; check its permissions',
};
/** Pipes that the shell has opened already, as in `-kernel <(zcat Image.gz)`. */
const OPEN_PIPE = /^\/(dev\/(fd\/\d+|stdin)|proc\/self\/fd\/\d+)$/;
const PIECE_BYTES = 1 << 20;

/**
 * Reads a file, or a pipe that the shell made.
 * @param what how errors name the file: `-kernel Image`
 * @throws UsageError when it cannot be read, would never end (a device), would be waited for (a FIFO), or is too long
 */
export function readInputFile(what: string, path: string, maxBytes = Number.POSITIVE_INFINITY): Uint8Array {
  const refuse = (why: string) => new UsageError(`${what}: ${why}`);
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw refuse(REASONS.EISDIR!);
    if (stat.isCharacterDevice()) throw refuse('is a device; expected a file');
    if (!stat.isFile() && !OPEN_PIPE.test(path)) throw refuse('is not a regular file');
    return readWhole(path, maxBytes, refuse);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw refuse(REASONS[errnoOf(error)] ?? systemReason(error));
  }
}

function readWhole(path: string, maxBytes: number, refuse: (why: string) => UsageError): Uint8Array {
  const fd = openSync(path, 'r');
  try {
    const pieces: Uint8Array[] = [];
    for (let total = 0; ; ) {
      const piece = new Uint8Array(Math.min(PIECE_BYTES, maxBytes + 1));
      const count = readSync(fd, piece);
      if (count === 0) return Buffer.concat(pieces);
      pieces.push(piece.subarray(0, count));
      total += count;
      if (total > maxBytes) throw refuse(`is too long: expected at most ${maxBytes} bytes`);
    }
  } finally {
    closeSync(fd);
  }
}
