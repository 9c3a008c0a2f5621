/** Which tests judge the mutants of which folder. */
import { globSync } from 'node:fs';
import type { Language } from './operators.ts';

export interface Suite {
  readonly language: Language;
  /** The project of TypeScript whose types a mutant must keep; null where another compiler judges. */
  readonly types: string | null;
  /** Globs of test files, from the root. Slow ones only where they are quick enough to run for every mutant. */
  readonly tests: readonly string[];
  readonly without?: readonly string[];
}

/** By folder; what lies in it is judged by the same tests. */
export const SUITES: Readonly<Record<string, Suite>> = {
  'engine/core/arch': {
    language: 'assemblyscript',
    types: null,
    tests: ['engine/{core,machine}/**/*.test.ts'],
  },
  'engine/machine': {
    language: 'typescript',
    types: 'engine',
    tests: ['engine/{machine,devices,faults,introspect}/**/*.test.ts', 'replay/**/*.test.ts'],
    without: ['replay/flood.test.ts'],
  },
  replay: {
    language: 'typescript',
    types: 'replay',
    tests: ['replay/**/*.test.ts', 'replay/**/{corpus,first-light,verdict}.slow.ts'],
    // Measures the host's memory: what other programs do there may fail it.
    without: ['replay/flood.test.ts'],
  },
};

/** The suite of a folder or of what lies in it. @throws RangeError when none is declared. */
export function suiteOf(folder: string): Suite {
  const owner = Object.keys(SUITES).find((name) => folder === name || folder.startsWith(`${name}/`));
  if (owner === undefined) {
    throw new RangeError(
      `${folder}: no tests are declared for it; expected ${Object.keys(SUITES).join(', ')}, or a folder of these`,
    );
  }
  return SUITES[owner]!;
}

/** Test files of a suite, from the root, sorted. */
export function testFiles(root: string, suite: Suite): string[] {
  const exclude = suite.without ?? [];
  return globSync([...suite.tests], { cwd: root, exclude: [...exclude] })
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
}
