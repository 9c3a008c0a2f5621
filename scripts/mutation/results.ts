/**
 * The file of a run: one line of JSON for what was sampled, then one for each mutant, so that an interrupted run goes
 * on.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Rate, rateOf } from '../../properties/campaigns/report/statistics.ts';
import type { Mutant } from './sample.ts';

/** What a file of results belongs to. */
export interface Sampled {
  readonly folder: string;
  readonly seed: number;
  /** Names the texts that were mutated. */
  readonly sources: string;
  readonly candidates: number;
}

export interface Outcome {
  /** From 0, in the order of drawing. */
  readonly draw: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly operator: string;
  readonly original: string;
  readonly replacement: string;
  readonly verdict: 'killed' | 'survived' | 'does not compile';
  /** `file > test` of the first test that failed. */
  readonly by?: string;
  /** What it said; or who did not notice. */
  readonly why?: string;
}

/**
 * The outcomes that stand in a file; it is made when missing. A last line that was cut off is taken away.
 * @throws RangeError when the file belongs to another sample
 */
export function openResults(path: string, sampled: Sampled): Outcome[] {
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(sampled)}\n`);
    return [];
  }
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const [first, ...lines] = whole.split('\n').slice(0, -1);
  if (first !== JSON.stringify(sampled)) {
    throw new RangeError(
      `${path}: holds another sample, or one of sources that have changed; name another file with --results`,
    );
  }
  if (whole !== text) writeFileSync(path, whole);
  return lines.map((line) => JSON.parse(line) as Outcome);
}

export function appendOutcome(path: string, outcome: Outcome): void {
  appendFileSync(path, `${JSON.stringify(outcome)}\n`);
}

export function outcomeOf(draw: number, mutant: Mutant, rest: Pick<Outcome, 'verdict' | 'by' | 'why'>): Outcome {
  const { file, line, column, operator, original, replacement } = mutant;
  return { draw, file, line, column, operator, original, replacement, ...rest };
}

/** Share of killed mutants among those that compile. */
export function score(outcomes: readonly Outcome[]): Rate {
  const counted = outcomes.filter(({ verdict }) => verdict !== 'does not compile');
  return rateOf(counted.filter(({ verdict }) => verdict === 'killed').length, counted.length);
}

/** One line for people. */
export function outcomeLine({ draw, file, line, column, operator, original, replacement, ...rest }: Outcome): string {
  const change = `${oneLine(original)} → ${oneLine(replacement)}`;
  const end = [rest.by === undefined ? rest.verdict : `${rest.verdict} by ${rest.by}`, oneLine(rest.why ?? '')];
  return `${draw} ${file}:${line}:${column} ${operator}: ${change}: ${end.filter(Boolean).join(': ')}`;
}

export function scoreLine(folder: string, { hits, of, interval }: Rate): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const bounds =
    interval === null ? '' : `, ${percent(hits / of)} (95 %: ${percent(interval.low)} to ${percent(interval.high)})`;
  return `${folder}: ${hits} of ${of} mutants killed${bounds}`;
}

const oneLine = (text: string) => {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= 80 ? line : `${line.slice(0, 79)}…`;
};
