/** Runs a program in bounds of work, not of time: a busy host makes it slow, never wrong. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface Bounds {
  /** CPU seconds of each process. */
  readonly cpuSeconds: number;
  /** Resident memory of all its processes together; held where /proc says what they have. */
  readonly memoryBytes: number;
}

export interface Ended {
  /** Exit code; null when it was ended. */
  readonly code: number | null;
  /** Why this module ended it. */
  readonly ended?: 'memory' | 'waits for ever';
  /** What it said on both streams. */
  readonly output: string;
}

const LOOK_EVERY_MS = 1_000;
/** A program that has not run for so many looks waits for something that never comes. */
const IDLE_LOOKS = 120;
const PAGE_BYTES = 4096;
/** Of `utime` and `stime`, on every Linux. */
const TICKS_PER_SECOND = 100;
/** What timers alone use in the time of IDLE_LOOKS. */
const IDLE_CPU_SECONDS = 0.5;

let current: ChildProcess | undefined;

/** Runs a command to its end or its bounds. @throws Error when it cannot be started. */
export function runBounded(
  command: readonly string[],
  { cwd, env = {}, bounds }: { cwd: string; env?: Record<string, string>; bounds: Bounds },
): Promise<Ended> {
  const child = spawn('bash', ['-c', 'ulimit -t "$0"; exec "$@"', String(bounds.cpuSeconds), ...command], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  current = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      output = (output + bytes.toString()).slice(-20_000);
    });
  }
  return new Promise((resolve, reject) => {
    let ended: Ended['ended'];
    const looks: number[] = [];
    const watch = setInterval(() => {
      const used = groupUsage(child.pid!);
      if (used === undefined) return;
      looks.push(used.cpuSeconds);
      const idle = looks.length > IDLE_LOOKS && looks.at(-1)! - looks.at(-1 - IDLE_LOOKS)! < IDLE_CPU_SECONDS;
      if (used.memoryBytes > bounds.memoryBytes) ended = 'memory';
      else if (idle) ended = 'waits for ever';
      if (ended !== undefined) endCurrent();
    }, LOOK_EVERY_MS);
    child.on('error', (error) => {
      clearInterval(watch);
      reject(error);
    });
    child.on('close', (code) => {
      clearInterval(watch);
      endCurrent();
      current = undefined;
      resolve({ code, output, ...(ended && { ended }) });
    });
  });
}

/** Ends the program that runs, with all that it started. */
export function endCurrent(): void {
  if (current?.pid === undefined) return;
  try {
    process.kill(-current.pid, 'SIGKILL');
  } catch {
    // All of them have ended.
  }
}

/** CPU time, that of ended children included, and memory of a process group; undefined where there is no /proc. */
function groupUsage(group: number): { cpuSeconds: number; memoryBytes: number } | undefined {
  let cpuTicks = 0;
  let pages = 0;
  let names: string[];
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return undefined;
  }
  for (const name of names) {
    let stat: string;
    try {
      stat = readFileSync(`/proc/${name}/stat`, 'utf8');
    } catch {
      continue;
    }
    // proc(5): the name in parentheses may hold anything; state is field 3, pgrp 5, utime to cstime 14 to 17, rss 24.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const field = (n: number) => Number(fields[n - 3]);
    if (field(5) !== group) continue;
    cpuTicks += field(14) + field(15) + field(16) + field(17);
    pages += field(24);
  }
  return { cpuSeconds: cpuTicks / TICKS_PER_SECOND, memoryBytes: pages * PAGE_BYTES };
}
