/**
 * Who works on a database: one campaign at a time. The lock is a row in the database itself, so that taking it is one
 * transaction; a lock whose process is gone (crash, SIGKILL, reboot) is recognised by process number and start time and
 * taken over. Processes of other machines cannot be seen: a database on a shared disk is not guarded against them.
 */
import { readFileSync } from 'node:fs';
import { UserError } from '../../../engine/index.ts';
import { damaged, type SqliteFile } from './sqlite.ts';
import * as values from './values.ts';

export const LOCK_TABLE =
  'CREATE TABLE lock (one INTEGER PRIMARY KEY CHECK (one = 1), pid INTEGER NOT NULL, started TEXT NOT NULL) STRICT;';

/** Takes the lock. @throws UserError when a living process holds it, FileFormatError when no process can be what holds it */
export function takeLock(file: SqliteFile): void {
  const { path } = file;
  file.transaction('IMMEDIATE', () => {
    const row = file.get('SELECT pid, started FROM lock');
    const holder = row === undefined ? undefined : values.holder.safeParse(row).data;
    if (row !== undefined && !holder) throw damaged(path, 'its lock names no process');
    if (holder && isRunning(holder.pid, holder.started)) {
      throw new UserError(
        `${path} is in use by process ${holder.pid}: wait until that campaign ends, stop it, or write to another file with -o`,
      );
    }
    file.run('INSERT OR REPLACE INTO lock VALUES (1, ?, ?)', process.pid, startOf(process.pid));
  });
}

export function releaseLock(file: SqliteFile): void {
  file.run('DELETE FROM lock WHERE pid = ? AND started = ?', process.pid, startOf(process.pid));
}

/** Whether a process runs and is the one that started then; numbers are used again. */
export function isRunning(pid: number, started: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as somebody else's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const fields = statOf(pid);
  if (fields === undefined) return true;
  // A zombie can be signalled until its parent, or init, has asked for its status; in a container perhaps never.
  if (fields.state === 'Z' || fields.state === 'X') return false;
  return started === '' || fields.started === started;
}

/** Boot and clock tick in which a process started; empty where the system does not tell. */
const startOf = (pid: number): string => statOf(pid)?.started ?? '';

/** What Linux tells of a process in /proc; undefined elsewhere. */
function statOf(pid: number): { readonly state: string; readonly started: string } | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): fields 3 and 22, counted behind the name, which may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', started: `${boot}/${fields[19] ?? ''}` };
  } catch {
    return undefined;
  }
}
