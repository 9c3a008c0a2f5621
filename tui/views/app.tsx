/**
 * The interactive program: keys in, frames out. Relies on the model for what a frame shows and on hold.ts for the
 * terminal; ink draws, switches to the alternate screen and back, also when the process is ended by a signal.
 */
import { render, type SuspendTerminal, useApp, useInput } from 'ink';
import { useEffect, useLayoutEffect, useReducer, useRef } from 'react';
import { TraceError } from '../../traces/index.ts';
import {
  advanceWork,
  change,
  type Growth,
  pressKey,
  type Scanner,
  type Screen,
  say,
  screenOf,
  whileWorking,
} from '../model/index.ts';
import type { Session } from '../panels/index.ts';
import { HOME_AND_ERASE, type Hold, holdTerminal, type Terminal } from './hold.ts';
import { keyNames } from './keys.ts';
import { ScreenView } from './screen.tsx';

export interface AppOptions extends Terminal {
  readonly session: Session;
  /** Fills the timeline while the user reads; undefined when it is full already. */
  readonly scanner: Scanner | undefined;
  /** Reads on in a trace that is being recorded; undefined when it is not. */
  readonly growth?: Growth | undefined;
  readonly colour: boolean;
  /** Called after each frame. */
  readonly onFrame?: () => void;
}

/**
 * Shows the session until the user quits, `abort` is signalled, or the terminal goes away; the terminal is as before
 * when this settles.
 * @returns whether it was the user who quit
 */
export async function runApp(options: AppOptions, abort?: AbortSignal): Promise<boolean> {
  const { session, stdin, stdout, onFrame } = options;
  const control: Control = { suspendTerminal: undefined, hold: undefined };
  const view = () => {
    // Ink takes a terminal that does not know its size for one of 80 x 24.
    change(session, { columns: stdout.columns || 80, rows: stdout.rows || 24 });
    return <App {...options} control={control} />;
  };
  change(session, { request: undefined });
  session.inTurns = true;
  const app = render(view(), {
    stdin,
    stdout,
    interactive: true,
    alternateScreen: true,
    incrementalRendering: true,
    exitOnCtrlC: false,
    patchConsole: false,
    ...(onFrame && { onRender: onFrame }),
  });
  const hold = holdTerminal(options, {
    clear: app.clear,
    draw: () => app.rerender(view()),
    unmount: app.unmount,
    suspendTerminal: control.suspendTerminal!,
  });
  control.hold = hold;
  const stop = () => app.unmount();
  abort?.addEventListener('abort', stop);
  if (abort?.aborted) stop();
  try {
    await app.waitUntilExit();
    return !hold.lost() && !abort?.aborted;
  } finally {
    hold.release();
    abort?.removeEventListener('abort', stop);
  }
}

/** What the views and the hold on the terminal give each other. */
interface Control {
  suspendTerminal: SuspendTerminal | undefined;
  hold: Hold | undefined;
}

