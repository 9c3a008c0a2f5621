/**
 * The process's streams as the commands see them, so that tests run commands in process on plain buffers.
 * Relies on Node's streams. Output to a closed pipe (`dejavm info x | head`) is dropped quietly; other write
 * errors are not handled here.
 */
import { styleText } from 'node:util';

/** What a command may touch of the world outside its arguments. */
export interface Io {
  /** Data goes here: results, guest console output. */
  out(text: string | Uint8Array): void;
  /** Log, progress and errors go here. */
  err(text: string): void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** Calls `handler` on Ctrl-C or a polite kill instead of dying; returns the function that ends this. */
  onInterrupt(handler: (signal: NodeJS.Signals) => void): () => void;
}

/** The real process. Call once: it installs handlers for closed pipes. */
export function processIo(): Io {
  const guarded = (stream: NodeJS.WriteStream) => {
    let closed = false;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      closed = true;
    });
    return (text: string | Uint8Array) => {
      if (!closed) stream.write(text);
    };
  };
  return {
    out: guarded(process.stdout),
    err: guarded(process.stderr),
    outIsTerminal: process.stdout.isTTY === true,
    errIsTerminal: process.stderr.isTTY === true,
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    onInterrupt(handler) {
      const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
      for (const signal of signals) process.on(signal, handler);
      return () => {
        for (const signal of signals) process.off(signal, handler);
      };
    },
  };
}

export type Style = Parameters<typeof styleText>[0];

/** Colours text for standard output: only on a terminal, and never when NO_COLOR is set (no-color.org). */
export function paint(io: Io, style: Style, text: string): string {
  return io.outIsTerminal && !io.env.NO_COLOR ? styleText(style, text, { validateStream: false }) : text;
}

export interface Progress {
  /** Shows `text` in place of the line shown before. */
  show(text: () => string): void;
  /** Removes the line. */
  clear(): void;
}

const REDRAW_INTERVAL_MS = 100;

/** One status line on standard error that rewrites itself; silent when that is not a terminal. */
export function progressLine(io: Io, enabled: boolean = io.errIsTerminal): Progress {
  let shown = false;
  let lastMs = 0;
  return {
    show(text) {
      if (!enabled) return;
      const nowMs = Date.now();
      if (nowMs - lastMs < REDRAW_INTERVAL_MS) return;
      lastMs = nowMs;
      shown = true;
      io.err(`\r\x1b[K${text()}`);
    },
    clear() {
      if (shown) io.err('\r\x1b[K');
      shown = false;
    },
  };
}
