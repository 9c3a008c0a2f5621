/**
 * The shell's job control, as a program in raw mode needs it: Ctrl-Z arrives as a key there, and whoever is continued
 * finds the terminal as the shell left it. Relies on POSIX signals; Windows has none of this.
 */

/** `stop`: SIGTSTP; `continue`: SIGCONT, after a stop that nobody could see coming; `window`: SIGWINCH. */
export type JobEvent = 'stop' | 'continue' | 'window';

export interface JobControl {
  /** Calls `handler` at each event instead of what the system does; returns the function that ends this. */
  on(event: JobEvent, handler: () => void): () => void;
  /**
   * Stops this process and those that the shell started with it, as Ctrl-Z does in a program that does not read it;
   * returns when they are continued, at once where no shell would continue them. Reports neither event, but a window
   * that changed meanwhile.
   */
  stop(): void;
}

const SIGNALS = { stop: 'SIGTSTP', continue: 'SIGCONT', window: 'SIGWINCH' } as const;

/** Job control of the real process; undefined on Windows. */
export function processJobControl(): JobControl | undefined {
  if (process.platform === 'win32') return undefined;
  return {
    on(event, handler) {
      const listener = () => {
        if (event === 'continue') readWindowSize();
        handler();
      };
      process.on(SIGNALS[event], listener);
      return () => process.off(SIGNALS[event], listener);
    },
    stop() {
      // Without listeners the system's own handling is in force: the process stops inside `kill`.
      const held = [SIGNALS.stop, SIGNALS.continue].map((signal) => ({ signal, listeners: process.listeners(signal) }));
      for (const { signal } of held) process.removeAllListeners(signal);
      try {
        process.kill(0, SIGNALS.stop);
      } finally {
        for (const { signal, listeners } of held) for (const listener of listeners) process.on(signal, listener);
      }
      readWindowSize();
    },
  };
}

/** Only the foreground hears that the window changes; Node reads its size when it hears that, and at no other time. */
function readWindowSize(): void {
  process.emit(SIGNALS.window, SIGNALS.window);
}
