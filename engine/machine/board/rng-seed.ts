/**
 * The /chosen/rng-seed that a boot loader gives to the kernel's random number generator, as QEMU virt does. Made from
 * the machine's seed, so that a run can be had again; it is no secret.
 */
import { splitmix64 } from '../../base/index.ts';

const WORDS = 4;

/** 32 bytes as eight big-endian cells. */
export function rngSeedCells(seed: bigint): number[] {
  return splitmix64(seed, WORDS).flatMap((word) => [Number(word >> 32n), Number(word & 0xffffffffn)]);
}
