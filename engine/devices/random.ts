/**
 * Randomness that is part of the machine: xoshiro128** (Blackman and Vigna 2018), its state four words of a record, its
 * seed given. Good enough for latencies and for an entropy device whose point is that a run can be had again; it is no
 * source of secrets.
 */
import { splitmix64 } from '../base/index.ts';
import type { Port } from './device.ts';

/** Words of a record, or others. */
type Words = Pick<Port, 'get' | 'set'>;

/** Words of state that a record must hold. */
export const RANDOM_WORDS = 4;

/** Seeds the state at `offset` through splitmix64, so that neighbouring seeds give unrelated streams. */
export function seedRandom(port: Words, offset: number, seed: bigint): void {
  for (const [n, word] of splitmix64(seed, RANDOM_WORDS / 2).entries()) {
    // The lowest bit of one word is set: the all-zero state would stay so for ever.
    port.set(offset + 8 * n, Number(word & 0xffffffffn) | Number(n === 0));
    port.set(offset + 8 * n + 4, Number(word >> 32n));
  }
}

/** The next 32 bits. */
export function nextRandom(port: Words, offset: number): number {
  let [a, b, c, d] = [port.get(offset), port.get(offset + 4), port.get(offset + 8), port.get(offset + 12)];
  const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0;
  const shifted = b << 9;
  c ^= a;
  d ^= b;
  b ^= c;
  a ^= d;
  c ^= shifted;
  d = rotl(d, 11);
  port.set(offset, a >>> 0);
  port.set(offset + 4, b >>> 0);
  port.set(offset + 8, c >>> 0);
  port.set(offset + 12, d >>> 0);
  return result;
}

const rotl = (word: number, by: number): number => (word << by) | (word >>> (32 - by));
