/**
 * Random PMP entries of a case, beside those that guard the harness. Never locked: a lock would outlive the case. Never
 * a part of a page with code, and never TOR up to address 0: there QEMU 7.2 goes its own way (docs/choices.md).
 */
import fc from 'fast-check';
import { ARENA_AT, PAGE, PAGES } from './layout.ts';

/** Permissions of PMP: W without R is reserved, and kept by QEMU 7.2. */
const PMP_RWX = [0n, 1n, 3n, 4n, 5n, 7n];
const PMP_TOR = 1n;
const PMP_NA4 = 2n;
const PMP_NAPOT = 3n;

interface PmpRegion {
  readonly mode: bigint;
  readonly rwx: bigint;
  /** First byte and size; the size is a power of two unless the mode is TOR. */
  readonly from: bigint;
  readonly size: bigint;
}

/** Up to three regions in entries 2 to 7: between those that guard the harness and the one that opens the rest. */
export const pmpEntries: fc.Arbitrary<Record<string, bigint>> = fc
  .oneof(
    { weight: 5, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.oneof(pmpPages(), pmpBytes()), { minLength: 1, maxLength: 3 }) },
  )
  .map((regions) => {
    if (regions.length === 0) return {};
    const csrs: Record<string, bigint> = {};
    let config = 0x1818n;
    for (const [n, { mode, rwx, from, size }] of regions.entries()) {
      const entry = 2 + 2 * n;
      // TOR begins where the entry before, which is off, ends.
      csrs[`pmpaddr${entry}`] = from >> 2n;
      csrs[`pmpaddr${entry + 1}`] =
        mode === PMP_TOR ? (from + size) >> 2n : mode === PMP_NA4 ? from >> 2n : (from >> 2n) | ((size >> 3n) - 1n);
      config |= (rwx | (mode << 3n)) << BigInt(8 * (entry + 1));
    }
    return { ...csrs, pmpcfg0: config };
  });

/** Whole pages of anything: code, handlers, tables. */
function pmpPages(): fc.Arbitrary<PmpRegion> {
  return fc
    .record({
      mode: fc.constantFrom(PMP_TOR, PMP_NAPOT),
      rwx: fc.constantFrom(...PMP_RWX),
      page: fc.integer({ min: 0, max: PAGES.count - 1 }),
      order: fc.constantFrom(0, 0, 1, 3),
    })
    .map(({ mode, rwx, page, order }) => {
      const first = mode === PMP_NAPOT ? (page >> order) << order : page;
      return { mode, rwx, from: BigInt(ARENA_AT + first * PAGE), size: BigInt(PAGE << order) };
    });
}

/** A few bytes of data pages, where no code is: QEMU 7.2 asks PMP for the first byte of an instruction only. */
function pmpBytes(): fc.Arbitrary<PmpRegion> {
  return fc
    .record({
      mode: fc.constantFrom(PMP_TOR, PMP_NA4, PMP_NAPOT),
      rwx: fc.constantFrom(...PMP_RWX),
      page: fc.integer({ min: PAGES.data, max: PAGES.handlers - 1 }),
      word: fc.oneof(fc.constantFrom(0, 2, 4, 0x3fc, 0x3fe), fc.integer({ min: 0, max: 0x3ff })),
      size: fc.constantFrom(8, 16, 32, 0x800),
    })
    .map(({ mode, rwx, page, word, size }) => {
      const at = ARENA_AT + page * PAGE + 4 * word;
      const from = mode === PMP_NAPOT ? at - (at % size) : at;
      return { mode, rwx, from: BigInt(from), size: BigInt(mode === PMP_NA4 ? 4 : size) };
    });
}
