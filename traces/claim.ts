/**
 * Who writes a trace: one process at a time. A claim on FILE is a symbolic link FILE.lock that points to nothing but
 * names the process: made in one step, and only if there is none. A claim whose process is gone (crash, SIGKILL,
 * reboot) is taken over. Processes of other machines cannot be seen; that nobody writes into another's file does not
 * depend on claims (sink.ts), only that the second is told so at once.
 */
import { readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { TraceWriteError, writeError } from './errors.ts';
import { isRunning, type ProcessName, thisProcess } from './process-name.ts';
import { errnoOf } from './system-errors.ts';

export interface Claim {
  /** Ends it; must not throw. */
  release(): void;
}

const UNCLAIMED: Claim = { release() {} };

/**
 * Claims `path`; what is said when that fails speaks of `named`.
 * @throws TraceWriteError `in-use` when a living process has it, otherwise for what the operating system refuses
 */
export function claim(path: string, named: string = path): Claim {
  const lock = `${path}.lock`;
  const mine = nameText(thisProcess());
  for (;;) {
    try {
      symlinkSync(mine, lock);
      return { release: () => removeOwn(lock, mine) };
    } catch (error) {
      // File systems without links (FAT): nothing is claimed there.
      if (['EPERM', 'ENOTSUP', 'ENOSYS'].includes(errnoOf(error))) return UNCLAIMED;
      if (errnoOf(error) !== 'EEXIST') throw writeError(named, error);
    }
    clear(named, lock);
  }
}

/** Whether a living process writes this trace. Processes of other machines, and file systems without links, say no. */
export function isBeingWritten(path: string): boolean {
  const holder = parseName(holderOf(`${path}.lock`) ?? '');
  return holder !== undefined && isRunning(holder);
}

/**
 * Removes a claim whose process is gone. Whoever does so claims the dead claim first, and looks at it again: so it
 * cannot be a newer one, made since, that is removed. @throws TraceWriteError when its process is not gone
 */
function clear(path: string, lock: string): void {
  const text = holderOf(lock);
  if (text === undefined) return;
  const holder = refuseLiving(path, lock, text);
  const held = claim(`${lock}.${holder.pid}`, path);
  try {
    if (holderOf(lock) === text) rmSync(lock, { force: true });
  } catch (error) {
    throw writeError(path, error);
  } finally {
    held.release();
  }
}

/** The process of a claim that is gone. @throws TraceWriteError when it is not, or the claim is none */
function refuseLiving(path: string, lock: string, text: string): ProcessName {
  const holder = parseName(text);
  if (!holder) {
    throw new TraceWriteError('in-use', path, `${lock} is no lock of dejavm's; remove it or choose another name`);
  }
  if (!isRunning(holder)) return holder;
  const advice = 'wait until it ends, stop it, or choose another name';
  throw new TraceWriteError('in-use', path, `is being written by process ${holder.pid}; ${advice}`);
}

/** What the lock says; undefined when it is gone. */
function holderOf(lock: string): string | undefined {
  try {
    return readlinkSync(lock);
  } catch (error) {
    // No link (EINVAL): some file of the user's.
    return errnoOf(error) === 'ENOENT' ? undefined : '';
  }
}

function removeOwn(lock: string, mine: string): void {
  try {
    if (holderOf(lock) === mine) rmSync(lock, { force: true });
  } catch {
    // The folder went away, or its permissions changed: it is taken over when this process is gone.
  }
}

const nameText = ({ pid, started }: ProcessName): string => `dejavm:${pid}:${started}`;

function parseName(text: string): ProcessName | undefined {
  const found = /^dejavm:([1-9]\d{0,9}):(.*)$/.exec(text);
  return found ? { pid: Number(found[1]), started: found[2]! } : undefined;
}
