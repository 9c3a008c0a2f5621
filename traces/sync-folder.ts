/**
 * Names on disk: a file that is synced may still lose its name, which stands in its folder. Relies on Linux's fsync(2).
 */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { errnoOf } from './system-errors.ts';

/** Of systems that cannot sync a folder, and of folders that one may write to but not read. */
const CANNOT = ['EINVAL', 'ENOTSUP', 'ENOSYS', 'EBADF', 'EACCES', 'EPERM', 'EISDIR'];

/**
 * Waits until the disk has the names in a folder, where that can be asked for.
 * @throws the operating system's error when the disk does not take them
 */
export function syncFolder(folder: string): void {
  let fd: number | undefined;
  try {
    fd = openSync(folder, 'r');
    fsyncSync(fd);
  } catch (error) {
    if (!CANNOT.includes(errnoOf(error))) throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
