/**
 * `dejavm when TRACE CONDITION`: the moments at which a condition holds. Relies on replay/when, which follows most
 * conditions by breakpoints and watched memory; says first how, and what it may cost.
 */
import { codeText, type Mode, shellLine } from '../../../engine/index.ts';
import {
  type Condition,
  type ConditionHit,
  eachWhen,
  firstWhen,
  lastWhen,
  type Place,
  readCondition,
  type TraceTimeline,
} from '../../../replay/index.ts';
import { TraceError } from '../../../traces/index.ts';
import {
  counted,
  EXIT,
  type ExitCode,
  grouped,
  hex,
  type Io,
  table,
  UsageError,
  virtualTime,
} from '../../base/index.ts';
import { momentOf } from '../../panels/index.ts';
import type { CommandContext } from '../command.ts';
import { driven } from '../driven.ts';
import { toJson } from '../json/index.ts';
import { openRun } from '../symbol-files.ts';
import { travelToStretch } from '../travel-to.ts';
import { placeText, whereIs } from '../where.ts';
import { openNamedTrace } from './open.ts';

type WhenFlag = 'first' | 'last' | 'count' | 'list' | 'every' | 'from' | 'to' | 'limit' | 'symbols' | 'json';
type Wanted = 'first' | 'last' | 'count' | 'list';

/** Moments that --list lists unless --limit says otherwise. */
const MOST_LISTED = 1_000;
/** Instructions a second where each is looked at, about. */
const LOOKS_PER_SECOND = 200_000;

export async function whenCommand({ args, flags, io }: CommandContext<WhenFlag>): Promise<ExitCode> {
  const [name, text] = args;
  const wanted = wantedOf(flags);
  const trace = openNamedTrace(name!, io);
  const run = openRun(trace, flags, io);
  const condition = readCondition(text!, { machine: run.machine, symbols: run.symbols }, flags.every);
  const to = await travelToStretch(run, flags, io);
  if (!to) return EXIT.interrupted;
  io.err(`dejavm: looks ${howText(condition, Math.max(0, to.moment - run.moment))}\n`);

  const answer = await ask(run, condition, { wanted, to, most: flags.limit ?? MOST_LISTED }, io);
  const { hits } = answer;
  if (flags.json) {
    const { count, more } = answer;
    io.out(
      toJson('when', { trace: trace.path, condition: text!, check: condition.plan.check, wanted, count, hits, more }),
    );
  } else if (wanted === 'count') io.out(`${answer.count}\n`);
  else if (wanted === 'list') io.out(`${listText(hits, answer.count)}\n`);
  else if (hits[0]) io.out(`${text} holds ${wanted} at\n\n${placeText(whereIs(run.machine, run.symbols))}\n`);
  else io.out(`${text} holds at no moment${answer.left ? ' up to there' : ''}\n`);
  if (answer.more) io.err(`dejavm: only the first ${grouped(hits.length)} are listed; --limit lists more\n`);
  if (answer.left) {
    io.err(`dejavm: ${answer.left.message}\n`);
    return EXIT.difference;
  }
  if (answer.interrupted) {
    io.err(`dejavm: stopped by Ctrl-C at moment ${grouped(run.moment)}: what follows was not looked at\n`);
    return EXIT.interrupted;
  }
  if (hits[0] && wanted !== 'count' && !flags.json) {
    io.err(`dejavm: look there with: ${shellLine(['dejavm', 'show', trace.path, '-g', momentOf(hits[0])])}\n`);
  }
  return EXIT.ok;
}

function wantedOf(flags: Readonly<Partial<Record<Wanted, boolean>>>): Wanted {
  const given = (['first', 'last', 'count', 'list'] as const).filter((one) => flags[one]);
  if (given.length > 1) throw new UsageError(`--${given.join(' and --')}: say one of them`);
  return given[0] ?? 'first';
}

