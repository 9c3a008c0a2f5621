import fc from 'fast-check';
import { expect, test } from 'vitest';
import xxhash from 'xxhash-wasm';
import { Bed, RAM } from './testbed.ts';

const { h64Raw } = await xxhash();

test('the hash of any range is that of xxhash-wasm', () => {
  const bed = new Bed();
  const ram = bed.core.machineNumber('ramHost');
  const scratch = bed.core.machineNumber('scratchHost');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300, size: 'max' }), fc.nat(7), fc.nat(2 ** 31), (bytes, shift, seed) => {
      new Uint8Array(bed.core.memory.buffer).set(bytes, ram + shift);
      bed.core.arch.hashRange(ram + shift, bytes.length, seed);
      const got = new DataView(bed.core.memory.buffer).getBigUint64(scratch, true);
      expect(got).toBe(h64Raw(bytes, BigInt(seed)));
    }),
  );
});

test('the sum over pages is the one that traces hold, and knows the place of each page', () => {
  const sumOf = (words: Readonly<Record<number, bigint>>) => {
    const bed = new Bed();
    for (const [page, word] of Object.entries(words)) bed.setWord(RAM + BigInt(page) * 4096n, word);
    bed.core.arch.updatePageHashes();
    return bed.core.machine('ramHashSum');
  };
  // Another function of the same pages would make a divergence of every trace recorded before.
  expect(sumOf({ 1: 5n, 3: 7n })).toBe(0x220588eaad3b96a4n);
  expect(sumOf({ 1: 7n, 3: 5n })).not.toBe(sumOf({ 1: 5n, 3: 7n }));
});

test('page hashes kept up incrementally equal those of a core that was written at once', () => {
  const write = fc.record({
    page: fc.nat(1023),
    offset: fc.nat(511),
    value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 40, size: 'max' }), fc.nat(5), (writes, every) => {
      const step = new Bed();
      const once = new Bed();
      for (const [i, { page, offset, value }] of writes.entries()) {
        step.setWord(RAM + BigInt(page * 4096 + offset * 8), value);
        if (i % (every + 1) === 0) step.core.arch.updatePageHashes();
      }
      const ram = step.core.machineNumber('ramHost');
      const bytes = new Uint8Array(step.core.memory.buffer, ram, 4 << 20);
      for (const { page } of writes)
        once.core.writeRam(Number(RAM) + page * 4096, bytes.slice(page * 4096, (page + 1) * 4096));
      for (const bed of [step, once]) bed.core.arch.updatePageHashes();
      expect(step.core.machine('ramHashSum')).toBe(once.core.machine('ramHashSum'));
    }),
    { numRuns: 20 },
  );
});

test('a program’s stores change the sum, also after the flags were cleared', () => {
  const bed = new Bed();
  bed.program('li a0, 0x80010000\nloop: addi a1, a1, 1\nsd a1, 0(a0)\nj loop');
  bed.enter('M', RAM);
  const sums = new Set<bigint>();
  for (let i = 0; i < 5; i++) {
    bed.run(30);
    bed.core.arch.updatePageHashes();
    sums.add(bed.core.machine('ramHashSum'));
  }
  expect(sums.size).toBe(5);
});

test('dirty pages are reported once, stores after that again', () => {
  const bed = new Bed();
  const scratch = bed.core.machineNumber('scratchHost');
  const collect = () => {
    const count = bed.core.arch.collectDirtyPages(scratch);
    return [...new Uint32Array(bed.core.memory.buffer, scratch, count)];
  };
  bed.program('li a0, 0x80012000\nloop: sd a1, 0(a0)\nj loop');
  expect(collect()).toEqual([0]);
  bed.enter('M', RAM);
  bed.run(20);
  expect(collect()).toEqual([0x12]);
  bed.run(2);
  expect(collect()).toEqual([0x12]);
  expect(collect()).toEqual([]);
});
