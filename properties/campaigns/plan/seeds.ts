/**
 * Seeds of a campaign's cells. Whoever mends a system while looking at the faults of some seed tunes it to them: rates
 * that are reported come from evaluation seeds, which follow from the images alone. Every change of an image changes
 * them, so nobody can have looked at them before.
 */
import { createHash } from 'node:crypto';
import type { CampaignCell } from '../types.ts';

/** Golden runs of a set-up that a campaign makes and keeps the ends of. */
export const MAX_SEEDS = 100;

/** What a seed has room for: whole numbers below 2^48, exact as numbers. */
const SEED_BYTES = 6;

/** A seed, and which evaluation seed it is, if any. */
export type DrawnSeed = Pick<CampaignCell, 'seed' | 'evaluation'>;

/** The images of a campaign, and which of them each of its set-ups runs. */
export interface SetupImages {
  /** sha256 of each image, 64 hexadecimal digits, by name. */
  readonly images: Readonly<Record<string, string>>;
  /** Names of a set-up's images, by set-up. */
  readonly imagesOf: Readonly<Record<string, readonly string[]>>;
}

/**
 * Evaluation seed `n`, from 0, of the images that a set-up runs: the first 6 bytes, as a big-endian number, of SHA-256
 * over this text in ASCII: for each image, in order of name (UTF-16 code units), the 64 lower-case hexadecimal digits
 * of its sha256 and a newline; then `n` in decimal, without a newline.
 * @param images sha256 of each image by name
 */
export function evaluationSeed(images: Readonly<Record<string, string>>, n: number): number {
  const names = Object.keys(images).sort();
  const text = names.map((name) => `${images[name]!.toLowerCase()}\n`).join('') + n;
  return createHash('sha256').update(text).digest().readUIntBE(0, SEED_BYTES);
}

/** Evaluation seed `n` of a set-up of a campaign. */
export function evaluationSeedOf({ images, imagesOf }: SetupImages, setup: string, n: number): number {
  const names = Object.hasOwn(imagesOf, setup) ? imagesOf[setup]! : [];
  return evaluationSeed(Object.fromEntries(names.map((name) => [name, images[name] ?? ''])), n);
}

/**
 * The first cell that claims an evaluation seed which is not that of its images, as a sentence; undefined when there is
 * none. Says nothing of cells with development seeds.
 */
export function seedMistake(
  cells: readonly Pick<CampaignCell, 'id' | 'setup' | 'seed' | 'evaluation'>[],
  images: SetupImages,
): string | undefined {
  const derived = new Map<string, number>();
  for (const { id, setup, seed, evaluation } of cells) {
    if (evaluation === undefined) continue;
    const key = `${evaluation} ${setup}`;
    const expected = derived.get(key) ?? evaluationSeedOf(images, setup, evaluation);
    derived.set(key, expected);
    if (seed === expected) continue;
    return `cell ${id} has seed ${seed}, but evaluation seed ${evaluation} of the images of '${setup}' is ${expected}`;
  }
  return undefined;
}

/** A size in so many parts that differ by one at most, the larger ones first. */
export function spread(size: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, n) => Math.floor(size / parts) + (n < size % parts ? 1 : 0));
}
