/** Cache-block operations: what they do, who may use them, and how they fault. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Bed, DEVICE, type ModeName, PTE, RAM, RWX, SV39 } from './testbed.ts';

const { R, W, X, A, D } = PTE;
const CODE = 0x10000n;
const CODE_PA = RAM + 0x1000n;
const DATA = 0x4000_0000n;
const DATA_PA = RAM + 0x2000n;
const ILLEGAL = 2n;
const STORE_ACCESS = 7n;
const STORE_PAGE = 15n;
const VIRTUAL = 22n;
const STORE_GUEST_PAGE = 23n;
const FILLED = 0x0123_4567_89ab_cdefn;

let bed: Bed;
beforeEach(() => {
  bed = new Bed();
  bed.openPmp();
  bed.setCsr('mtvec', RAM + 0x800n);
  for (const name of ['menvcfg', 'senvcfg', 'henvcfg']) bed.setCsr(name, 0xf0n);
  for (let at = 0n; at < 0x1000n; at += 8n) bed.setWord(DATA_PA + at, FILLED);
});

function execute(instruction: string, mode: ModeName, address: bigint): bigint | undefined {
  bed.setX('a0', address);
  return bed.execute(instruction, mode, CODE_PA);
}

const words = (from: bigint, count: number) =>
  Array.from({ length: count }, (_, n) => bed.word(DATA_PA + from + 8n * BigInt(n)));

test('cbo.zero clears the 64 bytes around its address and nothing else', () => {
  expect(execute('cbo.zero (a0)', 'HS', DATA_PA + 64n + 13n)).toBe(undefined);
  expect(words(56n, 10)).toEqual([FILLED, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, FILLED]);
});

test('cbo.zero of code is seen by the next fetch', () => {
  bed.program(
    'cbo.zero (a0)\nnop\nj first\n.balign 64\nfirst: addi a1, a1, 1\nj second\n.balign 64\nsecond: j 0x80001000',
    CODE_PA,
  );
  bed.setX('a0', CODE_PA + 64n);
  bed.setX('a1', 0n);
  bed.enter('HS', CODE_PA + 64n);
  bed.run(7);
  expect(bed.mode()).toBe('M');
  expect([bed.x('a1'), bed.csr('mcause'), bed.csr('mepc')]).toEqual([1n, ILLEGAL, CODE_PA + 64n]);
});

test('management operations leave memory alone', () => {
  for (const name of ['cbo.inval', 'cbo.clean', 'cbo.flush']) {
    expect(execute(`${name} (a0)`, 'HS', DATA_PA + 64n)).toBe(undefined);
  }
  expect(words(56n, 10)).toEqual(new Array(10).fill(FILLED));
});

describe('below M-mode', () => {
  const FIELDS = { 'cbo.inval': 0x30n, 'cbo.clean': 0x40n, 'cbo.flush': 0x40n, 'cbo.zero': 0x80n };

  test.each(Object.entries(FIELDS))(
    '%s needs its field of menvcfg, henvcfg for guests, senvcfg for users',
    (name, field) => {
      const outcome = (cleared: string) => {
        for (const csr of ['menvcfg', 'senvcfg', 'henvcfg']) bed.setCsr(csr, csr === cleared ? 0xf0n & ~field : field);
        return (['M', 'HS', 'U', 'VS', 'VU'] as const).map((mode) => execute(`${name} (a0)`, mode, DATA_PA));
      };
      expect(outcome('none')).toEqual([undefined, undefined, undefined, undefined, undefined]);
      expect(outcome('menvcfg')).toEqual([undefined, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL]);
      expect(outcome('senvcfg')).toEqual([undefined, undefined, ILLEGAL, undefined, VIRTUAL]);
      expect(outcome('henvcfg')).toEqual([undefined, undefined, undefined, VIRTUAL, VIRTUAL]);
    },
  );

  test('cbo.inval may be allowed as a flush', () => {
    bed.setCsr('menvcfg', 0x10n);
    expect(execute('cbo.inval (a0)', 'HS', DATA_PA)).toBe(undefined);
  });
});

describe('faults', () => {
  const mapped = (instruction: string, flags: bigint): bigint | undefined => {
    const root = bed.tablePages();
    bed.map(root, CODE, CODE_PA, RWX);
    bed.map(root, DATA, DATA_PA, flags);
    bed.setCsr('satp', SV39 | (root >> 12n));
    bed.setX('a0', DATA + 100n);
    return bed.execute(instruction, 'HS', CODE, CODE_PA);
  };

  test.each<[string, string, bigint, bigint | undefined]>([
    ['zeroing needs W', 'cbo.zero (a0)', R | A | D, STORE_PAGE],
    ['zeroing works with W', 'cbo.zero (a0)', R | W | A | D, undefined],
    ['cleaning needs only R', 'cbo.clean (a0)', R | A, undefined],
    ['cleaning code that cannot be read is a store fault', 'cbo.clean (a0)', X | A, STORE_PAGE],
    ['flushing what is not mapped is a store fault', 'cbo.flush (a0)', 0n, STORE_PAGE],
  ])('%s', (_, instruction, flags, cause) => {
    expect(mapped(instruction, flags)).toBe(cause);
    if (cause !== undefined) expect([bed.csr('mtval'), bed.csr('mtinst')]).toEqual([DATA + 100n, 0n]);
  });

  test('PMP counts for the whole block', () => {
    bed.setCsr('pmpaddr0', (DATA_PA + 120n) >> 2n);
    bed.setCsr('pmpaddr1', (1n << 54n) - 1n);
    bed.setCsr('pmpcfg0', 0x1f_10n); // entry 0: four bytes without rights; entry 1: everything else
    for (const name of ['cbo.zero', 'cbo.inval', 'cbo.clean', 'cbo.flush']) {
      expect(execute(`${name} (a0)`, 'HS', DATA_PA + 64n)).toBe(STORE_ACCESS);
      expect(bed.csr('mtval')).toBe(DATA_PA + 64n);
      expect(execute(`${name} (a0)`, 'HS', DATA_PA + 128n)).toBe(undefined);
    }
    expect(words(64n, 8)).toEqual(new Array(8).fill(FILLED));
  });

  test('the G stage counts, and devices cannot be zeroed', () => {
    const root = bed.tablePages(4n);
    bed.map(root, CODE_PA, CODE_PA, RWX | PTE.U, { gstage: true });
    bed.setCsr('hgatp', SV39 | (root >> 12n));
    expect(execute('cbo.zero (a0)', 'VS', DATA_PA)).toBe(STORE_GUEST_PAGE);
    expect(bed.csr('mtval2')).toBe(DATA_PA >> 2n);
    expect(execute('cbo.zero (a0)', 'HS', DEVICE)).toBe(STORE_ACCESS);
    expect(bed.accesses).toEqual([]);
  });
});
