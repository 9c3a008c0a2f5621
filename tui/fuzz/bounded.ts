/**
 * Runs cases in a thread and ends it when a case takes more than files may cost: processor time, not time that passes,
 * and memory. The cases behind it run in another thread.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Finding, FuzzOptions, Tally } from './fuzz.ts';

/** A case goes in by a dozen doors, each of which may run 2^32 instructions if its file vouches for them. */
const MAX_CASE_CPU_S = 120;
const MAX_HEAP_MIB = 1024;
/** A machine of 2 GiB in each of two players, and its file. */
const MAX_RESIDENT_BYTES = 6 * 2 ** 30;
const LOOK_EVERY_MS = 250;

/** What the thread says. */
export type FromWorker =
  | { readonly kind: 'case'; readonly n: number; readonly subject: string }
  | ({ readonly kind: 'finding' } & Finding)
  | { readonly kind: 'done'; readonly tally: Tally };

export interface BoundedOptions extends Pick<FuzzOptions, 'seed' | 'from' | 'to' | 'kind' | 'expected' | 'onFinding'> {
  /** Ends early after so many findings. */
  readonly maxFindings: number;
  /** Processor time that a case may take, seconds. */
  readonly maxCaseCpuS?: number;
  /** What runs the cases; worker.ts unless given. */
  readonly worker?: URL;
}

/** Runs the cases; gives what came out of those in threads that came to their end. */
export async function fuzzBounded(options: BoundedOptions): Promise<Tally> {
  const total: Tally = {};
  let left = options.maxFindings;
  for (let from: number | undefined = options.from; from !== undefined && from < options.to && left > 0; ) {
    const stretch: BoundedOptions = {
      ...options,
      from,
      maxFindings: left,
      onFinding(finding) {
        left--;
        options.onFinding(finding);
      },
    };
    from = await inFolder((folder) => runThread(stretch, folder, total));
  }
  return total;
}

/** The thread may end at any time: what it leaves is cleared away by others. */
async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'dejavm-fuzz-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Gives the number of the case to go on with; undefined: none. */
async function runThread(options: BoundedOptions, folder: string, total: Tally): Promise<number | undefined> {
  const { seed, from, to, kind, expected, maxFindings, onFinding } = options;
  const { maxCaseCpuS = MAX_CASE_CPU_S } = options;
  const worker = new Worker(options.worker ?? new URL('./worker.ts', import.meta.url), {
    workerData: { folder, seed, from, to, kind, expected },
    // What is recorded becomes the latest trace of this folder, not of whoever runs this.
    env: { ...process.env, XDG_DATA_HOME: folder },
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  });
  const now = { n: from, subject: 'the first', cpuS: 0 };
  let found = 0;
  let isOver = false;
  let died: string | undefined;
  const ended = new Promise<void>((resolve) => {
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'case') Object.assign(now, { n: message.n, subject: message.subject, cpuS: Number.NaN });
      else if (message.kind === 'done') {
        addUp(total, message.tally);
        isOver = true;
      } else {
        onFinding(message);
        if (++found >= maxFindings) isOver = true;
      }
      if (isOver) void worker.terminate();
    });
    worker.on('error', (error) => {
      died = `ends the thread: ${error instanceof Error ? error.stack : String(error)}`;
    });
    worker.on('exit', () => resolve());
  });
  const controller = new AbortController();
  void ended.then(() => controller.abort());
  while (!controller.signal.aborted) {
    await setTimeout(LOOK_EVERY_MS, undefined, { signal: controller.signal }).catch(() => {});
    const why = controller.signal.aborted ? undefined : await tooMuch(worker, now, maxCaseCpuS);
    if (why === undefined) continue;
    died = why;
    await worker.terminate();
  }
  await ended;
  if (isOver) return undefined;
  onFinding({ n: now.n, text: `case ${now.n}, ${now.subject}: ${died ?? 'ends the thread without a word'}` });
  return now.n + 1;
}

/** What the case that is under way takes too much of. Its first look remembers what the thread had used before. */
async function tooMuch(worker: Worker, now: { cpuS: number }, maxCpuS: number): Promise<string | undefined> {
  const cpuS = await worker.cpuUsage().then(
    ({ user, system }) => (user + system) / 1e6,
    () => undefined,
  );
  if (cpuS === undefined) return undefined;
  if (Number.isNaN(now.cpuS)) now.cpuS = cpuS;
  if (cpuS - now.cpuS > maxCpuS) return `takes more than ${maxCpuS} s of processor time`;
  const resident = process.memoryUsage.rss();
  if (resident > MAX_RESIDENT_BYTES) return `takes ${Math.round(resident / 2 ** 20)} MiB of memory`;
  return undefined;
}

function addUp(total: Tally, part: Tally): void {
  for (const [subject, counts] of Object.entries(part)) {
    const its = (total[subject] ??= {});
    for (const [code, count] of Object.entries(counts)) its[Number(code)] = (its[Number(code)] ?? 0) + count;
  }
}
