/**
 * In which order test files run, so that most mutants fail early. The order never changes whether a mutant is killed.
 */
import type { Outcome } from './results.ts';

/**
 * Test files with the likeliest to kill a mutant of `source` first: the one that is named like it, then those that have
 * killed mutants of the same file, then the others; among equals the quick ones first.
 * @param seconds how long each test file takes
 */
export function nearestFirst(
  source: string,
  seconds: Readonly<Record<string, number>>,
  earlier: readonly Outcome[],
): string[] {
  const kills = new Map<string, number>();
  for (const { file, verdict, by } of earlier) {
    if (verdict !== 'killed' || file !== source || by === undefined) continue;
    const test = by.split(' > ')[0]!;
    kills.set(test, (kills.get(test) ?? 0) + 1);
  }
  const stem = (path: string) => path.replace(/^.*\//, '').replace(/\..*$/, '');
  const rank = (test: string) => (stem(test) === stem(source) ? 1e6 : 0) + (kills.get(test) ?? 0);
  return Object.keys(seconds).sort((a, b) => rank(b) - rank(a) || seconds[a]! - seconds[b]! || (a < b ? -1 : 1));
}
