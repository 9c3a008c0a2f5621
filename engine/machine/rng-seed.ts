/**
 * The /chosen/rng-seed that a boot loader gives to the kernel's random number generator, as QEMU virt does. Made from
 * the machine's seed by splitmix64, so that a run can be had again; it is no secret.
 */

const WORDS = 4;
const GAMMA = 0x9e3779b97f4a7c15n;

/** 32 bytes as eight big-endian cells. */
export function rngSeedCells(seed: bigint): number[] {
  let state = seed;
  return Array.from({ length: WORDS }, () => {
    state = BigInt.asUintN(64, state + GAMMA);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    z ^= z >> 31n;
    return [Number(z >> 32n), Number(z & 0xffffffffn)];
  }).flat();
}
