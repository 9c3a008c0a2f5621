/**
 * The state digest: XXH64 over hashes of the saved parts, of RAM and of the disks. A function of the saved state only.
 */
import type { Core } from '../core/index.ts';
import type { Media } from './board/index.ts';
import type { SavedPart } from './state/index.ts';

/** hashRange leaves its result in the first word of scratch; what is hashed there starts behind it. */
const HASHED_AT = 64;

/** XXH64 of at most a page. */
export function hashBytes(core: Core, bytes: Uint8Array): bigint {
  const scratch = core.machineNumber('scratchHost');
  new Uint8Array(core.memory.buffer).set(bytes, scratch + HASHED_AT);
  core.arch.hashRange(scratch + HASHED_AT, bytes.length, 0);
  return new DataView(core.memory.buffer).getBigUint64(scratch, true);
}

/** What computes the digest of a machine as it stands. */
export function createDigest(core: Core, parts: readonly SavedPart[], media: Media): () => bigint {
  const view = new DataView(core.memory.buffer);
  const scratch = core.machineNumber('scratchHost');
  return () => {
    core.arch.updatePageHashes();
    // Each part where it lies: together they may be larger than scratch.
    const hashes = parts.map(({ address, block }) => {
      core.arch.hashRange(address, block.savedBytes, 0);
      return view.getBigUint64(scratch, true);
    });
    const all = BigUint64Array.of(...hashes, core.machine('ramHashSum'), media.digest());
    return hashBytes(core, new Uint8Array(all.buffer));
  };
}
