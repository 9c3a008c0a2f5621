/** The parts of the documents that are made by running dejavm: committed as they would be printed now. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { documentPath, PARTS } from './docs.ts';

for (const part of PARTS.filter(({ fromRun }) => fromRun)) {
  test(`${part.name ?? 'each transcript'} in ${part.file} is what a run prints now; if not: npm run docs`, () => {
    const committed = readFileSync(documentPath(part.file), 'utf8');
    expect(committed).toBe(part.rewrite(committed));
  });
}
