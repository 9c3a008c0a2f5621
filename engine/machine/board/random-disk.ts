/** Disks whose content is a seed: for scenarios that are plain data, and commands that reproduce them. */
import { nextRandom, RANDOM_WORDS, seedRandom } from '../../devices/index.ts';
import type { Image } from '../types.ts';

/**
 * A disk image of `bytes` bytes (a multiple of 4) from the generator that devices use; the same for the same seed, and
 * a shorter one is the beginning of a longer one.
 */
export function randomDisk(seed: bigint, bytes: number): Image {
  const state = new Uint32Array(RANDOM_WORDS);
  const port = {
    get: (offset: number) => state[offset >>> 2]!,
    set: (offset: number, value: number) => {
      state[offset >>> 2] = value;
    },
  };
  seedRandom(port, 0, seed);
  const words = Uint32Array.from({ length: bytes / 4 }, () => nextRandom(port, 0));
  return { name: `random-${seed}.img`, bytes: new Uint8Array(words.buffer) };
}
