/**
 * Who wrote it last, asked of a long run on two cores: the windows of the search backwards are handed out one at a
 * time, newest first, to this thread and to a second one. The answer is that of the newest window that has one, once
 * all newer ones are known to have none; so it is what one thread finds, whichever is quicker.
 * Relies on a window's answer depending on nothing but the window.
 */
import { availableParallelism } from 'node:os';
import type { Place } from '../base/index.ts';
import { type DriveOptions, finishInTurns, searchWindow, stand, type Window, windowsBefore } from '../search/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { type MemoryHit, memoryObserver, type WatchedMemory } from './memory.ts';
import { SearchThread } from './thread.ts';

export interface ShareOptions extends DriveOptions {
  /** Threads that can run at once; as many as the host has cores for, unless given. */
  readonly threads?: number;
  /**
   * Instructions that are searched before a second thread is started; twice as many have to be left then. With fewer
   * the search would be over before the thread is of use. 100 million unless given.
   */
  readonly alone?: number;
}

/** About what is executed in the time that a thread takes to start. */
const ALONE = 100_000_000;

/**
 * The last access before the present, or change of the mapping, as `lastAccess` finds it, and stands where that does;
 * undefined, and back where it stood, when there is none or `signal` is aborted. Takes turns with the event loop.
 * A second thread, where there is one, takes a second machine's memory, and is gone when this ends.
 * @throws TraceError when the run leaves its recording on the way
 */
export async function lastAccessInParallel(
  run: TraceTimeline,
  memory: WatchedMemory,
  options: ShareOptions = {},
): Promise<MemoryHit | undefined> {
  const origin = run.place;
  run.keepPresent();
  let found: MemoryHit | undefined;
  try {
    found = await new SharedSearch(run, memory, origin, options).find();
    return found;
  } finally {
    stand(run, found, origin);
  }
}

/** What is known of the `nth` window: an access, that the run cannot go there, or that the second thread gave up. */
type Outcome = { readonly nth: number } & (
  | { readonly kind: 'hit'; readonly hit: MemoryHit }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'failed' }
);

class SharedSearch {
  private readonly run: TraceTimeline;
  private readonly memory: WatchedMemory;
  private readonly origin: Place;
  private readonly options: ShareOptions;
  private readonly ahead: Generator<Window, void, void>;
  /** All windows that were asked for: about one for each checkpoint at most. */
  private readonly windows: Window[] = [];
  private readonly spent = { executed: 0 };

  constructor(run: TraceTimeline, memory: WatchedMemory, origin: Place, options: ShareOptions) {
    this.run = run;
    this.memory = memory;
    this.origin = origin;
    this.options = options;
    this.ahead = windowsBefore(run, origin);
  }

  async find(): Promise<MemoryHit | undefined> {
    for (let n = 0, shares = true; this.window(n) && !this.isAborted; n++) {
      if (shares && this.isWorthSharing(n)) {
        const outcome = await this.share(n);
        if (outcome?.kind === 'error') throw outcome.error;
        if (outcome?.kind !== 'failed') return outcome?.hit;
        // From the window on in which the second thread failed there is only this one.
        [n, shares] = [outcome.nth, false];
      }
      const hit = await this.lookIn(n, this.options.signal);
      if (hit) return hit;
    }
    return undefined;
  }

  private get isAborted(): boolean {
    return this.options.signal?.aborted === true;
  }

  /** undefined: behind the last one, which starts where the run does. */
  private window(n: number): Window | undefined {
    while (this.windows.length <= n) {
      const { value } = this.ahead.next();
      if (!value) return undefined;
      this.windows.push(value);
    }
    return this.windows[n];
  }

  private isWorthSharing(n: number): boolean {
    const { threads = availableParallelism(), alone = ALONE } = this.options;
    const { moment } = this.window(n)!.end;
    return threads >= 2 && this.origin.moment - moment >= alone && moment >= 2 * alone;
  }

  /** On this thread. */
  private lookIn(n: number, signal: AbortSignal | undefined): Promise<MemoryHit | undefined> {
    const { onProgress } = this.options;
    const search = searchWindow(this.run, memoryObserver(this.memory), this.window(n)!, this.spent);
    return finishInTurns(search, { ...(signal && { signal }), ...(onProgress && { onProgress }) });
  }

  /** Two threads from window `first` on. undefined: none has an answer, or it was aborted. */
  private async share(first: number): Promise<Outcome | undefined> {
    const { signal } = this.options;
    const thread = new SearchThread(this.run.trace, this.memory);
    const here = new AbortController();
    let newest: Outcome | undefined;
    let next = first;
    // The windows that are being looked in.
    let [mine, its] = [-1, -1];
    const take = (): number | undefined => (newest || this.isAborted || !this.window(next) ? undefined : next++);
    const settle = (outcome: Outcome): void => {
      if (newest && newest.nth < outcome.nth) return;
      newest = outcome;
      if (mine > outcome.nth) here.abort();
      if (its > outcome.nth) void thread.end();
    };
    const work = async () => {
      for (let nth = take(); nth !== undefined; nth = take()) {
        mine = nth;
        try {
          const hit = await this.lookIn(nth, here.signal);
          if (hit) settle({ nth, kind: 'hit', hit });
        } catch (error) {
          settle({ nth, kind: 'error', error });
        }
      }
    };
    const lend = async () => {
      for (let nth = take(); nth !== undefined; nth = take()) {
        its = nth;
        const reply = await thread.search(this.window(nth)!);
        if (reply === 'failed') settle({ nth, kind: 'failed' });
        else if (reply.hit) settle({ nth, kind: 'hit', hit: reply.hit });
      }
    };
    const abort = () => {
      here.abort();
      void thread.end();
    };
    signal?.addEventListener('abort', abort);
    try {
      await Promise.all([lend(), work()]);
    } finally {
      signal?.removeEventListener('abort', abort);
      await thread.end();
    }
    return this.isAborted ? undefined : newest;
  }
}
