/**
 * Which console lines differ from the golden run's, by who says them. Lines are paired by what they say: a line that
 * comes at another time, or behind another one that is too many, is no difference. Executes nothing.
 */
import type { Trace } from '../../traces/index.ts';
import { type LineSpan, lineSpansOf, speakerOf } from '../timeline/index.ts';
import { coverOf, hadTimeFor, type Known } from './cover.ts';

/** A line, and its number (from 1) among those of its speaker. */
export interface SaidLine extends LineSpan {
  readonly line: number;
}

/** The first differences of one speaker. */
export interface ConsoleDifference {
  /** VMID; undefined: no VM. */
  readonly speaker: number | undefined;
  /** A line that the golden run does not have so; `golden`: the one in its place. */
  readonly output?: { readonly line: SaidLine; readonly golden?: SaidLine; readonly isOrder: boolean };
  /** A line of the golden run that is not printed; `printed`: what there is of it. */
  readonly missing?: { readonly golden: SaidLine; readonly printed?: SaidLine; readonly further: number };
}

/** What is kept of the output of a run: characters. Lines behind that are not compared. */
const MAX_CHARACTERS = 1 << 25;

/** All speakers whose lines differ. */
export function consoleDifferences(a: Known, g: Known): ConsoleDifference[] {
  const [ofA, ofG] = [saidIn(a.trace), saidIn(g.trace)];
  const speakers = new Set([...ofG.lines.keys(), ...ofA.lines.keys()]);
  // What one run says when nothing is known of the other any more is not judged.
  const isJudgedA = (line: LineSpan) => endOf(a.trace, line) <= Math.min(ofG.until, coverOf(g));
  const isJudgedG = (line: LineSpan) =>
    (line.isWhole || g.ended !== undefined) && endOf(g.trace, line) <= ofA.until && hadTimeFor(a, endOf(g.trace, line));
  return [...speakers].flatMap((speaker) => {
    const of = (said: Said) => said.lines.get(speaker) ?? [];
    const isOrdered = speaker !== undefined;
    const found = walk(of(ofA), of(ofG), isOrdered, isJudgedA, isJudgedG);
    const { output, missing, order } = found;
    const isOrder = isOrdered && !output && !missing && order !== undefined;
    if (!output && !missing && !isOrder) return [];
    return [
      {
        speaker,
        ...(output && { output: { ...output, isOrder: false } }),
        ...(isOrder && { output: { ...order, isOrder } }),
        ...(missing && { missing }),
      },
    ];
  });
}

interface Said {
  readonly lines: ReadonlyMap<number | undefined, readonly SaidLine[]>;
  /** Lines that begin later were not kept. */
  readonly until: number;
}

function saidIn(trace: Trace): Said {
  const lines = new Map<number | undefined, SaidLine[]>();
  let left = MAX_CHARACTERS;
  for (const span of lineSpansOf(trace.console)) {
    // A line counts with what an array takes to hold it.
    left -= span.text.length + 16;
    if (left < 0) return { lines, until: trace.console.at(span.first)!.ticks - 1 };
    const speaker = speakerOf(span.text)?.vmid;
    const own = lines.get(speaker) ?? [];
    lines.set(speaker, own);
    own.push({ ...span, line: own.length + 1 });
  }
  return { lines, until: Number.POSITIVE_INFINITY };
}

/** When the last byte of a line is printed, its newline if it has one. */
const endOf = ({ console }: Trace, { end, isWhole }: LineSpan): number => console.at(isWhole ? end : end - 1)!.ticks;

interface Walked {
  output?: { readonly line: SaidLine; readonly golden?: SaidLine };
  order?: { readonly line: SaidLine; readonly golden: SaidLine };
  missing?: { readonly golden: SaidLine; readonly printed?: SaidLine; further: number };
}

/**
 * Goes through both side by side. What is said in both, wherever, is no output and not missing.
 * `isOrdered`: one program says all of them, so that a line stands in the place of the one that is due.
 */
