/**
 * The console lines of each VM, and how two outputs differ. Whose a line is: timeline/console-lines.ts.
 */
import { createHash, type Hash } from 'node:crypto';
import { type ConsoleLine, speakerOf } from '../timeline/index.ts';

/** What is kept of the output of VMs: characters of all together. */
const MAX_CHARACTERS = 1 << 25;

/**
 * Lines of each VM, by the number in its prefix, without the prefix. Of what VMs print without end, the first lines are
 * kept; one more of each, with a hash, stands for all that follow.
 */
export function linesByVm(lines: Iterable<ConsoleLine>): Map<number, string[]> {
  const found = new Map<number, string[]>();
  let left = MAX_CHARACTERS;
  const further = new Map<number, { count: number; readonly hash: Hash }>();
  for (const { text } of lines) {
    const speaker = speakerOf(text);
    if (!speaker) continue;
    const { vmid, said } = speaker;
    const of = found.get(vmid) ?? [];
    found.set(vmid, of);
    // A line counts with what an array takes to hold it.
    left -= said.length + 16;
    if (left >= 0 && !further.has(vmid)) {
      of.push(said);
      continue;
    }
    const rest = further.get(vmid) ?? { count: 0, hash: createHash('sha256') };
    further.set(vmid, rest);
    rest.count++;
    rest.hash.update(`${said}\n`);
  }
  for (const [vmid, { count, hash }] of further) {
    found.get(vmid)!.push(`(${count} further lines, sha256 ${hash.digest('hex')})`);
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
