/** A failed run on one page: what a user sees, where the states part, the chain in order of time, what began it. */
import { codeText, visible } from '../../engine/index.ts';
import {
  type Cause,
  type Explained,
  type ExplainProgress,
  type Explanation,
  type FirstDifference,
  type Symptom,
  type SymptomPlace,
  symptomText,
  type WhyAnswer,
  type WhyStep,
} from '../../replay/index.ts';
import { counted, grouped, hex } from '../base/index.ts';
import { alignedRows, type ChainRow, changeText, moreText, placeRow, stepRows, whySentence } from './why.ts';

/** Symptoms that the page lists; --json has all. */
const MAX_SYMPTOMS = 5;

/** An explanation, and where the states of both runs part. */
export interface ExplainPage {
  readonly explanation: Explanation;
  /** Absent: not looked for. */
  readonly first?: FirstDifference | undefined;
  /** Steps of the chain that are shown at most. */
  readonly most: number;
}

/** The page. Of a run that does not fail, one line. */
export function explainText({ explanation, first, most }: ExplainPage): string {
  const { symptoms, explained, tried } = explanation;
  if (symptoms.length === 0) return ['no symptom: nothing to explain', ...differenceLines(first)].join('\n');
  const verdict = ['What a user sees', ...symptomLines(symptoms)];
  const where = ['', 'Where the runs part', ...differenceLines(first, explained?.answer.cause)];
  if (!explained) return [...verdict, ...where, '', ...failureLines(symptoms, tried, most)].join('\n');
  const { answer } = explained;
  return [
    ...verdict,
    ...where,
    '',
    'From there to the first symptom that it explains, in order of time',
    alignedRows(chainRows(answer, most)),
    '',
    'The verdict',
    ...verdictLines(explained).map((line) => `  ${line}`),
    '',
    explainSentence(explained),
  ].join('\n');
}

/** What began it, in one sentence. */
export const explainSentence = ({ symptom, isMissing, answer }: Explained): string =>
  whySentence(answer, { about: symptomText(symptom), isMissing });

/** What is known when somebody stops the search. */
export function partialText({ symptoms, asking, soFar, tried = [] }: ExplainProgress, most: number): string {
  if (!symptoms) return 'what a user sees is not known yet';
  const steps = soFar?.() ?? [];
  const chain = steps.length > 0 ? ['', alignedRows(inTime(steps, most))] : [];
  return [
    'What a user sees',
    ...symptomLines(symptoms),
    ...tried.flatMap(triedLines),
    ...(asking ? ['', `being followed back: ${symptomText(asking)}`, ...chain] : []),
  ].join('\n');
}

function symptomLines(symptoms: readonly Symptom[]): string[] {
  const more = symptoms.length - MAX_SYMPTOMS;
  return [
    ...symptoms.slice(0, MAX_SYMPTOMS).map((symptom) => `  ${symptomText(symptom)}`),
    ...(more > 0 ? [`  and ${counted(more, 'more symptom')} (--json lists all)`] : []),
  ];
}

function differenceLines(first: FirstDifference | undefined, cause?: Cause): string[] {
  if (!first) return ['  not looked for'];
  const { equalAt, differsAt } = first;
  if (!differsAt) return ['  in no state that both recordings have a digest of'];
  if (cause && equalAt?.ticks === cause.position.ticks) {
    return [`  both are in the same state up to moment ${grouped(equalAt.moment)}, and in different ones a tick later`];
  }
  const after = equalAt ? `behind moment ${grouped(equalAt.moment)} and ` : '';
  return [`  ${after}not later than moment ${grouped(differsAt.moment)}, by the recorded digests`];
}

/** The chain from the change to the question, in order of time. */
function chainRows({ steps, cause }: WhyAnswer, most: number): ChainRow[] {
  const { writtenBy, foundBy, what = '', before, after, position } = cause;
  const value = (it: bigint | undefined) => (it === undefined ? '' : ` = ${hex(it)}`);
  const rows: ChainRow[] = [];
  if (writtenBy) {
    rows.push(
      placeRow(writtenBy, cause.kind === 'pc' ? `leads to pc${value(before)}` : `leaves ${what}${value(before)}`),
    );
  }
  rows.push([grouped(position.moment), `→ ${changeText(cause)}`]);
  const next = steps.at(-1)?.at;
  if (foundBy && (next?.ticks !== foundBy.ticks || next.hart !== foundBy.hart)) {
    rows.push(placeRow(foundBy, cause.kind === 'pc' ? 'is done in its place' : `finds ${what}${value(after)}`));
  }
  return [...rows, ...inTime(steps, most)];
}

