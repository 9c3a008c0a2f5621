import { expect, it } from 'vitest';
import { CONSTANTS } from '../../core/index.ts';
import { RAM_BASE } from './board.ts';
import { createBootMemory } from './boot-memory.ts';

const { PAGE_BYTES } = CONSTANTS;

it('lays another part of the same file over RAM that holds the first', () => {
  const ram = new Uint8Array(PAGE_BYTES);
  const pageHashes = new BigUint64Array(1);
  const hash = (bytes: Uint8Array) => BigInt(bytes[0]!);
  const images = createBootMemory({
    arch: { updatePageHashes: () => void (pageHashes[0] = hash(ram)) },
    pageHashes,
    hash,
    store: (paddr, bytes) => ram.set(bytes, paddr - RAM_BASE),
  });
  const file = new Uint8Array(2 * PAGE_BYTES).fill(1, 0, PAGE_BYTES).fill(2, PAGE_BYTES);
  for (const at of [0, PAGE_BYTES]) {
    const bytes = file.subarray(at, at + PAGE_BYTES);
    images.refill([{ paddr: RAM_BASE, bytes, memBytes: PAGE_BYTES }]);
    expect(ram).toEqual(bytes);
  }
});
