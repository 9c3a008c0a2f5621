/**
 * Console output as lines, each with the moment of its first byte, and which VM printed it.
 * Relies on hypervisors prefixing a guest's lines with its name and a colon, as Lazarus does (`vm1: …`). Lines of
 * hypervisors that do not are nobody's.
 */
import type { TraceConsole } from '../traces/index.ts';

export interface ConsoleLine {
  /** Moment of the line's first byte. */
  readonly moment: number;
  readonly text: string;
}

/** Splits at newlines; carriage returns are dropped; an unfinished last line counts. */
export function linesOf(console: readonly TraceConsole[]): ConsoleLine[] {
  const lines: ConsoleLine[] = [];
  let start = 0;
  const cut = (end: number) => {
    const bytes = console.slice(start, end).map(({ byte }) => byte);
    const text = new TextDecoder().decode(Uint8Array.from(bytes)).replaceAll('\r', '');
    lines.push({ moment: console[start]!.moment, text });
    start = end + 1;
  };
  for (let at = 0; at < console.length; at++) if (console[at]!.byte === 0x0a) cut(at);
  if (start < console.length) cut(console.length);
  return lines;
}

/** Lines of each VM, by the number in its prefix, without the prefix. */
export function linesByVm(lines: readonly ConsoleLine[]): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const { text } of lines) {
    const [, vmid, said] = /^vm(\d+): (.*)$/.exec(text) ?? [];
    if (vmid === undefined || said === undefined) continue;
    const of = found.get(Number(vmid));
    if (of) of.push(said);
    else found.set(Number(vmid), [said]);
  }
  return found;
}

/** How two outputs differ: not at all, only in order or repetition, or in what they say. */
export function compareOutput(actual: readonly string[], expected: readonly string[]): string | undefined {
  const first = actual.findIndex((line, n) => line !== expected[n]);
  if (first < 0 && actual.length === expected.length) return undefined;
  if (first < 0) return `output stops after ${actual.length} of ${expected.length} lines`;
  const sorted = (lines: readonly string[]) => [...lines].sort().join('\n');
  const distinct = (lines: readonly string[]) => sorted([...new Set(lines)]);
  if (sorted(actual) === sorted(expected)) return `same lines in another order from line ${first + 1} on`;
  if (distinct(actual) === distinct(expected))
    return `same lines, some printed another number of times, from line ${first + 1} on`;
  if (first >= expected.length)
    return `prints ${actual.length - expected.length} lines more: ${JSON.stringify(actual[first])}`;
  return `line ${first + 1} is ${JSON.stringify(actual[first])}, expected ${JSON.stringify(expected[first])}`;
}
