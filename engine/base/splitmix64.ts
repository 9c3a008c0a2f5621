/**
 * splitmix64 (Steele, Lea and Flood 2014; the reference implementation is Vigna's): spreads seeds; no source of
 * secrets.
 */

const GAMMA = 0x9e3779b97f4a7c15n;

/** `count` 64-bit outputs from a seed. */
export function splitmix64(seed: bigint, count: number): bigint[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = BigInt.asUintN(64, state + GAMMA);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  });
}
