/**
 * A pool of worker threads that keep state between tasks. Plain node:worker_threads rather than piscina: each worker
 * keeps golden runs, tasks must be handed out strictly in order, one at a time, and when a worker dies the task that
 * killed it must be known; that is all of the pool, and it saves a dependency with twenty native packages behind it.
 */
import { Worker } from 'node:worker_threads';
import type { Injection, InjectionResult } from '../injection/index.ts';
import type { GoldenChoice, GoldenWindow, OverheadChoice, RowContext } from '../plan/index.ts';
import type { OverheadRow } from '../types.ts';

export type Task =
  | ({ readonly kind: 'window' } & GoldenChoice)
  | ({ readonly kind: 'overhead' } & OverheadChoice)
  | ({ readonly kind: 'row'; readonly injection: Injection } & RowContext);

interface Values {
  readonly window: GoldenWindow;
  readonly overhead: OverheadRow;
  readonly row: InjectionResult;
}

interface TaskError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

export type Outcome<V> = { readonly value: V } | { readonly error: TaskError };

/** What comes of a task of its kind. */
export type OutcomeOf<T extends Task> = Outcome<Values[T['kind']]>;

/** Messages between the pool and its workers. */
export interface Request {
  readonly task: Task;
}
export type Reply = Outcome<Values[Task['kind']]>;

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

export class Pool {
  private readonly testbed: URL;
  private readonly size: number;
  private readonly idle: Worker[] = [];

  /** @param testbed module that exports `testbed` (testbed.ts) */
  constructor(testbed: URL, size: number) {
    this.testbed = testbed;
    this.size = size;
  }

  /**
   * Runs tasks in order, as many at once as there are workers, and reports each outcome as it comes.
   * Ends early when `signal` aborts: tasks in flight are dropped. @throws when `onOutcome` does, or a worker cannot
   * start
   */
  async run<T extends { readonly task: Task }>(
    items: readonly T[],
    onOutcome: (item: T, outcome: OutcomeOf<T['task']>) => void,
    signal: AbortSignal,
  ): Promise<void> {
    let next = 0;
    const lane = async () => {
      while (next < items.length && !signal.aborted) {
        const item = items[next++]!;
        const outcome = await this.perform(item.task, signal);
        if (outcome) onOutcome(item, outcome as OutcomeOf<T['task']>);
      }
    };
    const lanes = Array.from({ length: Math.min(this.size, items.length) }, lane);
    try {
      await Promise.all(lanes);
    } catch (error) {
      // The other lanes must not go on behind the caller's back.
      next = items.length;
      await Promise.allSettled(lanes);
      throw error;
    }
  }

  /** Ends every worker. */
  async close(): Promise<void> {
    await Promise.all(this.idle.splice(0).map((worker) => worker.terminate()));
  }

  /** One task on a worker of its own; undefined when it was dropped. */
  private async perform(task: Task, signal: AbortSignal): Promise<Reply | undefined> {
    const worker = this.idle.pop() ?? (await this.start());
    if (signal.aborted) {
      await worker.terminate();
      return undefined;
    }
    const reply = await exchange(worker, task, signal);
    if (reply === undefined || reply.died) await worker.terminate();
    else this.idle.push(worker);
    return reply?.message;
  }

  private async start(): Promise<Worker> {
    const worker = new Worker(WORKER, { workerData: { testbed: this.testbed.href } });
    await new Promise<void>((resolve, reject) => {
      worker.once('online', resolve);
      worker.once('error', reject);
    });
    worker.removeAllListeners();
    return worker;
  }
}

/** Sends a task and waits for its reply, the worker's death, or the signal (undefined). */
function exchange(
  worker: Worker,
  task: Task,
  signal: AbortSignal,
): Promise<{ readonly message: Reply; readonly died: boolean } | undefined> {
  return new Promise((resolve) => {
    let crash: Error | undefined;
    const end = (result: { readonly message: Reply; readonly died: boolean } | undefined) => {
      worker.removeAllListeners();
      signal.removeEventListener('abort', onAbort);
      // Errors of a worker that is being ended belong to no row any more.
      worker.on('error', () => {});
      resolve(result);
    };
    const onAbort = () => end(undefined);
    signal.addEventListener('abort', onAbort);
    worker.on('message', (message: Reply) => end({ message, died: false }));
    worker.on('messageerror', (error) => {
      crash = error;
    });
    worker.on('error', (error) => {
      crash = error as Error;
    });
    worker.on('exit', (code) => {
      const { name, message, stack = '' } = crash ?? new Error(`the worker ended with status ${code}`);
      end({ message: { error: { name, message, stack } }, died: true });
    });
    worker.postMessage({ task } satisfies Request);
  });
}
