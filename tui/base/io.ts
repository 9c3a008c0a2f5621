/**
 * The door to the terminal: all that commands print goes through here, and what a terminal would act upon in it is
 * shown instead (engine/base/visible.ts), whether it comes from a file, a name, an argument or a guest. Only the
 * guest's live console passes as it is. Colour and status lines are drawn here, by name; no command sends control
 * characters. Relies on output.ts for streams that fail.
 */
import { styleText } from 'node:util';
import { visible, visibleLines } from '../../engine/index.ts';

export type Style = Parameters<typeof styleText>[0];

/** What a command may touch of the world outside its arguments. */
export interface Io {
  /** Results go here. `style` colours them: only on a terminal, and never when NO_COLOR is set (no-color.org). */
  out(text: string, style?: Style): void;
  /** Log and errors go here. */
  err(text: string): void;
  /** The guest's live console, byte by byte, to standard output: the guest may drive the terminal. */
  guestConsole(bytes: Uint8Array): void;
  /**
   * Shows lines on standard error in place of those shown before, none: removes them. Silent unless it is a terminal.
   */
  status(lines: readonly string[]): void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** Calls `handler` on Ctrl-C or a polite kill instead of dying; returns the function that ends this. */
  onInterrupt(handler: (signal: NodeJS.Signals) => void): () => void;
}

/** What is behind the door: the process's streams, or buffers of a test. */
export interface Outside extends Omit<Io, 'out' | 'err' | 'guestConsole' | 'status'> {
  writeOut(data: string | Uint8Array): void;
  writeErr(text: string): void;
  /** Width of the terminal that standard error is. */
  errColumns(): number;
}

/** Puts the door in front of a world. */
export function openIo(outside: Outside): Io {
  const { writeOut, writeErr, errColumns, ...rest } = outside;
  const coloured = outside.outIsTerminal && !outside.env.NO_COLOR;
  let shown = 0;
  const erase = () => {
    if (shown > 0) writeErr(`\r${shown > 1 ? `\x1b[${shown - 1}A` : ''}\x1b[J`);
    shown = 0;
  };
  return {
    ...rest,
    out(text, style) {
      const shownText = visibleLines(text);
      writeOut(style && coloured ? styleText(style, shownText, { validateStream: false }) : shownText);
    },
    err(text) {
      erase();
      writeErr(visibleLines(text));
    },
    guestConsole: writeOut,
    status(lines) {
      if (!outside.errIsTerminal) return;
      erase();
      // The last column stays free: a terminal may wrap there.
      const width = Math.max(1, errColumns() - 1);
      if (lines.length > 0) writeErr(lines.map((line) => visible(line).slice(0, width)).join('\n'));
      shown = lines.length;
    },
  };
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
  let lastMs = 0;
  return {
    show(text) {
      if (!enabled) return;
      const nowMs = Date.now();
      if (nowMs - lastMs < REDRAW_INTERVAL_MS) return;
      lastMs = nowMs;
      io.status([text()]);
    },
    clear: () => io.status([]),
  };
}
