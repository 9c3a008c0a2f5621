/**
 * The two hashes of the format: XXH64 against accidents, SHA-256 where content is named. Relies on xxhash-wasm and
 * node:crypto. Checks nothing.
 */
import { createHash } from 'node:crypto';
import xxhash from 'xxhash-wasm';

const { h64Raw } = await xxhash();

/** XXH64 of `bytes`, as an unsigned 64-bit integer. */
export function xxh64(bytes: Uint8Array, seed = 0n): bigint {
  return h64Raw(bytes, seed);
}

/** SHA-256 of `bytes`, 64 hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
