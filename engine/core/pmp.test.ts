import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { Bed, PTE, RAM, RWX, SV39 } from './testbed.ts';

const R = 1n;
const W = 2n;
const X = 4n;
const TOR = 1n << 3n;
const NA4 = 2n << 3n;
const NAPOT = 3n << 3n;
const LOCKED = 0x80n;
const PAGE = RAM + 0x2000n;

let bed: Bed;
beforeEach(() => {
  bed = new Bed();
  bed.setCsr('mtvec', RAM + 0x800n);
});

/** Entry `i`: configuration byte and address register. */
function entry(i: number, config: bigint, address: bigint): void {
  bed.setCsr(`pmpaddr${i}`, address);
  const name = i < 8 ? 'pmpcfg0' : 'pmpcfg2';
  const shift = BigInt((i % 8) * 8);
  bed.setCsr(name, (bed.csr(name) & ~(0xffn << shift)) | (config << shift));
}
const napot = (base: bigint, bytes: bigint) => (base >> 2n) | (bytes / 8n - 1n);
/** Lets everything else pass, with the lowest priority. */
const openRest = () => entry(15, NAPOT | R | W | X, (1n << 54n) - 1n);

function access(instruction: string, address: bigint, mode: 'M' | 'HS' = 'HS'): bigint | undefined {
  bed.setX('a0', address);
  return bed.execute(instruction, mode);
}

test('without a matching entry M-mode may do everything, S-mode nothing', () => {
  expect(access('ld a1, 0(a0)', PAGE, 'M')).toBe(undefined);
  expect(access('ld a1, 0(a0)', PAGE)).toBe(1n); // not even fetch
});

test('a page protected from S-mode stays open to M-mode', () => {
  openRest();
  entry(0, NAPOT, napot(PAGE, 0x1000n));
  expect(access('ld a1, 0(a0)', PAGE)).toBe(5n);
  expect(access('sd a1, 0(a0)', PAGE)).toBe(7n);
  expect(bed.csr('mtval')).toBe(PAGE);
  expect(access('sd a1, 0(a0)', PAGE, 'M')).toBe(undefined);
  expect(access('ld a1, 0(a0)', PAGE - 8n)).toBe(undefined);
  expect(access('ld a1, 0(a0)', PAGE + 0x1000n)).toBe(undefined);
});

test('a locked entry binds M-mode too and can no longer be changed', () => {
  openRest();
  entry(0, NAPOT | R | LOCKED, napot(PAGE, 0x1000n));
  expect(access('sd a1, 0(a0)', PAGE, 'M')).toBe(7n);
  expect(access('ld a1, 0(a0)', PAGE, 'M')).toBe(undefined);
  bed.setCsr('pmpcfg0', 0n);
  bed.setCsr('pmpaddr0', 0n);
  expect(bed.csr('pmpcfg0')).toBe(NAPOT | R | LOCKED);
  expect(bed.csr('pmpaddr0')).toBe(napot(PAGE, 0x1000n));
});

test('a locked TOR entry locks the address below it', () => {
  entry(0, 0n, PAGE >> 2n);
  entry(1, TOR | R | LOCKED, (PAGE + 0x1000n) >> 2n);
  bed.setCsr('pmpaddr0', 0n);
  expect(bed.csr('pmpaddr0')).toBe(PAGE >> 2n);
});

test('an access that an entry matches in part fails, and a page may be split', () => {
  openRest();
  entry(0, NA4 | R, (PAGE + 16n) >> 2n);
  expect(access('lw a1, 0(a0)', PAGE + 16n)).toBe(undefined);
  expect(access('sw a1, 0(a0)', PAGE + 16n)).toBe(7n);
  expect(access('ld a1, 0(a0)', PAGE + 16n)).toBe(5n);
  expect(access('lw a1, 0(a0)', PAGE + 14n)).toBe(5n);
  expect(access('sw a1, 0(a0)', PAGE + 20n)).toBe(undefined);
  expect(access('sw a1, 0(a0)', PAGE + 12n)).toBe(undefined);
});

test('an allowed access does not open the rest of its page to the next one', () => {
  openRest();
  entry(0, NAPOT, napot(PAGE + 8n, 8n));
  bed.program('ld a1, 0(a0)\nsd a1, 0(a0)\nld a1, 8(a0)\nj .');
  bed.setX('a0', PAGE);
  bed.enter('HS', RAM);
  bed.run(3);
  expect([bed.csr('mcause'), bed.csr('mtval')]).toEqual([5n, PAGE + 8n]);
});

