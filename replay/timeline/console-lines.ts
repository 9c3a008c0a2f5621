/**
 * Console output as lines, each with the moment of its first byte, and whose lines they are.
 * Relies on hypervisors prefixing a guest's lines with its name and a colon, as Lazarus does (`vm1: …`). Lines of
 * hypervisors that do not belong to no VM.
 */
import { firstFrom, type RecordList, type TraceConsole } from '../../traces/index.ts';
import { MAX_VMID } from '../base/index.ts';

export interface ConsoleLine {
  /** Moment of the line's first byte. */
  readonly moment: number;
  readonly text: string;
}

/** A line that is longer goes on as another one. */
const MAX_LINE_BYTES = 1 << 16;

/** A line, and which of the console's bytes it is. */
export interface LineSpan extends ConsoleLine {
  /** Numbers of its first byte, and of the one behind its last: the newline, where there is one. */
  readonly first: number;
  readonly end: number;
  /** False: the output stops before the line is over. */
  readonly isWhole: boolean;
}

/** Splits at newlines; carriage returns are dropped; an unfinished last line counts. Holds one line at a time. */
export function* lineSpansOf(console: Iterable<TraceConsole>): Generator<LineSpan> {
  let bytes: number[] = [];
  let moment: number | undefined;
  let n = 0;
  const line = (end: number, isWhole: boolean): LineSpan => {
    const text = new TextDecoder().decode(Uint8Array.from(bytes)).replaceAll('\r', '');
    const span = { moment: moment!, text, first: end - bytes.length, end, isWhole };
    bytes = [];
    moment = undefined;
    return span;
  };
  for (const record of console) {
    moment ??= record.moment;
    if (record.byte === 0x0a) yield line(n, true);
    else if (bytes.push(record.byte) === MAX_LINE_BYTES) yield line(n + 1, true);
    n++;
  }
  if (moment !== undefined) yield line(n, false);
}

/** The same as text alone. */
export function* linesOf(console: Iterable<TraceConsole>): Generator<ConsoleLine> {
  for (const { moment, text } of lineSpansOf(console)) yield { moment, text };
}

/** Which VM said a line, by the number in its prefix, and what it said behind that; undefined: none did. */
export function speakerOf(text: string): { readonly vmid: number; readonly said: string } | undefined {
  const [, digits, said] = /^vm(\d{1,5}): (.*)$/.exec(text) ?? [];
  const vmid = Number(digits);
  return said === undefined || vmid > MAX_VMID ? undefined : { vmid, said };
}

/**
 * What was printed behind the virtual time `from` and not behind `to`. A byte is stamped with the position behind the
 * instruction that wrote it.
 */
export function* outputBetween(
  console: RecordList<TraceConsole>,
  from: number,
  to: number = Number.POSITIVE_INFINITY,
): Generator<TraceConsole> {
  for (let n = firstFrom(console, 'ticks', from + 1); n < console.length; n++) {
    const byte = console.at(n)!;
    if (byte.ticks > to) return;
    yield byte;
  }
}

/** Output before a place that a person looks through: some 800 full lines. */
const TAIL_BYTES = 1 << 16;

/** The last whole lines among the first `count` bytes of a console. */
export function lastLines(console: RecordList<TraceConsole>, count: number): ConsoleLine[] {
  const from = Math.max(0, count - TAIL_BYTES);
  const lines = [...linesOf(console.slice(from, count))];
  // The first one may have begun before.
  return from > 0 ? lines.slice(1) : lines;
}
