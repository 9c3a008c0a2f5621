/**
 * The program's hold on the terminal: taken and given back in every way that a terminal can be lost. Ink draws frames
 * and switches screens and modes; what it does not know stands here: that a resized screen holds nothing of the last
 * frame for sure, and that others take the terminal away and give it back (Ctrl-Z, SIGSTOP, a hang-up).
 */
import type { SuspendTerminal } from 'ink';
import type { JobControl } from '../base/index.ts';

export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** Undefined where the system has no job control. */
  readonly jobs: JobControl | undefined;
}

/** What holds the screen, as far as it is needed here; ink's instance and the views behind it. */
export interface Screened {
  /** Ink forgets what it has drawn. */
  clear(): void;
  /** Draws the session at the terminal's present size. */
  draw(): void;
  /** Ends the program. */
  unmount(): void;
  /** Ink's own: gives the terminal back, and takes it again. */
  readonly suspendTerminal: SuspendTerminal;
}

export interface Hold {
  /** Draws the screen anew from a blank one. */
  redraw(): void;
  /** Gives the terminal back, stops the process, and takes the terminal again when the shell continues it. */
  suspend(): void;
  /** Whether the terminal went away: it hung up, or somebody closed it. */
  lost(): boolean;
  /** Ends the hold. */
  release(): void;
}

/** The cursor in the corner of a blank screen. */
export const HOME_AND_ERASE = '\x1b[H\x1b[2J';

/** Holds the terminal from the first frame on. */
export function holdTerminal({ stdin, stdout, jobs }: Terminal, screened: Screened): Hold {
  let isAway = false;
  let isLost = false;
  let isReleased = false;
  let resized = false;

  const redraw = () => {
    if (isAway) return;
    // Where the cursor is, and what is left of the last frame, nobody knows: begin in the corner of a blank screen.
    screened.clear();
    stdout.write(HOME_AND_ERASE);
    screened.draw();
  };
  const away = async (meanwhile: () => Promise<void> | void) => {
    if (isAway) return;
    isAway = true;
    const { resume } = await screened.suspendTerminal();
    await meanwhile();
    if (isReleased) return;
    screened.draw();
    // The terminal is ours as soon as this returns; what it resolves with is that the frame has gone out.
    const drawn = resume();
    isAway = false;
    await drawn;
  };
  const suspend = () => {
    if (!jobs) return;
    void away(async () => {
      jobs.stop();
      // `kill %1` ends a stopped job by SIGTERM and then SIGCONT: what came meanwhile is heard first.
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    });
  };
  const onContinue = () => {
    if (isAway) return;
    // In the background this stops the process until the shell gives it the terminal; after that, modes are known.
    stdin.setRawMode(false);
    void away(() => {});
  };
  const onResize = () => {
    resized = true;
    redraw();
  };
  const onWindow = () => {
    // A terminal that grew back at once has its old size and half of its content; no `resize` tells.
    if (!resized) redraw();
    resized = false;
  };
  const onLost = () => {
    isLost = true;
    if (!isReleased) screened.unmount();
  };

  // In front of ink's own, which draws for the new size what was laid out for the old one.
  stdout.prependListener('resize', onResize);
  const ends = [
    () => stdout.off('resize', onResize),
    ...(['end', 'close', 'error'] as const).map((event) => listen(stdin, event, onLost)),
    ...(['close', 'error'] as const).map((event) => listen(stdout, event, onLost)),
    jobs?.on('stop', suspend),
    jobs?.on('continue', onContinue),
    jobs?.on('window', onWindow),
    // Before the error is printed: on the alternate screen it would be gone in a moment.
    listen(process, 'uncaughtExceptionMonitor', () => screened.unmount()),
  ];
  return {
    redraw,
    suspend,
    lost: () => isLost,
    release() {
      isReleased = true;
      for (const end of ends) end?.();
    },
  };
}

function listen(emitter: NodeJS.EventEmitter, event: string, handler: () => void): () => void {
  emitter.on(event, handler);
  return () => emitter.off(event, handler);
}
