/**
 * `dejavm explain TRACE --golden GOLDEN`, or `dejavm explain RESULTS#ROW`: a failed run on one page, from what a user
 * sees back to what began it. Relies on replay/explain, which looks at symptoms and not at the fault that was injected.
 */
import { shellLine, UserError } from '../../../engine/index.ts';
import {
  type Explained,
  type ExplainProgress,
  type Explanation,
  explainRun,
  type FirstDifference,
  firstDifference,
  openTimeline,
  type Symptom,
  type SymptomPlace,
  symptomText,
  type TraceTimeline,
} from '../../../replay/index.ts';
import { type Trace, TraceError } from '../../../traces/index.ts';
import { EXIT, type ExitCode, grouped, type Io, UsageError } from '../../base/index.ts';
import { explainSentence, explainText, momentOf, partialText } from '../../panels/index.ts';
import type { CommandContext } from '../command.ts';
import { driven } from '../driven.ts';
import { recordedAgain, rowNamed, withoutFaultHint } from '../explained-runs.ts';
import { toJson } from '../json/index.ts';
import { openNamedTrace } from './open.ts';

type ExplainFlag = 'goldenRun' | 'keep' | 'chain' | 'json';

/** Steps of the chain that are shown unless --depth says otherwise. */
const MOST_SHOWN = 60;

/** What is explained, and what the commands that look closer say for it. */
interface Pair {
  readonly name: string;
  readonly trace: Trace;
  readonly golden: Trace;
  /** The traces are there when this command has ended. */
  readonly areKept: boolean;
}

export async function explainCommand({ args, flags, io }: CommandContext<ExplainFlag>): Promise<ExitCode> {
  const [name] = args;
  const row = rowNamed(name!);
  if (!row) {
    if (flags.keep !== undefined) throw new UsageError(`--keep is for a row of a campaign, and '${name}' is a trace`);
    const trace = openNamedTrace(name!, io);
    if (flags.goldenRun === undefined) throw new UserError(withoutFaultHint(trace));
    return await explainPair(
      { name: name!, trace, golden: openNamedTrace(flags.goldenRun, io), areKept: true },
      flags,
      io,
    );
  }
  if (flags.goldenRun !== undefined) {
    throw new UsageError(`${name} is recorded with its fault and without: leave out --golden`);
  }
  const recorded = await recordedAgain(row, flags.keep, io, async (faulted, golden) => {
    const pair = { trace: openNamedTrace(faulted, io), golden: openNamedTrace(golden, io) };
    return await explainPair({ name: name!, ...pair, areKept: flags.keep !== undefined }, flags, io);
  });
  if (recorded === undefined) io.err('dejavm: stopped by Ctrl-C while the row was being recorded\n');
  return recorded ?? EXIT.interrupted;
}

async function explainPair(
  pair: Pair,
  { chain: most = MOST_SHOWN, json }: CommandContext<ExplainFlag>['flags'],
  io: Io,
): Promise<ExitCode> {
  const [a, g] = [openTimeline(pair.trace), openTimeline(pair.golden)];
  const soFar: ExplainProgress = {};
  let explanation: Explanation | undefined;
  let left: TraceError | undefined;
  try {
    const search = explainRun(a, g, soFar);
    explanation = (await driven(search, io, ({ moment }) => progressText(soFar, moment))).result;
  } catch (error) {
    if (!(error instanceof TraceError) || error.kind !== 'incompatible') throw error;
    left = error;
  }
  if (!explanation) {
    if (!json) io.out(`${partialText(soFar, most)}\n`);
    io.err(left ? `dejavm: ${left.message}\n` : 'dejavm: stopped by Ctrl-C: that is what was known\n');
    return left ? EXIT.difference : EXIT.interrupted;
  }
  const { symptoms, explained } = explanation;
  const first = firstDifference(a, g, explained?.answer.cause.position);
  if (json) io.out(toJson('explain', jsonOf(pair, explanation, first, most)));
  else {
    const closer = explained ? ['', 'To look closer', ...closerLines(pair, explanation, a)] : [];
    io.out(`${[explainText({ explanation, first, most }), ...closer].join('\n')}\n`);
  }
  return symptoms.length === 0 || explained ? EXIT.ok : EXIT.difference;
}

const progressText = ({ symptoms, asking }: ExplainProgress, moment: number): string =>
  symptoms && asking
    ? `following symptom ${symptoms.indexOf(asking) + 1} of ${symptoms.length} back: moment ${grouped(moment)}`
    : `looking for what a user sees: moment ${grouped(moment)}`;

function closerLines({ name, trace, golden, areKept }: Pair, { explained }: Explanation, a: TraceTimeline): string[] {
  if (!areKept) return [`  ${shellLine(['dejavm', 'explain', name, '--keep', 'DIRECTORY'])}   # keeps both traces`];
  const { ticks } = explained!.answer.cause.position;
  const before = momentOf({ ticks, here: 'pending' });
  const lines = [
    ['dejavm', 'show', trace.path, '-g', before],
    ['dejavm', 'tui', trace.path, '--script', `goto ${before}`],
    ...whyLines(explained!.symptom, trace.path, golden.path),
  ];
  return lines.filter((line) => line[1] !== 'show' || a.first.ticks <= ticks).map((line) => `  ${shellLine(line)}`);
}

/** The same question, for `dejavm why`, where it has a name there. */
function whyLines(symptom: Symptom, path: string, golden: string): string[][] {
  const who = (speaker: number | undefined) => `output:${speaker === undefined ? 'host' : `vm${speaker}`}`;
  const against = ['--against', golden];
  if (symptom.kind === 'output') return [['dejavm', 'why', path, who(symptom.speaker), ...against]];
  if (symptom.kind === 'missing' && symptom.what === 'line') {
    return [['dejavm', 'why', path, '--not', who(symptom.speaker), ...against]];
  }
  if (symptom.kind === 'stuck' && symptom.where === 'outside') {
    return [['dejavm', 'why', path, '--not', `enter:vm${symptom.vmid}`, ...against]];
  }
  return [];
}

/** Where a symptom is, in both runs. */
function placesOf(symptom: Symptom): { readonly at?: SymptomPlace; readonly golden?: SymptomPlace } {
  const at = 'at' in symptom ? symptom.at : undefined;
  const other = 'golden' in symptom ? symptom.golden : undefined;
  const golden = other && 'at' in other ? other.at : other;
  return { ...(at && { at }), ...(golden && { golden }) };
}

function jsonOf(
  { name, trace, golden, areKept }: Pair,
  explanation: Explanation,
  first: FirstDifference,
  most: number,
) {
  const { symptoms, explained, tried } = explanation;
  const described = symptoms.map((symptom) => {
    return { kind: symptom.kind, text: symptomText(symptom), ...placesOf(symptom) };
  });
  const one = (it: Explained) => {
    const { steps, cause, instructions, visited } = it.answer;
    const shown = steps.slice(0, most);
    const chain = { steps: shown, more: steps.length - shown.length, cause, instructions, visited };
    return { symptom: symptoms.indexOf(it.symptom), ...chain, sentence: explainSentence(it) };
  };
  return {
    name,
    ...(areKept && { trace: trace.path, golden: golden.path }),
    symptoms: described,
    firstDifference: first,
    ...(explained && { explained: one(explained) }),
    tried: tried.map(one),
  };
}
