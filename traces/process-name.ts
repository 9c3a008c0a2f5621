/**
 * Names a process so that it can be told from any other, also from a later one with its number: what holds a lock says
 * who holds it. Processes of other machines and other containers cannot be seen.
 */
import { readFileSync } from 'node:fs';

export interface ProcessName {
  readonly pid: number;
  /** Boot and clock tick in which it started; empty where the system does not tell. */
  readonly started: string;
}

/** This process. */
export const thisProcess = (): ProcessName => ({ pid: process.pid, started: statOf(process.pid)?.started ?? '' });

/** Whether a process runs and is the one that started then; numbers are used again. */
export function isRunning({ pid, started }: ProcessName): boolean {
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