function App({ session, scanner, growth, colour, stdout, jobs, control }: AppOptions & { readonly control: Control }) {
  const { exit, suspendTerminal } = useApp();
  control.suspendTerminal = suspendTerminal;
  /** The last screen that showed the machine at rest. */
  const shown = useRef<Screen | undefined>(undefined);
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  // Whatever fails ends the program in good order: the terminal is restored first, then the error is explained.
  const guarded = (run: () => void) => {
    try {
      run();
    } catch (error) {
      exit(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const scan = useScanner(scanner, redraw, guarded);
  useGrowth(
    growth,
    () => {
      redraw();
      scan();
    },
    guarded,
  );
  const work = useWork(session, redraw, guarded);
  useLayoutEffect(() => () => leave(stdout), [stdout]);
  useInput((input, key) =>
    guarded(() => {
      for (const name of keyNames(input, key)) {
        pressKey(session, name);
        if (session.work) break;
        if (session.state.quit) {
          exit();
          return;
        }
        const { request } = session.state;
        change(session, { request: undefined });
        if (request === 'redraw') control.hold?.redraw();
        if (request === 'suspend' && jobs) control.hold?.suspend();
        else if (request === 'suspend') say(session, 'this system has no job control', true);
      }
      redraw();
      work();
    }),
  );
  const { screen, failure } = look(session, shown.current);
  shown.current = session.work ? shown.current : screen;
  useEffect(() => {
    // Not from here: ink would leave the alternate screen before React, busy with this effect, lets the views go.
    if (failure) queueMicrotask(() => exit(failure));
  }, [failure, exit]);
  return screen && <ScreenView screen={screen} colour={colour} />;
}

/**
 * Before ink leaves the alternate screen: a terminal that was resized meanwhile (tmux 3.3) pushes what stands above the
 * cursor onto the ordinary screen.
 */
function leave(stdout: NodeJS.WriteStream): void {
  if (stdout.writable) stdout.write(HOME_AND_ERASE);
}

/** `before`: what is shown while a move is being made and the machine is somewhere on the way. */
function look(session: Session, before: Screen | undefined): { readonly screen?: Screen; readonly failure?: Error } {
  try {
    if (session.work && before) return { screen: whileWorking(session, before) };
    return { screen: screenOf(session) };
  } catch (error) {
    // What the screen shows is read when it is drawn; a file that has been damaged meanwhile leaves the last one.
    if (error instanceof TraceError && before) {
      say(session, error.message, true);
      return { screen: whileWorking(session, before) };
    }
    return { failure: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Long enough to get ahead, short enough that a key press does not wait noticeably. */
const SLICE_MS = 15;
const REDRAW_EVERY_MS = 200;
/** From the end of one look at a recording to the next. */
const LOOK_EVERY_MS = 500;

/** What starts the work of a move that has been asked for, if there is any. */
function useWork(session: Session, redraw: () => void, guarded: (run: () => void) => void): () => void {
  const guard = useRef(guarded);
  guard.current = guarded;
  const timer = useRef<NodeJS.Immediate | undefined>(undefined);
  useEffect(() => () => clearImmediate(timer.current), []);
  return () => {
    let lastDrawnMs = performance.now();
    const slice = () => {
      if (!session.work) return;
      advanceWork(session);
      if (!session.work || performance.now() - lastDrawnMs > REDRAW_EVERY_MS) {
        lastDrawnMs = performance.now();
        redraw();
      }
      timer.current = setImmediate(() => guard.current(slice));
    };
    clearImmediate(timer.current);
    timer.current = setImmediate(() => guard.current(slice));
  };
}

/** What starts the scanner again when there is more to scan. */
function useScanner(scanner: Scanner | undefined, redraw: () => void, guarded: (run: () => void) => void): () => void {
  const guard = useRef(guarded);
  const start = useRef(() => {});
  useEffect(() => {
    if (!scanner) return;
    let instructions = 100_000;
    let lastDrawnMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const slice = () => {
      timer = undefined;
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
    start.current = () => {
      if (!scanner.done) timer ??= setTimeout(() => guard.current(slice), 1);
    };
    timer = setTimeout(() => guard.current(slice), 1);
    return () => clearTimeout(timer);
  }, [scanner, redraw]);
  return () => start.current();
}

/** Looks whether a recording has grown, until it is over. */
function useGrowth(growth: Growth | undefined, grown: () => void, guarded: (run: () => void) => void): void {
  const current = useRef({ grown, guarded });
  current.current = { grown, guarded };
  useEffect(() => {
    if (!growth) return;
    let timer: NodeJS.Timeout | undefined;
    const look = () => {
      if (growth.look()) current.current.grown();
      if (!growth.isOver) wait();
    };
    const wait = () => {
      timer = setTimeout(() => current.current.guarded(look), LOOK_EVERY_MS);
    };
    wait();
    return () => clearTimeout(timer);
  }, [growth]);
}
