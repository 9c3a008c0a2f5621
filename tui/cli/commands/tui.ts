/**
 * `dejavm tui TRACE`: the terminal UI, or with `--frame` one screen of it as text. Relies on ink only from the moment
 * something is drawn.
 */
import { createTracePlayer, openSession } from '../../../replay/index.ts';
import { isBeingWritten, openTrace, readBookmarks } from '../../../traces/index.ts';
import { EXIT, type ExitCode, processJobControl, UsageError } from '../../base/index.ts';
import {
  change,
  createGrowth,
  createScanner,
  createSession,
  machineIntrospection,
  runScript,
} from '../../model/index.ts';
import { createLanes } from '../../panels/index.ts';
import type { CommandContext } from '../command.ts';
import { symbolOptions } from '../symbol-files.ts';
import { openNamedTrace } from './open.ts';

/** How far the scanner runs at a time when nobody waits for the screen. */
const SCAN_STEP = 50_000_000;

export async function tuiCommand({
  args,
  flags,
  io,
}: CommandContext<'script' | 'frame' | 'size' | 'symbols'>): Promise<ExitCode> {
  if (!flags.frame && !(io.stdin.isTTY && io.outIsTerminal)) {
    throw new UsageError('the terminal UI needs a terminal; --frame prints one screen as text without one');
  }
  const trace = openNamedTrace(args[0]!, io);
  const debug = openSession(trace, symbolOptions(flags, undefined));
  const { machine } = debug.run;
  const lanes = createLanes(machine.config.harts);
  const scanner = createScanner(createTracePlayer(trace), trace.last.moment, lanes);
  const session = createSession(debug, machineIntrospection(debug.run.symbols), lanes, readBookmarks(trace).bookmarks);
  const isRecorded = trace.end === undefined && isBeingWritten(trace.path);
  const growth = isRecorded
    ? createGrowth(session, scanner, {
        isBeingWritten: () => isBeingWritten(trace.path),
        reopen: () => openTrace(trace.path),
      })
    : undefined;
  if (flags.size) change(session, flags.size);
  if (flags.script !== undefined) runScript(session, flags.script);
  if (flags.frame) {
    while (!scanner.done) scanner.advance(SCAN_STEP);
    // Quitting belongs to a script that ends a session; the frame is what was last on the screen.
    const { frameText } = await import('../../views/index.ts');
    io.out(`${frameText(session)}\n`);
    return EXIT.ok;
  }
  if (session.state.quit) return EXIT.ok;
  const { runApp } = await import('../../views/index.ts');
  const abort = new AbortController();
  const release = io.onInterrupt(() => abort.abort());
  const colour = !io.env.NO_COLOR && io.env.TERM !== 'dumb';
  try {
    const { stdin, stdout } = io;
    const jobs = processJobControl();
    const hasQuit = await runApp({ session, scanner, growth, colour, stdin, stdout, jobs }, abort.signal);
    return hasQuit ? EXIT.ok : EXIT.interrupted;
  } finally {
    release();
  }
}