function walk(
  a: readonly SaidLine[],
  g: readonly SaidLine[],
  isOrdered: boolean,
  isJudgedA: (line: LineSpan) => boolean,
  isJudgedG: (line: LineSpan) => boolean,
): Walked {
  const found: Walked = {};
  const [restA, restG] = [new Counts(a), new Counts(g)];
  // Lines of A whose twin in G has been passed already.
  const passed = new Counts([]);
  let [i, j] = [0, 0];
  // The last line may have been cut off: it is the beginning of one that is expected, then.
  const isNew = (x: SaidLine) => (x.isWhole ? !restG.has(x) : !g.some((y, n) => n >= j && y.text.startsWith(x.text)));
  for (;;) {
    const x = at(a, i, isJudgedA);
    const y = at(g, j, isJudgedG);
    const isGone = y !== undefined && !restA.has(y);
    if (x && passed.take(x)) i++;
    else if (x && y && x.text === y.text) {
      restA.take(x);
      restG.take(y);
      i++;
      j++;
    } else if (x && !x.isWhole && y?.text.startsWith(x.text)) {
      i++;
      j++;
      miss(found, y, x);
    } else if (x && isNew(x)) {
      const isPair = isGone && areAlike(x, y, isOrdered);
      i++;
      if (isPair) j++;
      found.output ??= { line: x, ...(isPair && { golden: y }) };
    } else if (isGone) {
      j++;
      miss(found, y);
    } else if (y) {
      if (x) found.order ??= { line: x, golden: y };
      restG.take(y);
      restA.take(y);
      passed.add(y);
      j++;
    } else if (x) i++;
    else return found;
  }
}

/** Whether one line may be the other one gone wrong. What is said by several programs must have half of it at least. */
function areAlike(x: SaidLine, y: SaidLine, isOrdered: boolean): boolean {
  if (isOrdered) return true;
  const [a, b] = [x.text, y.text];
  const most = Math.min(a.length, b.length);
  let [head, tail] = [0, 0];
  while (head < most && a[head] === b[head]) head++;
  while (tail < most - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  return 2 * (head + tail) >= Math.max(a.length, b.length);
}

function miss(found: Walked, golden: SaidLine, printed?: SaidLine): void {
  if (found.missing) found.missing.further++;
  else found.missing = { golden, ...(printed && { printed }), further: 0 };
}

/** A line, unless it is behind what can be judged. */
function at(lines: readonly SaidLine[], n: number, isJudged: (line: LineSpan) => boolean): SaidLine | undefined {
  const line = lines[n];
  return line && isJudged(line) ? line : undefined;
}

/** How often each text is among lines. */
class Counts {
  private readonly counts = new Map<string, number>();

  constructor(lines: readonly SaidLine[]) {
    for (const line of lines) this.add(line);
  }
  add({ text }: SaidLine): void {
    this.counts.set(text, (this.counts.get(text) ?? 0) + 1);
  }
  has({ text }: SaidLine): boolean {
    return (this.counts.get(text) ?? 0) > 0;
  }
  /** Takes one away. False: there is none. */
  take(line: SaidLine): boolean {
    if (!this.has(line)) return false;
    this.counts.set(line.text, this.counts.get(line.text)! - 1);
    return true;
  }
}

/** The first byte in which two lines differ: its number in the line, and of the byte in either console. */
export function firstDifferentByte(
  a: Trace,
  line: LineSpan,
  g: Trace,
  golden: LineSpan,
): { readonly byte: number; readonly a: number; readonly g: number } {
  let [i, j, byte] = [line.first, golden.first, 0];
  const skip = (trace: Trace, n: number, end: number) => {
    let next = n;
    while (next < end && trace.console.at(next)!.byte === 0x0d) next++;
    return next;
  };
  for (;;) {
    i = skip(a, i, line.end);
    j = skip(g, j, golden.end);
    const isEqual = i < line.end && j < golden.end && a.console.at(i)!.byte === g.console.at(j)!.byte;
    if (!isEqual) return { byte, a: i, g: j };
    i++;
    j++;
    byte++;
  }
}