/** Of a long chain both ends. */
function inTime(steps: readonly WhyStep[], most: number): ChainRow[] {
  const ordered = steps.toReversed();
  const left = ordered.length - most;
  if (left <= 0) return stepRows(ordered, 'on');
  const head = Math.ceil(most / 2);
  return [
    ...stepRows(ordered.slice(0, head), 'on'),
    ['', moreText(left)],
    ...stepRows(ordered.slice(head + left), 'on'),
  ];
}

/** From the end of the chain to what is seen: which VM, which word, which output. */
function verdictLines({ symptom, answer }: Explained): string[] {
  const { steps, cause } = answer;
  // Where it began is said already.
  const isTold = (n: number) => n === steps.length - 1 && ['memory', 'code'].includes(cause.kind);
  const word = steps.find(({ operand }, n) => operand.startsWith('[') && !isTold(n));
  const values = word && `${word.operand} = ${hex(word.value)}, golden ${hex(word.golden)}`;
  const carried = values && `the last word of memory on the way: ${values}`;
  return [...(carried ? [carried] : []), ...seenLines(symptom)];
}

function seenLines(symptom: Symptom): string[] {
  switch (symptom.kind) {
    case 'output': {
      const { speaker, line, byte, text, golden, at } = symptom;
      const where = `byte ${byte} of line ${line} of ${speakerText(speaker)}, at ${placeText(at)}`;
      return [`${where}: ${characterText(text, byte)}, golden ${characterText(golden?.text ?? '', byte)}`];
    }
    case 'missing':
      return [`${speakerText(symptom.speaker)} never gets to where the golden run is at ${placeText(symptom.golden)}`];
    case 'stuck': {
      const { vmid, where, at, golden } = symptom;
      const last = at ? `${where === 'outside' ? 'left' : 'entered'} for the last time at ${placeText(at)}; ` : '';
      return [`VM ${vmid}: ${last}the golden run goes on with it at ${placeText(golden)}`];
    }
    case 'detected':
      return [`the hypervisor notices it at ${placeText(symptom.at)}`];
    case 'ended':
      return [`the run ends so at ${placeText(symptom.at)}`];
    case 'disk':
      return [`the disk of virtio${symptom.slot} keeps it`];
  }
}

const characterText = (text: string, byte: number): string =>
  byte < text.length ? `'${visible(text.charAt(byte))}' (${hex(text.charCodeAt(byte))})` : 'nothing';

const speakerText = (speaker: number | undefined): string =>
  speaker === undefined ? 'firmware and hypervisor' : `VM ${speaker}`;

function placeText({ moment, hart, pc }: SymptomPlace): string {
  const who = hart === undefined ? '' : ` on hart ${hart}${pc === undefined ? '' : ` (pc ${hex(pc)})`}`;
  return `moment ${grouped(moment)}${who}`;
}

/** No symptom leads to a cause: each that was followed, how far, and why not further. */
function failureLines(symptoms: readonly Symptom[], tried: readonly Explained[], most: number): string[] {
  if (tried.length === 0) {
    const why = symptoms.every(({ kind }) => kind === 'disk') ? 'what is on a disk' : 'an order of lines or a disk';
    return [`No cause was found: ${why} cannot be followed back.`];
  }
  const longest = tried.reduce((best, one) => (one.answer.steps.length > best.answer.steps.length ? one : best));
  const { steps } = longest.answer;
  const chain =
    steps.length > 0 ? ['The furthest that a chain got, in order of time', alignedRows(inTime(steps, most)), ''] : [];
  return [...chain, 'No cause was found:', ...tried.flatMap(triedLines)];
}

/** A symptom that led to nothing. */
function triedLines(one: Explained): string[] {
  const { foundBy, reason, kind, position } = one.answer.cause;
  const at = `moment ${grouped(position.moment)}${foundBy ? `, ${codeText(foundBy) || hex(foundBy.pc)}` : ''}`;
  const why = reason ?? WHAT_ELSE[kind] ?? explainSentence(one);
  const length = counted(one.answer.steps.length, 'step');
  return [`  ${symptomText(one.symptom)}`, `    ends after ${length} at ${at}: ${why}`];
}

/** Of causes outside of the harts. */
const WHAT_ELSE: Partial<Record<Cause['kind'], string>> = {
  device: 'a device answers otherwise',
  dma: 'a device wrote something else to memory',
  time: 'the two runs read another time',
  interrupt: 'only one of the runs takes an interrupt there',
};
