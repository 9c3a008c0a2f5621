/**
 * Events that people name in words, as questions: the first output that differs, a line or an entry of a VM that is
 * missing. Relies on the symptoms of the wrong run.
 */
import { UserError, visible } from '../../engine/index.ts';
import { MAX_VMID } from '../base/index.ts';
import type { Slices } from '../search/index.ts';
import { findSymptoms, type MissingSymptom, type OutputSymptom, type Symptom, symptomText } from '../symptoms/index.ts';
import { type LineSpan, lineSpansOf, type TraceTimeline } from '../timeline/index.ts';
import type { WhyQuestion } from './asked.ts';

/** Whose lines: those of a VM, of firmware and hypervisor, or of everybody. */
export type Speaker = number | 'host' | 'any';

export type NamedEvent =
  /** `output`, `output:vm2`, `output:host` */
  | { readonly kind: 'output'; readonly speaker: Speaker }
  /** `enter:vm2` */
  | { readonly kind: 'enter'; readonly vmid: number }
  /** `"shut down"`: a console line that contains it. */
  | { readonly kind: 'line'; readonly text: string };

/** A question, and what it is about in one line. */
export interface EventQuestion {
  readonly question: WhyQuestion;
  readonly about: string;
}

/** The event that the words name; undefined: they name none, and may be a place or a moment. @throws UserError */
export function parseEvent(text: string): NamedEvent | undefined {
  const [, line] = /^"(.+)"$/s.exec(text) ?? [];
  if (line !== undefined) return { kind: 'line', text: line };
  const [, kind, who] = /^(output|enter)(?::(.*))?$/s.exec(text) ?? [];
  if (!kind || (kind === 'enter' && who === undefined)) return undefined;
  if (kind === 'output' && who === undefined) return { kind, speaker: 'any' };
  if (kind === 'output' && who === 'host') return { kind, speaker: 'host' };
  const vmid = /^vm\d{1,5}$/.test(who!) ? Number(who!.slice(2)) : undefined;
  if (vmid === undefined || vmid > MAX_VMID) {
    const others = kind === 'output' ? ', or output:host for firmware and hypervisor' : '';
    throw new UserError(`expected a VM such as ${kind}:vm1${others}, got '${visible(text)}'`);
  }
  return kind === 'output' ? { kind, speaker: vmid } : { kind: 'enter', vmid };
}

/** The question that a symptom is; undefined: it is none that the harts can answer. */
export function questionOf(symptom: Symptom): WhyQuestion | undefined {
  switch (symptom.kind) {
    case 'detected':
      return { kind: 'did', at: symptom.at, ...hartOf(symptom.at) };
    case 'output':
      return symptom.golden
        ? { kind: 'stored', at: symptom.at, goldenAt: symptom.golden.at }
        : { kind: 'did', at: symptom.at, ...hartOf(symptom.at) };
    case 'missing':
    case 'stuck':
      return { kind: 'not', at: symptom.golden, ...hartOf(symptom.golden) };
    case 'ended':
      return symptom.how === 'goes-on' && symptom.golden
        ? { kind: 'not', at: symptom.golden.at, ...hartOf(symptom.golden.at) }
        : { kind: 'did', at: symptom.at, ...hartOf(symptom.at) };
    case 'disk':
      return undefined;
  }
}

const hartOf = ({ hart }: { readonly hart?: number }) => (hart === undefined ? {} : { hart });

/**
 * Why the first console byte differs from the golden run's, of those that a speaker prints: another one, one too many,
 * or none. Both timelines stand where they stood. @throws UserError when none differs; as `findSymptoms`
 */
export function* questionOfOutput(a: TraceTimeline, g: TraceTimeline, speaker: Speaker): Slices<EventQuestion> {
  const found = (yield* findSymptoms(a, g)).find((symptom) => isOutput(symptom) && isOf(symptom, speaker));
  if (found) return asQuestion(found);
  throw new UserError(`${whose(speaker)} console lines are those of the golden run: nothing to explain`);
}

/**
 * Why an event of the golden run is missing. Both timelines stand where they stood.
 * @throws UserError when it is not, or not in the golden run; as `findSymptoms`
 */
export function* questionOfMissing(a: TraceTimeline, g: TraceTimeline, event: NamedEvent): Slices<EventQuestion> {
  const symptoms = yield* findSymptoms(a, g);
  if (event.kind === 'output') {
    const found = symptoms.find((symptom) => isMissingLine(symptom) && isOf(symptom, event.speaker));
    if (found) return asQuestion(found);
    throw new UserError(`no line of ${whose(event.speaker)} console output in the golden run is missing`);
  }
  if (event.kind === 'enter') {
    const { vmid } = event;
    const found = symptoms.find((one) => one.kind === 'stuck' && one.vmid === vmid && one.where === 'outside');
    if (found) return asQuestion(found);
    throw new UserError(`VM ${vmid} is entered for as long as in the golden run, or is not in it: no entry is missing`);
  }
  const line = missingLine(a, g, event.text);
  const found = symptoms.find((symptom) => isMissingLine(symptom) && symptom.text === line.text);
  if (found) return asQuestion(found);
  const { moment, ticks } = g.trace.console.at(line.first)!;
  // A byte is printed by a store, which has retired.
  const at = { moment: Math.max(0, moment - 1), ticks: Math.max(0, ticks - 1) };
  return { question: { kind: 'not', at }, about: `"${visible(line.text)}" is never printed` };
}

function asQuestion(symptom: Symptom): EventQuestion {
  const about = symptomText(symptom);
  const question = questionOf(symptom);
  if (!question) throw new UserError(`${about}: no instruction tells why`);
  return { question, about };
}

/** The first line of the golden run that contains a text and that the other run does not print so often. */
function missingLine(a: TraceTimeline, g: TraceTimeline, text: string): LineSpan {
  const printed = new Map<string, number>();
  for (const line of lineSpansOf(a.trace.console)) printed.set(line.text, (printed.get(line.text) ?? 0) + 1);
  let isPrinted = false;
  for (const line of lineSpansOf(g.trace.console)) {
    if (!line.text.includes(text)) continue;
    const left = printed.get(line.text) ?? 0;
    if (left === 0) return line;
    printed.set(line.text, left - 1);
    isPrinted = true;
  }
  const what = `"${visible(text)}"`;
  if (isPrinted) throw new UserError(`this run prints every line with ${what} that the golden run prints`);
  throw new UserError(`the golden run ${g.trace.path} prints no line with ${what}`);
}

const isMissingLine = (symptom: Symptom): symptom is MissingSymptom =>
  symptom.kind === 'missing' && symptom.what === 'line';
const isOutput = (symptom: Symptom): symptom is OutputSymptom | MissingSymptom =>
  symptom.kind === 'output' || isMissingLine(symptom);

const isOf = (symptom: OutputSymptom | MissingSymptom, speaker: Speaker): boolean =>
  speaker === 'any' || symptom.speaker === (speaker === 'host' ? undefined : speaker);

const whose = (speaker: Speaker): string =>
  speaker === 'any' ? 'all' : speaker === 'host' ? "the firmware's and hypervisor's" : `VM ${speaker}'s`;
