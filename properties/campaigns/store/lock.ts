/**
 * Who works on a database: one campaign at a time. The lock is a row in the database itself, so that taking it is one
 * transaction; a lock whose process is gone (crash, SIGKILL, reboot) is recognised by process number and start time and
 * taken over. Processes of other machines cannot be seen: a database on a shared disk is not guarded against them.
 */
import { UserError } from '../../../engine/index.ts';
import { isRunning, thisProcess } from '../../../traces/index.ts';
import { damaged, type SqliteFile } from './sqlite.ts';
import * as values from './values.ts';

export const LOCK_TABLE =
  'CREATE TABLE lock (one INTEGER PRIMARY KEY CHECK (one = 1), pid INTEGER NOT NULL, started TEXT NOT NULL) STRICT;';

/**
 * Takes the lock. @throws UserError when a living process holds it, FileFormatError when no process can be what holds
 * it
 */
export function takeLock(file: SqliteFile): void {
  const { path } = file;
  file.transaction('IMMEDIATE', () => {
    const row = file.get('SELECT pid, started FROM lock');
    const holder = row === undefined ? undefined : values.holder.safeParse(row).data;
    if (row !== undefined && !holder) throw damaged(path, 'its lock names no process');
    if (holder && isRunning(holder)) {
      throw new UserError(
        `${path} is in use by process ${holder.pid}: wait until that campaign ends, stop it, or write to another file with -o`,
      );
    }
    const { pid, started } = thisProcess();
    file.run('INSERT OR REPLACE INTO lock VALUES (1, ?, ?)', pid, started);
  });
}

export function releaseLock(file: SqliteFile): void {
  const { pid, started } = thisProcess();
  file.run('DELETE FROM lock WHERE pid = ? AND started = ?', pid, started);
}
