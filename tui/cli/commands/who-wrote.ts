/**
 * `dejavm who-wrote TRACE WHERE`: the last write to some bytes before a moment, whoever made it; or all of them, or who
 * read. Relies on replay/watch, which follows addresses that are mapped elsewhere meanwhile.
 */
import { shellLine, UserError } from '../../../engine/index.ts';
import {
  accessesUntil,
  lastAccessInParallel,
  type MemoryHit,
  parseExpression,
  parseMomentText,
  type TraceTimeline,
  type WatchedMemory,
} from '../../../replay/index.ts';
import { TraceError } from '../../../traces/index.ts';
import { EXIT, type ExitCode, grouped, type Io } from '../../base/index.ts';
import { askAbout, describeHit, hitsText, instructionOf, lastHitText, momentOf } from '../../panels/index.ts';
import type { CommandContext } from '../command.ts';
import { driven, drivenBy } from '../driven.ts';
import { toJson } from '../json/index.ts';
import { openRun } from '../symbol-files.ts';
import { travelTo } from '../travel-to.ts';
import { openNamedTrace } from './open.ts';

type WhoWroteFlag = 'before' | 'changes' | 'all' | 'read' | 'bytes' | 'limit' | 'symbols' | 'json';

/** Accesses that --all lists unless --limit says otherwise. */
const MOST_LISTED = 1_000;

export async function whoWroteCommand({ args, flags, io }: CommandContext<WhoWroteFlag>): Promise<ExitCode> {
  const [name, where] = args;
  // What is no place at all is said before a run is opened.
  parseExpression(where!);
  if (flags.read && flags.changes) throw new UserError('--changes is about writes: leave it or --read out');
  const trace = openNamedTrace(name!, io);
  const run = openRun(trace, flags, io);
  if (!(await travelTo(run, flags.before ?? parseMomentText('end'), io))) return EXIT.interrupted;
  const what = flags.read ? 'reads' : flags.changes ? 'changes' : 'writes';
  const { memory, question } = askAbout(where!, run, what, flags.bytes);
  const before = run.place;
  const answer = await ask(run, memory, flags.all ? (flags.limit ?? MOST_LISTED) : undefined, io);

  const hits = answer.hits.map((hit) => describeHit(hit, run.symbols));
  if (flags.json) {
    const { where: _, ...asked } = question;
    io.out(toJson('who-wrote', { trace: trace.path, ...asked, before, hits, more: answer.more }));
  } else if (flags.all) io.out(`${hitsText(question, before, hits)}\n`);
  else if (hits.length > 0 || !(answer.left || answer.interrupted)) {
    // A search that did not come to its end cannot say that there is nothing.
    const instruction = hits[0] && instructionOf(answer.hits[0]!, run);
    io.out(`${lastHitText(question, before, hits[0], instruction, trace)}\n`);
  }
  if (answer.more) io.err(`dejavm: only the first ${grouped(hits.length)} are listed; --limit lists more\n`);
  if (answer.left) {
    io.err(`dejavm: ${answer.left.message}\n`);
    return EXIT.difference;
  }
  if (answer.interrupted) {
    io.err('dejavm: stopped by Ctrl-C: what was not looked at may hold others\n');
    return EXIT.interrupted;
  }
  const last = answer.hits.at(-1);
  if (last && !flags.json) {
    io.err(`dejavm: right before it: ${shellLine(['dejavm', 'show', trace.path, '-g', momentOf(last)])}\n`);
  }
  return EXIT.ok;
}

interface Answer {
  readonly hits: readonly MemoryHit[];
  /** There are more than were to be listed. */
  readonly more: boolean;
  readonly interrupted: boolean;
  /** The run leaves its recording: what was found up to there is true all the same. */
  readonly left: TraceError | undefined;
}

/** `most`: lists so many, oldest first; undefined: finds the last one. */
async function ask(run: TraceTimeline, memory: WatchedMemory, most: number | undefined, io: Io): Promise<Answer> {
  const hits: MemoryHit[] = [];
  let more = false;
  const take = (hit: MemoryHit): boolean => {
    if (hits.length === most) more = true;
    else hits.push(hit);
    return more;
  };
  try {
    if (most !== undefined) {
      // Everything that happens in a run comes behind.
      const start = { ...run.first, here: 'pending' } as const;
      const listing = accessesUntil(run, memory, start, take);
      const { interrupted } = await driven(listing, io, ({ moment }) => `listing: moment ${grouped(moment)}`);
      return { hits, more, interrupted, left: undefined };
    }
    const { interrupted, result } = await drivenBy(
      (options) => lastAccessInParallel(run, memory, options),
      io,
      ({ moment }) => `looking back: moment ${grouped(moment)}`,
    );
    return { hits: result ? [result] : [], more, interrupted, left: undefined };
  } catch (error) {
    if (!(error instanceof TraceError) || error.kind !== 'incompatible') throw error;
    return { hits, more, interrupted: false, left: error };
  }
}
