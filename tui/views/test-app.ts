/**
 * The terminal UI on a terminal emulator (xterm.js without a screen), for tests: keys and signals go in, the screen
 * buffer and the terminal's modes are read back. Relies on runApp and on the made-up run.
 */
import { PassThrough } from 'node:stream';
import xterm from '@xterm/headless';
import { expect } from 'vitest';
import type { JobControl, JobEvent } from '../base/job-control.ts';
import { type FakeRun, fakeIntrospection, RECOVERED_RUN } from '../model/fake-travel.ts';
import type { Growth } from '../model/growth.ts';
import { screenOf } from '../model/screen.ts';
import { openUnscanned, rowsOf } from '../model/test-session.ts';
import type { Introspection, Session } from '../panels/types.ts';
import { runApp } from './app.tsx';

export interface AppTest {
  readonly run?: FakeRun;
  readonly introspection?: Introspection;
  readonly colour?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  /** Fill the timeline while the UI runs, as the program does; without, it is full from the start. */
  readonly scanning?: boolean;
  /** What looks whether the run goes on. */
  readonly growth?: (session: Session) => Growth;
  /** What happens while the process is stopped. */
  readonly whileStopped?: () => void;
}

/** Starts the UI under a line of the shell's. */
export function startApp(options: AppTest = {}) {
  const { run = RECOVERED_RUN, introspection = fakeIntrospection, colour = false } = options;
  const { columns = 80, rows: lines = 24, scanning = false } = options;
  const { session, scanner } = openUnscanned(run, introspection);
  while (!scanning && !scanner.done) scanner.advance(1000);
  const terminal = new xterm.Terminal({ cols: columns, rows: lines, allowProposedApi: true, convertEol: true });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns, rows: lines });
  let isRaw = false;
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode(wanted: boolean) {
      isRaw = wanted;
      return stdin;
    },
    ref() {},
    unref() {},
  });
  let written = '';
  terminal.write('$ dejavm tui\r\n');
  stdout.on('data', (chunk: Buffer) => {
    written += chunk.toString();
    terminal.write(chunk);
  });
  const handlers: Partial<Record<JobEvent, () => void>> = {};
  const stops: { readonly isRaw: boolean; readonly written: string }[] = [];
  const jobs: JobControl = {
    on(event, handler) {
      handlers[event] = handler;
      return () => delete handlers[event];
    },
    stop() {
      stops.push({ isRaw, written });
      options.whileStopped?.();
    },
  };
  let frames = 0;
  const abort = new AbortController();
  const ended = runApp(
    {
      session,
      scanner: scanning ? scanner : undefined,
      growth: options.growth?.(session),
      colour,
      stdin: stdin as unknown as NodeJS.ReadStream,
      stdout: stdout as unknown as NodeJS.WriteStream,
      jobs,
      onFrame: () => frames++,
    },
    abort.signal,
  );
  const buffer = () => terminal.buffer.active;
  const rows = () =>
    Array.from(
      { length: terminal.rows },
      (_, y) =>
        buffer()
          .getLine(buffer().viewportY + y)
          ?.translateToString(true) ?? '',
    );
  const shows = (text: string | RegExp) =>
    expect.poll(() => rows().join('\n'), { timeout: 900_000, interval: 20 }).toMatch(text);
  return {
    terminal,
    session,
    stdin,
    stdout,
    ended,
    abort,
    /** What the process was like each time it was stopped. */
    stops,
    frames: () => frames,
    rows,
    shows,
    /** The screen becomes exactly what the session looks like: nothing is left of earlier frames. */
    async settles(): Promise<void> {
      const wanted = () => padded(rowsOf(screenOf(session)), terminal.rows);
      await expect.poll(() => rows().join('\n') === wanted(), { timeout: 900_000, interval: 10 }).toBe(true);
    },
    isRaw: () => isRaw,
    isAlternate: () => buffer().type === 'alternate',
    cursorHidden: () => written.lastIndexOf('\x1b[?25l') > written.lastIndexOf('\x1b[?25h'),
    written: () => written,
    type: (text: string) => stdin.write(text),
    signal: (event: JobEvent) => handlers[event]?.(),
    /** The window changes, and the program hears of it. */
    resize(toColumns: number, toRows: number): void {
      terminal.resize(toColumns, toRows);
      Object.assign(stdout, { columns: toColumns, rows: toRows });
      stdout.emit('resize');
    },
  };
}

const padded = (lines: readonly string[], rows: number): string =>
  [...lines, ...Array.from({ length: Math.max(0, rows - lines.length) }, () => '')].join('\n');
