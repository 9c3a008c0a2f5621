/** What a run of the tests without a mutant tells of each test file: which functions it calls, and what it costs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Kept {
  readonly reach: Reach;
  /** By test file; a process of its own ran it. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
}

/** By source, then by function as V8 names it: the test files that call it. '' stands for loading the module. */
export type Reach = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

/** Reads what `reach.setup.ts` kept of a run of the tests in `root`. */
export function readKept(folder: string, root: string): Kept {
  const cpuSeconds: Record<string, number> = {};
  const reach = new Map<string, Map<string, Set<string>>>();
  const pathOf = (file: string) => relative(root, file).replaceAll('\\', '/');
  for (const name of readdirSync(folder)) {
    const kept = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
      test: string;
      cpuSeconds: number;
      functions: [url: string, functions: [name: string, called: boolean][]][];
    };
    const test = pathOf(kept.test);
    cpuSeconds[test] = kept.cpuSeconds;
    for (const [url, functions] of kept.functions) {
      const source = pathOf(fileURLToPath(url));
      const ofSource = reach.get(source) ?? new Map<string, Set<string>>();
      reach.set(source, ofSource);
      for (const [functionName, called] of [['', true] as const, ...functions]) {
        const tests = ofSource.get(functionName) ?? new Set<string>();
        ofSource.set(functionName, tests);
        if (called) tests.add(test);
      }
    }
  }
  return { reach, cpuSeconds };
}

/**
 * The test files that can notice a change inside a function of a source; those that load the module, for a change
 * outside of any and for a function that V8 names otherwise.
 */
export function testsThatReach(reach: Reach, source: string, within: string): ReadonlySet<string> {
  const ofSource = reach.get(source);
  return ofSource?.get(within) ?? ofSource?.get('') ?? new Set();
}
