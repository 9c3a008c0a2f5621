/**
 * `dejavm why TRACE WHERE`: the chain of instructions from a wrong value, output or missing event back to what
 * began it. Relies on replay/why, which compares with a golden run; without one, see why-alone.ts.
 */
import { shellLine, UserError } from '../../../engine/index.ts';
import {
  type EventQuestion,
  type MomentExpression,
  openTimeline,
  parseEvent,
  parseExpression,
  parseMomentText,
  questionOfMissing,
  questionOfOutput,
  type Slices,
  type TraceTimeline,
  type WhyAnswer,
  type WhyProgress,
  why,
} from '../../../replay/index.ts';
import { TraceError } from '../../../traces/index.ts';
import { EXIT, type ExitCode, grouped, type Io, UsageError } from '../../base/index.ts';
import { chainText, momentOf, whySentence, whyText } from '../../panels/index.ts';
import type { CommandContext } from '../command.ts';
import { driven } from '../driven.ts';
import { toJson } from '../json/index.ts';
import { travelTo } from '../travel-to.ts';
import { openNamedTrace } from './open.ts';
import { whyAloneCommand } from './why-alone.ts';

type WhyFlag = 'whyAt' | 'against' | 'not' | 'whyDepth' | 'bytes' | 'json';

/** Steps that are shown unless --depth says otherwise. */
const MOST_SHOWN = 100;

export async function whyCommand({ args, flags, io }: CommandContext<WhyFlag>): Promise<ExitCode> {
  const [name, where] = args;
  const asks = parseWords(where, flags.not, flags.whyAt);
  if (flags.against === undefined) return await whyAloneCommand(args, flags, io);
  const [a, g] = [openTimeline(openNamedTrace(name!, io)), openTimeline(openNamedTrace(flags.against, io))];
  const most = flags.whyDepth ?? MOST_SHOWN;
  const soFar: WhyProgress = {};
  let asked: EventQuestion | undefined;
  let answer: WhyAnswer | undefined;
  let left: TraceError | undefined;
  try {
    asked = await asks(a, g, flags, io);
    answer = asked && (await find(why(a, g, asked.question, soFar), io));
  } catch (error) {
    if (!(error instanceof TraceError) || error.kind !== 'incompatible') throw error;
    left = error;
  }
  if (!asked || !answer) {
    const steps = soFar.soFar?.() ?? [];
    if (asked && !flags.json)
      io.out([asked.about, ...(steps.length > 0 ? ['', chainText(steps, most)] : []), ''].join('\n'));
    io.err(left ? `dejavm: ${left.message}\n` : 'dejavm: stopped by Ctrl-C: where it began was not found\n');
    return left ? EXIT.difference : EXIT.interrupted;
  }
  const about = { about: asked.about, isMissing: asked.question.kind === 'not' };
  if (flags.json) {
    const { steps, ...rest } = answer;
    const shown = steps.slice(0, most);
    const paths = { trace: a.trace.path, golden: g.trace.path };
    const sentence = whySentence(answer, about);
    io.out(
      toJson('why', {
        ...paths,
        about: asked.about,
        ...rest,
        steps: shown,
        more: steps.length - shown.length,
        sentence,
      }),
    );
    return EXIT.ok;
  }
  io.out(`${whyText(about, answer, most)}\n`);
  const { ticks } = answer.cause.position;
  const show = ['dejavm', 'show', a.trace.path, '-g', momentOf({ ticks, here: 'pending' })];
  io.err(`dejavm: right before it: ${shellLine(show)}\n`);
  return EXIT.ok;
}

/** undefined: Ctrl-C. */
async function find<R>(search: Slices<R>, io: Io): Promise<R | undefined> {
  return (await driven(search, io, ({ moment }) => `looking back: moment ${grouped(moment)}`)).result;
}

/** Makes the question; undefined: Ctrl-C came first. */
type Asks = (
  a: TraceTimeline,
  g: TraceTimeline,
  flags: { readonly bytes?: number | undefined },
  io: Io,
) => Promise<EventQuestion | undefined>;

/** Reads what is asked, before a run is opened. @throws UserError when it is no question */
function parseWords(where: string | undefined, not: string | undefined, at: MomentExpression | undefined): Asks {
  if ((where === undefined) === (not === undefined)) {
    throw new UsageError('expected WHERE, such as hart0.a0, heap_lock or output:vm1, or --not EVENT: one of the two');
  }
  if (at && (not !== undefined || parseEvent(where!))) {
    throw new UsageError('--at says when a value is looked at: an event has its own moment');
  }
  if (not !== undefined) return parseMissing(not);
  const event = parseEvent(where!);
  if (event?.kind === 'output') return (a, g, _, io) => find(questionOfOutput(a, g, event.speaker), io);
  if (event) throw new UsageError(`'${where}' is an event: ask why it is missing with --not, or for output:vm1`);
  const expression = parseExpression(where!);
  return async (a, _, { bytes }, io) => {
    if (!(await travelTo(a, at ?? parseMomentText('end'), io))) return undefined;
    const { place } = a;
    const about = `${where} at moment ${grouped(place.moment)}`;
    return { question: { kind: 'value', where: expression, at: place, ...(bytes !== undefined && { bytes }) }, about };
  };
}

function parseMissing(text: string): Asks {
  const event = parseEvent(text);
  if (event) return (a, g, _, io) => find(questionOfMissing(a, g, event), io);
  const moment = parseEventMoment(text);
  return async (_, g, __, io) => {
    if (!(await travelTo(g, moment, io))) return undefined;
    const { place, machine } = g;
    const { hart } = machine.next();
    const about = `what the golden run does at moment ${grouped(place.moment)} on hart ${hart} does not happen`;
    return { question: { kind: 'not', at: place, hart, isNamed: true }, about };
  };
}

/** @throws UserError which says what else an event can be */
function parseEventMoment(text: string): MomentExpression {
  try {
    return parseMomentText(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${error.message}; or an event: output:vm1, enter:vm1, or '"text"' with the double quotes`);
  }
}
