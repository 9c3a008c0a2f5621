/** A sample of all mutants of a folder: enumerated in a fixed order, drawn with the seeded generator of the engine. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { splitmix64 } from '../../engine/base/index.ts';
import { shipped } from '../shipped.ts';
import { type Language, type Mutation, mutationsOf } from './operators.ts';
import { parseAll } from './parse.ts';

export interface Mutant extends Mutation {
  /** From the root of the repository. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** What the replacement takes the place of. */
  readonly original: string;
}

/** Text of each file of a folder that the package ships and a person wrote, by path from the root, sorted. */
export function productSources(root: string, folder: string): Map<string, string> {
  const isShipped = shipped(root);
  const paths = readdirSync(`${root}/${folder}`, { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((path) => /(?<!\.d|\.gen)\.tsx?$/.test(path) && isShipped(path))
    .sort();
  return new Map(paths.map((path) => [path, readFileSync(`${root}/${path}`, 'utf8')]));
}

/** Names these texts: a sample belongs to them alone. */
export function sourcesDigest(sources: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  for (const [path, text] of sources) hash.update(`${path}\0${text}\0`);
  return hash.digest('hex').slice(0, 16);
}

/** Every mutant of these files, in the order of paths and places. @throws Error for a text that does not parse. */
export function enumerate(sources: ReadonlyMap<string, string>, language: Language): Mutant[] {
  const trees = parseAll(sources);
  return [...sources].flatMap(([file, text]) =>
    mutationsOf(trees.get(file)!, language).map((mutation) => {
      const before = text.slice(0, mutation.start).split('\n');
      const original = text.slice(mutation.start, mutation.end);
      return { file, line: before.length, column: before.at(-1)!.length + 1, original, ...mutation };
    }),
  );
}

/**
 * All of them in the order in which they are drawn: the first n are a sample of n without replacement (Fisher and
 * Yates).
 */
export function drawn<T>(all: readonly T[], seed: bigint): T[] {
  const order = [...all];
  const numbers = splitmix64(seed, order.length);
  for (let i = 0; i < order.length; i++) {
    // The remainder's bias is below 2⁻⁴⁰ for any number of mutants that a folder has.
    const j = i + Number(numbers[i]! % BigInt(order.length - i));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
