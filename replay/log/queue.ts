/**
 * Entries on their way out, in order: one whose call has not ended holds back those behind it, so that it can be told
 * with its result; but not for ever, and not however many there are.
 */
import { isOpen } from './decoder.ts';
import type { LogEntry } from './types.ts';

/** So many entries wait for a result at most. */
const MAX_WAITING = 4096;

export class LogQueue {
  private waiting: LogEntry[] = [];
  private from = 0;

  add(entry: LogEntry): void {
    this.waiting.push(entry);
  }

  /** Hands over what need not wait. `all`: no result comes any more. */
  take(all: boolean): LogEntry[] {
    const { waiting } = this;
    let end = this.from;
    while (end < waiting.length && (all || waiting.length - end > MAX_WAITING || !isOpen(waiting[end]!))) end++;
    const taken = waiting.slice(this.from, end);
    this.from = end;
    if (end === waiting.length || end > MAX_WAITING) {
      this.waiting = waiting.slice(end);
      this.from = 0;
    }
    return taken;
  }
}
