/**
 * `dejavm console TRACE`: what the run printed, line by line, each with the moment that `-g` takes. Reads the trace
 * alone; nothing is executed.
 */
import { setFlagsFromString } from 'node:v8';
import { linesOf, speakerOf } from '../../../replay/index.ts';
import { EXIT, type ExitCode, grouped, UsageError } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { toJsonLine } from '../json/index.ts';
import { isTaken } from '../taken.ts';
import { openNamedTrace } from './open.ts';

/** Lines between two turns of the event loop. */
const AT_ONCE = 1000;
const MOMENT = 13;

export async function consoleCommand({ args, flags, io }: CommandContext<'grep' | 'vm' | 'json'>): Promise<ExitCode> {
  const wanted = flags.grep === undefined ? undefined : linearPattern(flags.grep);
  const trace = openNamedTrace(args[0]!, io);
  let interrupted = false;
  const release = io.onInterrupt(() => {
    interrupted = true;
  });
  let lines = 0;
  let printed = 0;
  const speakers = new Set<number>();
  try {
    for (const { moment, text } of linesOf(trace.console)) {
      if (++lines % AT_ONCE === 0 && !(await isTaken(io))) break;
      if (interrupted) break;
      const speaker = speakerOf(text);
      if (speaker) speakers.add(speaker.vmid);
      if (flags.vm !== undefined && speaker?.vmid !== flags.vm) continue;
      if (wanted && !wanted.test(text)) continue;
      printed++;
      if (flags.json) io.out(toJsonLine('console', { moment, ...(speaker && { vmid: speaker.vmid }), text }));
      else io.out(`${grouped(moment).padStart(MOMENT)}  ${text}\n`);
    }
  } finally {
    release();
  }
  if (interrupted) return EXIT.interrupted;
  if (printed === 0 && flags.vm !== undefined && !speakers.has(flags.vm)) {
    const others = [...speakers].sort((a, b) => a - b).slice(0, 20);
    const known = others.length === 0 ? 'no line begins with the name of a VM' : `those that did: ${others.join(', ')}`;
    throw new UsageError(`--vm ${flags.vm}: this VM printed nothing in ${trace.path}; ${known}`);
  }
  return EXIT.ok;
}

/**
 * A pattern that takes time in proportion to a line, whatever it is: V8's engine that does not go back.
 * @throws UsageError for a pattern that is none, or that needs going back
 */
function linearPattern(source: string): RegExp {
  setFlagsFromString('--enable-experimental-regexp-engine');
  try {
    return new RegExp(source, 'l');
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^.*: /s, '') : String(error);
    const reason = /linear time/.test(why)
      ? 'back references, look-ahead, and large repetitions of groups could take for ever'
      : why.toLowerCase();
    throw new UsageError(`--grep: expected a regular expression such as 'vm1: .*error', got '${source}': ${reason}`);
  }
}
