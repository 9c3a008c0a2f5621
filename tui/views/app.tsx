/**
 * The interactive program: keys in, frames out. Relies on the model for everything but the terminal itself; ink
 * switches to the alternate screen and back, also when the process is ended by a signal.
 */
import { type Key, render, useApp, useInput, useWindowSize } from 'ink';
import { useEffect, useReducer, useRef } from 'react';
import { pressKey } from '../model/input.ts';
import type { Scanner } from '../model/scan.ts';
import { MIN_COLUMNS, MIN_ROWS, type Screen, screenOf } from '../model/screen.ts';
import { change } from '../model/session.ts';
import type { Session } from '../model/types.ts';
import { ScreenView } from './screen.tsx';

export interface AppOptions {
  readonly session: Session;
  /** Fills the timeline while the user reads; undefined when it is full already. */
  readonly scanner: Scanner | undefined;
  readonly colour: boolean;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** Called after each frame with what drawing it took. */
  readonly onFrame?: (milliseconds: number) => void;
}

/** Shows the session until the user quits or `abort` is signalled; the terminal is as before when this settles. */
export async function runApp(options: AppOptions, abort?: AbortSignal): Promise<void> {
  const { stdin, stdout, onFrame } = options;
  const app = render(<App {...options} />, {
    stdin,
    stdout,
    interactive: true,
    alternateScreen: true,
    incrementalRendering: true,
    exitOnCtrlC: false,
    patchConsole: false,
    ...(onFrame && { onRender: ({ renderTime }) => onFrame(renderTime) }),
  });
  const stop = () => app.unmount();
  abort?.addEventListener('abort', stop);
  if (abort?.aborted) stop();
  try {
    await app.waitUntilExit();
  } finally {
    abort?.removeEventListener('abort', stop);
  }
}

function App({ session, scanner, colour }: AppOptions) {
  const { exit } = useApp();
  const { columns, rows } = useWindowSize();
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  // Whatever fails ends the program in good order: the terminal is restored first, then the error is explained.
  const guarded = (run: () => void) => {
    try {
      run();
    } catch (error) {
      exit(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const width = Math.max(MIN_COLUMNS, columns);
  const height = Math.max(MIN_ROWS, rows);
  if (session.state.columns !== width || session.state.rows !== height)
    change(session, { columns: width, rows: height });
  useScanner(scanner, redraw, guarded);
  useInput((input, key) =>
    guarded(() => {
      for (const name of keyNames(input, key)) {
        pressKey(session, name);
        if (session.state.quit) {
          exit();
          return;
        }
      }
      redraw();
    }),
  );
  const { screen, failure } = look(session);
  useEffect(() => {
    if (failure) exit(failure);
  }, [failure, exit]);
  return screen && <ScreenView screen={screen} colour={colour} />;
}

function look(session: Session): { readonly screen?: Screen; readonly failure?: Error } {
  try {
    return { screen: screenOf(session) };
  } catch (error) {
    return { failure: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Long enough to get ahead, short enough that a key press does not wait noticeably. */
const SLICE_MS = 15;
const REDRAW_EVERY_MS = 200;

function useScanner(scanner: Scanner | undefined, redraw: () => void, guarded: (run: () => void) => void): void {
  const guard = useRef(guarded);
  useEffect(() => {
    if (!scanner) return;
    let instructions = 100_000;
    let lastDrawnMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const slice = () => {
      const beginMs = performance.now();
      scanner.advance(instructions);
      const tookMs = performance.now() - beginMs;
      if (tookMs < SLICE_MS / 2) instructions *= 2;
      else if (tookMs > SLICE_MS * 2) instructions = Math.max(1000, Math.floor(instructions / 2));
      if (scanner.done || performance.now() - lastDrawnMs > REDRAW_EVERY_MS) {
        lastDrawnMs = performance.now();
        redraw();
      }
      if (!scanner.done) timer = setTimeout(() => guard.current(slice), 1);
    };
    timer = setTimeout(() => guard.current(slice), 1);
    return () => clearTimeout(timer);
  }, [scanner, redraw]);
}

const NAMED_KEYS = [
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['tab', 'tab'],
  ['return', 'return'],
  ['escape', 'escape'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'],
] as const;

/** Key names as model/input.ts knows them; typing fast or pasting brings several characters at once. */
function keyNames(input: string, key: Key): readonly string[] {
  const named = NAMED_KEYS.find(([property]) => key[property]);
  if (named) return [named[1]];
  if (key.ctrl) return input === 'c' ? ['C-c'] : [];
  if (key.meta) return [];
  return [...input].map((char) => (char === '\r' || char === '\n' ? 'return' : char));
}
