/**
 * Whose console lines are whose, and how two outputs differ.
 * Relies on hypervisors prefixing a guest's lines with its name and a colon, as Lazarus does (`vm1: …`). Lines of
 * hypervisors that do not are nobody's.
 */
import type { ConsoleLine } from './timeline/index.ts';

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
