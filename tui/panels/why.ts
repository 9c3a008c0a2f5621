/** The chain from a question back to what began it, for people and for --json. */
import { codeText } from '../../engine/index.ts';
import type { Cause, Compared, StepPlace, WhyAnswer, WhyStep } from '../../replay/index.ts';
import { counted, grouped, hex, table } from '../base/index.ts';

/** What was asked, in one line, and where "earlier" is counted from. */
export interface WhyAbout {
  readonly about: string;
  /** The question is about what is missing: its moment is the end of the run. */
  readonly isMissing: boolean;
}

/** The longest loop whose rounds are told as one, in steps of the chain. */
const MAX_PERIOD = 8;

/** From the question to the cause, one step a line, at most `most` of them. */
export function whyText(about: WhyAbout, answer: WhyAnswer, most: number): string {
  const { compared, steps } = answer;
  const parts = [about.about, ...(compared ? [comparedText(compared)] : [])];
  if (steps.length > 0) parts.push('', chainText(steps, most), '');
  return [...parts, whySentence(answer, about)].join('\n');
}

function comparedText({ what, value, golden, goldenAt, isExact }: Compared): string {
  const where = isExact ? 'at the matching' : 'behind the last instruction that both did, its';
  return `${what} is ${hex(value)}; in the golden run ${hex(golden)}, ${where} moment ${grouped(goldenAt.moment)}`;
}

/** Steps of a chain, one a line, back in time; rounds of a loop are told once. */
export function chainText(steps: readonly WhyStep[], most: number): string {
  const shown = steps.slice(0, most);
  const left = steps.length - shown.length;
  const more = left > 0 ? [['', moreText(left)]] : [];
  return alignedRows([...stepRows(shown, 'back'), ...more]);
}

export const moreText = (steps: number): string => `(${counted(steps, 'more step')}: --depth shows them)`;

/** A line of a chain: a step with all of its columns, or a moment and a remark. */
export type ChainRow = readonly string[];

/** Steps in the order in which they come; `direction` says which way that goes in time. */
export function stepRows(steps: readonly WhyStep[], direction: 'back' | 'on'): ChainRow[] {
  const rows: ChainRow[] = [];
  for (let n = 0; n < steps.length; ) {
    const { period, times } = roundsAt(steps, n);
    for (const step of steps.slice(n, n + period)) rows.push(rowOf(step));
    n += period * times;
    if (times > 1) {
      const what = period === 1 ? 'this' : `these ${period}`;
      const last = grouped(steps[n - 1]!.at.moment);
      rows.push(['', `(${what} ${times} times in all, ${direction === 'back' ? 'back' : 'up'} to moment ${last})`]);
    }
  }
  return rows;
}

/** Lines of the table have all columns; remarks stand behind the moment, however long they are. */
export function alignedRows(rows: readonly ChainRow[]): string {
  const lines = table(
    rows.filter(({ length }) => length > 2),
    [0],
  ).split('\n');
  const width = rows.reduce((most, [moment = '']) => Math.max(most, moment.length), 0);
  const tableWidth = rows.reduce((most, row) => (row.length > 2 ? Math.max(most, row[0]!.length) : most), 0);
  const indent = ' '.repeat(width - tableWidth);
  return rows
    .map((row) => (row.length > 2 ? `${indent}${lines.shift()!}` : `${row[0]!.padStart(width)}  ${row[1]}`))
    .join('\n');
}

/** How often the steps from `n` on repeat. */
function roundsAt(steps: readonly WhyStep[], n: number): { readonly period: number; readonly times: number } {
  for (let period = 1; period <= MAX_PERIOD; period++) {
    let same = 0;
    while (n + period + same < steps.length && areAlike(steps[n + same]!, steps[n + period + same]!)) same++;
    const times = 1 + Math.floor(same / period);
    if (times > 2 || (times === 2 && period > 1)) return { period, times };
  }
  return { period: 1, times: 1 };
}

const areAlike = (a: WhyStep, b: WhyStep): boolean =>
  a.kind === b.kind && a.at.hart === b.at.hart && a.at.pc === b.at.pc && isSameKindOfPlace(a.operand, b.operand);

