/**
 * A second thread that looks for the last access in windows of a run, on a machine of its own. Relies on the trace
 * being a file that can be opened again. Whatever keeps it from doing so, it only says that it has failed: whoever does
 * its work instead meets the reason.
 */
import { Worker } from 'node:worker_threads';
import type { Trace } from '../../traces/index.ts';
import type { Window } from '../search/index.ts';
import type { MemoryHit, WatchedMemory } from './memory.ts';

/** What the thread is started with. */
export interface Task {
  readonly path: string;
  readonly recording: string;
  readonly memory: WatchedMemory;
}

/** The last access in a window; `failed`: nobody knows. */
export type Reply = { readonly hit: MemoryHit | undefined } | 'failed';

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

export class SearchThread {
  private readonly worker: Worker;
  private answer: ((reply: Reply) => void) | undefined;
  private isOver = false;

  /** Starts it. It has to be ended. */
  constructor(trace: Trace, memory: WatchedMemory) {
    const task: Task = { path: trace.path, recording: recordingOf(trace), memory };
    this.worker = new Worker(WORKER, { workerData: task });
    this.worker.on('message', (reply: Reply) => this.give(reply));
    for (const event of ['error', 'messageerror', 'exit']) this.worker.on(event, () => this.fail());
  }

  /** Looks in a window; one at a time. Never rejects. */
  search(window: Window): Promise<Reply> {
    if (this.isOver) return Promise.resolve('failed');
    return new Promise((resolve) => {
      this.answer = resolve;
      this.worker.postMessage(window);
    });
  }

  /** Ends the thread, whatever it does; a window that it is looking in has failed. */
  async end(): Promise<void> {
    this.fail();
    await this.worker.terminate();
  }

  private fail(): void {
    this.isOver = true;
    this.give('failed');
  }

  private give(reply: Reply): void {
    this.answer?.(reply);
    this.answer = undefined;
  }
}

/** Tells a trace from another one that has taken its name, or that has grown meanwhile. */
export function recordingOf({ sizeBytes, last, digests }: Trace): string {
  return [sizeBytes, last.moment, last.ticks, digests.at(digests.length - 1)?.digest].join(' ');
}