/** How the condition is followed, and what bounds that. */
function howText({ plan }: Condition, instructions: number): string {
  switch (plan.check) {
    case 'execution': {
      const halves = plan.places.reduce((sum, { from, to }) => sum + Number((to - from + 1n) / 2n), 0);
      return `before each execution of ${counted(halves, 'place')} (breakpoints)`;
    }
    case 'memory':
      return 'when the memory that it reads is written (watchpoints)';
    case 'events': {
      const when = plan.which === 'vm' ? 'each exit of a VM and entry to one' : 'each trap, return and write to a CSR';
      const registers = plan.registers.join(', ');
      const between = `; ${registers} can change in between: --every instruction looks there, too`;
      return `at ${when}, and when the memory that it reads is written${registers === '' ? '' : between}`;
    }
    case 'instructions': {
      const seconds = Math.ceil(instructions / LOOKS_PER_SECOND);
      return `before each of up to ${grouped(instructions)} instructions, some ${counted(seconds, 'second')}`;
    }
  }
}

/** A moment, as --json prints it. */
interface ListedMoment {
  readonly moment: number;
  readonly ticks: number;
  readonly inputs: Place['here'];
  /** Whose instruction is next there. */
  readonly hart: number;
  readonly mode: Mode;
  readonly pc: bigint;
  readonly symbol?: string;
  readonly source?: string;
}

interface Question {
  readonly wanted: Wanted;
  readonly to: Place;
  readonly most: number;
}

interface Answer {
  readonly hits: readonly ListedMoment[];
  readonly count: number;
  readonly more: boolean;
  readonly interrupted: boolean;
  /** The run leaves its recording: what was found up to there is true all the same. */
  readonly left: TraceError | undefined;
}

async function ask(run: TraceTimeline, condition: Condition, { wanted, to, most }: Question, io: Io): Promise<Answer> {
  const hits: ListedMoment[] = [];
  let count = 0;
  let interrupted = false;
  let left: TraceError | undefined;
  const text = ({ moment }: { readonly moment: number }) => `looking: moment ${grouped(moment)}`;
  const one = async (search: ReturnType<typeof firstWhen>) => {
    const outcome = await driven(search, io, text);
    interrupted = outcome.interrupted;
    if (!outcome.result) return;
    count = 1;
    hits.push(listed(outcome.result, run));
  };
  try {
    if (wanted === 'first') await one(firstWhen(run, condition, to));
    else if (wanted === 'last') {
      const from = run.place;
      run.toTicks(to.ticks, to.here);
      await one(lastWhen(run, condition, from));
    } else {
      const each = eachWhen(run, condition, to, (hit) => {
        count++;
        if (wanted === 'list' && count <= most) hits.push(listed(hit, run));
        return wanted === 'list' && count > most;
      });
      interrupted = (await driven(each, io, text)).interrupted;
    }
  } catch (error) {
    if (!(error instanceof TraceError) || error.kind !== 'incompatible') throw error;
    left = error;
  }
  return { hits, count, more: wanted === 'list' && count > most, interrupted, left };
}

/** The machine stands there. */
function listed({ moment, ticks, here = 'applied', hart }: ConditionHit, run: TraceTimeline): ListedMoment {
  const { machine, symbols } = run;
  const number = hart ?? machine.next().hart;
  const { mode, pc, vmid } = machine.hart(number);
  return { moment, ticks, inputs: here, hart: number, mode, pc, ...symbols.codeAt(mode, pc, vmid) };
}

function listText(hits: readonly ListedMoment[], count: number): string {
  const rows = hits.map(({ moment, ticks, hart, mode, pc, ...code }) => [
    grouped(moment),
    virtualTime(ticks),
    `hart ${hart} in ${mode}`,
    hex(pc, 8),
    codeText(code),
  ]);
  if (rows.length === 0) return counted(count, 'moment');
  return `${table([['moment', 'virtual time', 'next', 'pc', 'symbol'], ...rows], [0, 1])}`;
}