/** Of an array, each round has its own element. */
const isSameKindOfPlace = (a: string, b: string): boolean => a === b || (a.startsWith('[') && b.startsWith('['));

const BECAUSE = { computed: 'with', parted: 'went on elsewhere by', translated: 'was translated by' } as const;

function rowOf({ kind, at, operand, value, golden, decision }: WhyStep): ChainRow {
  const decided = decision ? ` (${decision.by === 'lock' ? '' : 'scheduler, '}${decision.text})` : '';
  return placeRow(at, `${BECAUSE[kind]} ${operand} = ${hex(value)}, golden ${hex(golden)}${decided}`);
}

/** An instruction as a line of a chain, and what is said of it. */
export const placeRow = (at: StepPlace, what: string): ChainRow => [
  grouped(at.moment),
  `hart ${at.hart}`,
  contextText(at),
  codeText(at) || hex(at.pc, 8),
  at.text.replaceAll('\t', ' '),
  what,
];

/** The mode, and the VM that is inside or that the hypervisor serves. */
export const contextText = ({ mode, vmid }: Pick<StepPlace, 'mode' | 'vmid'>): string =>
  mode === 'VS' || mode === 'VU' ? `${mode} VM ${vmid}` : mode === 'HS' && vmid > 0 ? `${mode} for VM ${vmid}` : mode;

/** What began it, in one sentence. */
export function whySentence({ cause, instructions }: WhyAnswer, { isMissing }: WhyAbout): string {
  const { position, foundBy, kind, reason } = cause;
  const when = `at moment ${grouped(position.moment)}`;
  const earlier = `${counted(instructions, 'instruction')} ${isMissing ? 'before the end of the run' : 'earlier'}`;
  const finder = foundBy ? `${placeText(foundBy)} (${foundBy.text.replaceAll('\t', ' ')})` : 'the run';
  switch (kind) {
    case 'register':
    case 'csr':
    case 'pc':
    case 'memory':
    case 'code':
      return `It began with ${changeText(cause)} ${when}, ${earlier}: nothing wrote it; ${inputsText(cause.inputs)}.`;
    case 'dma': {
      const who = cause.device ?? 'something outside of the harts';
      return `It began with ${who} ${when}, ${earlier}: it wrote ${valuesText(cause)} to ${memoryText(cause)}.`;
    }
    case 'device':
      return `It began with a device ${when}, ${earlier}: it answers ${finder} otherwise than in the golden run.`;
    case 'time':
      return `It began with time ${when}, ${earlier}: ${finder} reads another time than in the golden run.`;
    case 'interrupt':
      return `It began with an interrupt ${when}, ${earlier}: behind ${finder} one run takes it and the other does not.`;
    case 'unexplained': {
      const at = foundBy ? ` by ${finder}` : '';
      return `Where it began is not known: ${reason}, ${when}${at}, ${earlier}.`;
    }
  }
}

const inputsText = (inputs: readonly string[]): string =>
  inputs.length === 0
    ? 'the recording has no input there'
    : `the recording has ${inputs.map((kind) => `a ${kind}`).join(' and ')} there`;

/** What changed, and from what to what. */
export function changeText(cause: Cause): string {
  const { kind, what = '', bits = [], hart } = cause;
  const name = kind === 'memory' || kind === 'code' ? memoryText(cause) : `${what} on hart ${hart}`;
  return `${bitsText(bits)}${name} (${valuesText(cause)})`;
}

function memoryText({ kind, what = '', symbol }: Cause): string {
  const thing = kind === 'code' ? 'the instruction at ' : '';
  return `${thing}${what}${symbol === undefined ? '' : `, ${symbol},`}`;
}

const valuesText = ({ before, after }: Cause): string =>
  before === undefined ? hex(after ?? 0n) : `${hex(before)} became ${hex(after ?? 0n)}`;

function bitsText(bits: readonly number[]): string {
  if (bits.length === 0 || bits.length > 4) return '';
  return `bit${bits.length === 1 ? '' : 's'} ${bits.join(', ')} of `;
}

const placeText = (at: StepPlace): string => `hart ${at.hart} at ${codeText(at) || hex(at.pc, 8)}`;