test('code on a split page is checked instruction by instruction', () => {
  openRest();
  bed.program('nop\nnop\naddi a0, a0, 1\nj .-12', PAGE);
  entry(0, NAPOT | R, napot(PAGE + 8n, 8n));
  bed.setX('a0', 0n);
  bed.enter('HS', PAGE);
  bed.run(3);
  expect([bed.csr('mcause'), bed.csr('mepc'), bed.csr('mtval')]).toEqual([1n, PAGE + 8n, PAGE + 8n]);
  entry(0, NAPOT | R | X, napot(PAGE + 8n, 8n));
  bed.enter('HS', PAGE);
  bed.run(40);
  expect(bed.x('a0')).toBe(10n);
});

test('page-table reads are checked as S-mode reads', () => {
  openRest();
  const root = bed.tablePages();
  bed.map(root, 0x10000n, RAM, RWX);
  bed.setCsr('satp', SV39 | (root >> 12n));
  bed.enter('HS', 0x10000n);
  bed.program('nop\nj .');
  bed.run(1);
  expect(bed.mode()).toBe('HS');
  entry(0, NAPOT | W | R, napot(root, 0x1000n));
  bed.run(1);
  expect(bed.mode()).toBe('HS');
  entry(0, NAPOT, napot(root, 0x1000n));
  bed.run(1);
  expect([bed.csr('mcause'), bed.csr('mtval')]).toEqual([1n, 0x10004n]);
});

test('second-stage tables are checked too, and the fault is an access fault', () => {
  openRest();
  const groot = bed.tablePages(4n);
  bed.map(groot, RAM, RAM, RWX | PTE.U, { level: 2n, gstage: true });
  bed.setCsr('hgatp', SV39 | (groot >> 12n));
  expect(bed.execute('nop', 'VS')).toBe(undefined);
  entry(0, NAPOT, napot(groot, 0x4000n));
  expect(bed.execute('nop', 'VS')).toBe(1n);
});

test('W without R reads back as neither', () => {
  bed.setCsr('pmpcfg0', NAPOT | W | X);
  expect(bed.csr('pmpcfg0')).toBe(NAPOT | X);
});

/** The manual's rule, over every byte: the lowest entry that matches any byte decides and must match all. */
function allowed(entries: readonly { config: bigint; address: bigint }[], paddr: bigint, bytes: bigint): boolean {
  for (const [i, { config, address }] of entries.entries()) {
    const matches = (byte: bigint) => {
      switch ((config >> 3n) & 3n) {
        case 0n:
          return false;
        case 1n:
          return byte >> 2n >= (i === 0 ? 0n : entries[i - 1]!.address) && byte >> 2n < address;
        case 2n:
          return byte >> 2n === address;
        default: {
          let ones = 0n;
          while ((address >> ones) & 1n) ones++;
          return byte >> (3n + ones) === address >> (1n + ones);
        }
      }
    };
    const matched = Array.from({ length: Number(bytes) }, (_, k) => matches(paddr + BigInt(k)));
    if (!matched.includes(true)) continue;
    return !matched.includes(false) && (config & R) !== 0n;
  }
  return false;
}

test('any configuration allows exactly the loads that the manual’s rule allows', () => {
  const one = fc.record({
    config: fc.tuple(fc.nat(3), fc.boolean()).map(([mode, read]) => (BigInt(mode) << 3n) | (read ? R : 0n)),
    address: fc.tuple(fc.nat(64), fc.nat(6)).map(([word, ones]) => {
      const mask = (1n << BigInt(ones)) - 1n;
      return ((PAGE >> 2n) + BigInt(word)) | mask;
    }),
  });
  fc.assert(
    fc.property(
      fc.array(one, { minLength: 7, maxLength: 7 }),
      fc.array(fc.tuple(fc.nat(280), fc.constantFrom(1, 2, 4, 8)), { minLength: 20, maxLength: 20 }),
      (entries, accesses) => {
        bed = new Bed();
        bed.setCsr('mtvec', RAM + 0x800n);
        // Code first: the program's page is always executable.
        entry(0, NAPOT | R | X, napot(RAM, 0x1000n));
        bed.setCsr('pmpaddr8', 0n);
        for (const [i, { config, address }] of entries.entries()) entry(i + 1, config, address);
        const all = [{ config: NAPOT | R | X, address: napot(RAM, 0x1000n) }, ...entries];
        for (const [offset, bytes] of accesses) {
          const name = { 1: 'lb', 2: 'lh', 4: 'lw', 8: 'ld' }[bytes];
          const paddr = PAGE + BigInt(offset);
          const expected = allowed(all, paddr, BigInt(bytes)) ? undefined : 5n;
          expect(access(`${name} a1, 0(a0)`, paddr)).toBe(expected);
        }
      },
    ),
    { numRuns: 40 },
  );
});
