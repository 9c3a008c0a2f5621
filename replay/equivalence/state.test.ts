import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../engine/index.ts';
import { compareMemory, compareRegisters, type VmMemory } from './state.ts';

/**
 * Memory whose page at GPA n·4096 lies in frame `frames[n]`, holding `contents[n]` in its word 3 (0: absent, all zero).
 */
function memory(frames: readonly number[], contents: readonly bigint[]): VmMemory {
  const pages = new Map<number, { hash: bigint; bytes: Uint8Array }>();
  for (const [n, frame] of frames.entries()) {
    const bytes = new Uint8Array(4096);
    new DataView(bytes.buffer).setBigUint64(24, contents[n]!, true);
    if (contents[n] !== 0n) pages.set(frame, { hash: contents[n]!, bytes });
  }
  const snapshot: Snapshot = { moment: 0, ticks: 0, digest: 0n, state: new Uint8Array(0), pages };
  return { pages: new Map(frames.map((frame, n) => [BigInt(n * 4096), frame])), snapshot };
}

describe('a VM’s memory', () => {
  it('is compared by guest-physical address: pages may have moved', () => {
    const contents = [7n, 0n, 9n];
    expect(compareMemory(memory([1, 2, 3], contents), memory([30, 10, 20], contents))).toEqual({
      pagesCompared: 3,
      memoryDifferences: [],
    });
  });

  it('differs in the words that changed', () => {
    const found = compareMemory(memory([1, 2, 3], [7n, 0n, 9n]), memory([1, 2, 3], [7n, 5n, 0n]));
    expect(found.memoryDifferences).toEqual([
      { gpa: 0x1018n, before: 0n, after: 5n },
      { gpa: 0x2018n, before: 9n, after: 0n },
    ]);
  });

  it('is compared where it is mapped at both times', () => {
    expect(compareMemory(memory([1, 2], [1n, 2n]), memory([1], [1n])).pagesCompared).toBe(1);
    expect(compareMemory(memory([], []), memory([1], [1n])).pagesCompared).toBe(0);
  });
});

test.prop([fc.array(fc.tuple(fc.bigInt(0n, 3n), fc.bigInt(0n, 3n)), { minLength: 1, maxLength: 20 })])(
  'every page whose content differs is found, and no other',
  (rows) => {
    const frames = rows.map((_, n) => n);
    const before = memory(
      frames,
      rows.map(([was]) => was),
    );
    const after = memory(
      frames.toReversed(),
      rows.map(([, is]) => is),
    );
    const expected = rows.flatMap(([was, is], n) =>
      was === is ? [] : [{ gpa: BigInt(n * 4096 + 24), before: was, after: is }],
    );
    expect(compareMemory(before, after).memoryDifferences).toEqual(expected);
  },
);

it('registers are compared by name', () => {
  const before = new Map([
    ['x1', 1n],
    ['pc', 16n],
  ]);
  expect(compareRegisters(before, new Map(before))).toEqual([]);
  expect(compareRegisters(before, new Map([...before, ['pc', 20n]]))).toEqual([
    { name: 'pc', before: 16n, after: 20n },
  ]);
});
