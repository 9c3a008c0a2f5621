/** Depths of tables, Svnapot, Svpbmt, and A and D bits set by hardware (Svadu), in one stage and in two. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Bed, type ModeName, PTE, RAM, RWX, SV39, SV48, SV57 } from './testbed.ts';

const { V, R, W, X, U, A, D } = PTE;
const N = 1n << 63n;
const ADUE = 1n << 61n;
const PBMTE = 1n << 62n;
const CODE = 0x10000n;
const DATA = 0x4000_0000n;
const CODE_PA = RAM + 0x1000n;
const DATA_PA = RAM + 0x2000n;
/** 64 KiB aligned. */
const BIG_PA = RAM + 0x2_0000n;
const LEVELS: readonly (readonly [string, bigint, bigint])[] = [
  ['Sv39', SV39, 3n],
  ['Sv48', SV48, 4n],
  ['Sv57', SV57, 5n],
];

let bed: Bed;
let root: bigint;
beforeEach(() => {
  bed = new Bed();
  bed.openPmp();
  bed.setCsr('mtvec', RAM + 0x800n);
  root = bed.tablePages();
});

const ppn = (pa: bigint) => (pa >> 12n) << 10n;
/** Runs one instruction at CODE with a0 = `address`; the exception it took, or undefined. */
function access(instruction: string, mode: ModeName, address: bigint = DATA): bigint | undefined {
  bed.setX('a0', address);
  return bed.execute(instruction, mode, CODE, CODE_PA);
}

describe.each(LEVELS)('%s', (_name, mode, levels) => {
  const width = 12n + 9n * levels;
  beforeEach(() => {
    bed.map(root, CODE, CODE_PA, RWX, { levels });
    bed.setCsr('satp', mode | (root >> 12n));
  });

  test('the whole sign-extended range translates, and nothing beyond it', () => {
    const lowEnd = (1n << (width - 1n)) - 0x1000n;
    const highStart = BigInt.asUintN(64, -1n << (width - 1n));
    bed.map(root, lowEnd, DATA_PA, RWX, { levels });
    bed.map(root, highStart & ((1n << width) - 1n), DATA_PA, RWX, { levels });
    bed.setWord(DATA_PA + 8n, 42n);
    for (const page of [lowEnd, highStart]) {
      expect(access('ld a1, 8(a0)', 'HS', page)).toBe(undefined);
      expect(bed.x('a1')).toBe(42n);
    }
    for (const beyond of [lowEnd + 0x1000n, highStart - 8n, 1n << 63n]) {
      expect(access('ld a1, 0(a0)', 'HS', beyond)).toBe(13n);
      expect(bed.csr('mtval')).toBe(beyond);
    }
  });

  test('a leaf may stand at every level, aligned to its size', () => {
    for (let level = 1n; level < levels; level++) {
      // A region of its own in the root's span of this level; 0 is the one physical address that is aligned to all.
      const va = 1n << (12n + 9n * level);
      bed.map(root, va, 0n, RWX, { level, levels });
      bed.setWord(DATA_PA, level);
      // Only leaves that span RAM reach it from physical 0.
      const reaches = 12n + 9n * level > 31n;
      expect(access('ld a1, 0(a0)', 'HS', va + (reaches ? DATA_PA : 0n))).toBe(reaches ? undefined : 5n);
      if (reaches) expect(bed.x('a1')).toBe(level);
      bed.map(root, va, 0x1000n, RWX, { level, levels });
      expect(access('ld a1, 0(a0)', 'HS', va)).toBe(13n);
    }
  });

  test('a pointer below the last level is a page fault', () => {
    bed.map(root, DATA, DATA_PA, 0n, { levels });
    expect(access('ld a1, 0(a0)', 'HS')).toBe(13n);
  });
});

describe.each(LEVELS)('bare over %sx4', (_name, mode, levels) => {
  const width = 14n + 9n * levels;
  let groot: bigint;
  beforeEach(() => {
    groot = bed.tablePages(4n);
    bed.map(groot, CODE, CODE_PA, RWX | U, { levels, gstage: true });
    bed.setCsr('hgatp', mode | (groot >> 12n));
  });

  test('all guest physical addresses of two bits more translate, and nothing beyond them', () => {
    const last = (1n << width) - 0x1000n;
    bed.map(groot, last, DATA_PA, RWX | U, { levels, gstage: true });
    bed.setWord(DATA_PA + 8n, 43n);
    expect(access('ld a1, 8(a0)', 'VS', last)).toBe(undefined);
    expect(bed.x('a1')).toBe(43n);
    expect(access('sd a1, 8(a0)', 'VS', 1n << width)).toBe(23n);
    expect([bed.csr('mtval'), bed.csr('mtval2')]).toEqual([(1n << width) + 8n, ((1n << width) + 8n) >> 2n]);
  });
});

describe('Sv57 over Sv57x4', () => {
  test('both stages translate, and a fault on a table of the first names its guest physical address', () => {
    const groot = bed.tablePages(4n);
    const offset = 1n << 55n;
    const placed = (pa: bigint) => pa + offset;
    const options = { levels: 5n, placed };
    bed.map(root, CODE, placed(CODE_PA), RWX, options);
    bed.map(root, DATA, placed(DATA_PA), RWX, options);
    const g = { levels: 5n, gstage: true };
    for (let page = RAM; page < RAM + 0x40_0000n; page += 0x1000n) bed.map(groot, placed(page), page, RWX | U, g);
    bed.setCsr('vsatp', SV57 | (placed(root) >> 12n));
    bed.setCsr('hgatp', SV57 | (groot >> 12n));
    bed.setWord(DATA_PA, 44n);
    expect(access('ld a1, 0(a0)', 'VS')).toBe(undefined);
    expect(bed.x('a1')).toBe(44n);
    bed.setWord(bed.map(groot, placed(root), root, 0n, g), 0n);
    expect(access('ld a1, 0(a0)', 'VS')).toBe(20n);
    expect([bed.csr('mtval2'), bed.csr('mtinst')]).toEqual([placed(root) >> 2n, 0x3000n]);
  });
});

describe('Svnapot', () => {
  beforeEach(() => {
    bed.map(root, CODE, CODE_PA, RWX);
    bed.setCsr('satp', SV39 | (root >> 12n));
  });

  test('an entry with N and 1000 in its low bits maps its page of an aligned 64 KiB', () => {
    for (let page = 0n; page < 16n; page++) {
      bed.map(root, DATA + page * 0x1000n, BIG_PA + 0x8000n, RWX | N);
      bed.setWord(BIG_PA + page * 0x1000n + 8n, page);
    }
    for (let page = 0n; page < 16n; page++) {
      expect(access('ld a1, 8(a0)', 'HS', DATA + page * 0x1000n)).toBe(undefined);
      expect(bed.x('a1')).toBe(page);
    }
  });

  test('a change of one entry of a range is seen by its page and by no other', () => {
    const entries = [0n, 1n].map((i) => bed.map(root, DATA + i * 0x1000n, BIG_PA + 0x8000n, RWX | N));
    bed.map(root, 0x5000_0000n, entries[0]! & ~0xfffn, RWX);
    expect(access('ld a1, 0(a0)', 'HS')).toBe(undefined);
    bed.setX('a1', 0n);
    expect(access('sd a1, 0(a0)', 'HS', 0x5000_0000n + (entries[0]! & 0xfffn))).toBe(undefined);
    expect(access('ld a1, 0(a0)', 'HS')).toBe(13n);
    expect(access('ld a1, 0(a0)', 'HS', DATA + 0x1000n)).toBe(undefined);
  });

  test.each([0n, 1n, 4n, 7n, 9n, 12n, 15n])('low bits %s with N are reserved: a page fault', (low) => {
    bed.map(root, DATA, BIG_PA + low * 0x1000n, RWX | N);
    expect(access('ld a1, 0(a0)', 'HS')).toBe(13n);
  });

  test('N in a superpage or in a pointer is a page fault', () => {
    bed.map(root, DATA, RAM, RWX | N, { level: 1n });
    expect(access('ld a1, 0(a0)', 'HS')).toBe(13n);
    const pointer = bed.map(root, DATA, bed.tablePages(), 0n, { level: 1n });
    bed.setWord(pointer, bed.word(pointer) | N);
    expect(access('ld a1, 0(a0)', 'HS')).toBe(13n);
  });

  test('the second stage has it too', () => {
    const groot = bed.tablePages(4n);
    bed.map(groot, CODE, CODE_PA, RWX | U, { gstage: true });
    bed.map(groot, DATA + 0x3000n, BIG_PA + 0x8000n, RWX | U | N, { gstage: true });
    bed.setCsr('hgatp', SV39 | (groot >> 12n));
    bed.setWord(BIG_PA + 0x3000n, 45n);
    expect(access('ld a1, 0(a0)', 'VS', DATA + 0x3000n)).toBe(undefined);
    expect(bed.x('a1')).toBe(45n);
    bed.map(groot, DATA + 0x3000n, BIG_PA + 0x4000n, RWX | U | N, { gstage: true });
    expect(access('ld a1, 0(a0)', 'VS', DATA + 0x3000n)).toBe(21n);
  });
});

describe('Svpbmt', () => {
  const type = (value: bigint) => value << 61n;

  test('types NC and IO are taken where PBMTE allows them; type 3 and types in pointers never are', () => {
    bed.map(root, CODE, CODE_PA, RWX);
    bed.setCsr('satp', SV39 | (root >> 12n));
    const load = (value: bigint) => {
      bed.map(root, DATA, DATA_PA, RWX | type(value));
      return access('ld a1, 0(a0)', 'HS');
    };
    expect([0n, 1n, 2n, 3n].map(load)).toEqual([undefined, 13n, 13n, 13n]);
    bed.setCsr('menvcfg', PBMTE);
    expect([0n, 1n, 2n, 3n].map(load)).toEqual([undefined, undefined, undefined, 13n]);
    load(0n);
    const pointer = root + 8n * (DATA >> 30n);
    bed.setWord(pointer, bed.word(pointer) | type(1n));
    expect(access('ld a1, 0(a0)', 'HS')).toBe(13n);
  });

  test('the second stage goes by menvcfg, a guest’s own by henvcfg', () => {
    const groot = bed.tablePages(4n);
    const g = { gstage: true };
    for (let page = RAM; page < RAM + 0x40_0000n; page += 0x1000n) bed.map(groot, page, page, RWX | U, g);
    bed.map(groot, DATA_PA, DATA_PA, RWX | U | type(1n), g);
    bed.map(root, CODE, CODE_PA, RWX);
    bed.map(root, DATA, DATA_PA, RWX);
    bed.setCsr('vsatp', SV39 | (root >> 12n));
    bed.setCsr('hgatp', SV39 | (groot >> 12n));
    expect(access('ld a1, 0(a0)', 'VS')).toBe(21n);
    bed.setCsr('menvcfg', PBMTE);
    expect(access('ld a1, 0(a0)', 'VS')).toBe(undefined);
    bed.map(root, DATA, DATA_PA, RWX | type(2n));
    expect(access('ld a1, 0(a0)', 'VS')).toBe(13n);
    bed.setCsr('henvcfg', PBMTE);
    expect(access('ld a1, 0(a0)', 'VS')).toBe(undefined);
    bed.setCsr('menvcfg', 0n);
    expect(access('ld a1, 0(a0)', 'VS')).toBe(13n);
  });
});

describe('A and D bits in one stage', () => {
  const AD = A | D;
  let entry: bigint;
  beforeEach(() => {
    bed.map(root, CODE, CODE_PA, RWX);
    bed.setCsr('satp', SV39 | (root >> 12n));
    entry = bed.map(root, DATA, DATA_PA, R | W | X);
  });
  const bits = () => bed.word(entry) & AD;

  test('from reset on, a load sets A, a store sets A and D, in the leaf and nowhere else', () => {
    const pointers = [root + 8n * (DATA >> 30n)];
    pointers.push((bed.word(pointers[0]!) >> 10n) << 12n);
    const before = pointers.map((at) => bed.word(at));
    expect(access('ld a1, 0(a0)', 'HS')).toBe(undefined);
    expect(bits()).toBe(A);
    expect(access('sd a1, 0(a0)', 'HS')).toBe(undefined);
    expect(bits()).toBe(AD);
    expect(bed.word(entry)).toBe(ppn(DATA_PA) | V | R | W | X | AD);
    expect(pointers.map((at) => bed.word(at))).toEqual(before);
  });

  test('atomics set D, a failing sc.d does not have to, a fetch sets A', () => {
    expect(access('amoadd.d a2, a1, (a0)', 'HS')).toBe(undefined);
    expect(bits()).toBe(AD);
    bed.setWord(entry, bed.word(entry) & ~AD);
    bed.enter('HS', DATA);
    bed.run(1);
    expect(bits()).toBe(A);
  });

  test('D is set by a store right after a load that has been cached', () => {
    bed.program('ld a1, 0(a0)\nsd a1, 0(a0)\nld a1, 0(a0)', CODE_PA, CODE);
    bed.setX('a0', DATA);
    bed.enter('HS', CODE);
    bed.run(3);
    expect([bed.pc(), bits()]).toEqual([CODE + 12n, AD]);
  });

  test('an access that is not allowed sets nothing', () => {
    bed.setWord(entry, ppn(DATA_PA) | V | R | X);
    expect(access('sd a1, 0(a0)', 'HS')).toBe(15n);
    bed.setWord(entry, ppn(DATA_PA) | V | R | X | U);
    expect(access('ld a1, 0(a0)', 'HS')).toBe(13n);
    expect(bits()).toBe(0n);
  });

  test('a misaligned store sets the bits of both pages, and those of the first even if the second faults', () => {
    const second = bed.map(root, DATA + 0x1000n, DATA_PA + 0x1000n, R | W);
    expect(access('sd a1, 0(a0)', 'HS', DATA + 0xffcn)).toBe(undefined);
    expect([bits(), bed.word(second) & AD]).toEqual([AD, AD]);
    bed.setWord(entry, bed.word(entry) & ~AD);
    bed.setWord(second, 0n);
    expect(access('sd a1, 0(a0)', 'HS', DATA + 0xffcn)).toBe(15n);
    expect(bits()).toBe(AD);
  });

  test('a debugger’s translation sets nothing', () => {
    bed.enter('HS', CODE);
    expect(bed.core.translate(0, DATA + 8n, 1)).toBe(DATA_PA + 8n);
    expect(bits()).toBe(0n);
  });

  test('without menvcfg.ADUE both are page faults (Svade)', () => {
    bed.setCsr('menvcfg', 0n);
    expect(access('ld a1, 0(a0)', 'HS')).toBe(13n);
    bed.setWord(entry, bed.word(entry) | A);
    expect(access('ld a1, 0(a0)', 'HS')).toBe(undefined);
    expect(access('sd a1, 0(a0)', 'HS')).toBe(15n);
    expect(bits()).toBe(A);
  });

  test('a table that PMP lets S-mode read but not write is an access fault of the access', () => {
    bed.setCsr('pmpaddr1', (1n << 54n) - 1n);
    bed.setCsr('pmpaddr0', entry >> 2n);
    bed.setCsr('pmpcfg0', 0x1f11n);
    // NA4 covers half of the entry: a read of all of it would fail as well.
    expect(access('ld a1, 0(a0)', 'HS')).toBe(5n);
    bed.setCsr('pmpaddr0', (entry >> 2n) & ~1n);
    bed.setCsr('pmpcfg0', 0x1f19n); // NAPOT, 8 bytes, read-only
    expect(access('ld a1, 0(a0)', 'HS')).toBe(5n);
    expect(access('sd a1, 0(a0)', 'HS')).toBe(7n);
    bed.setWord(entry, bed.word(entry) | AD);
    expect(access('sd a1, 0(a0)', 'HS')).toBe(undefined);
  });

  test('a table page is digested anew after hardware changed it', () => {
    const digest = () => {
      bed.core.arch.updatePageHashes();
      return bed.core.machine('ramHashSum');
    };
    bed.execute('ld a1, 0(a0)', 'HS', CODE, CODE_PA);
    bed.setWord(entry, bed.word(entry) & ~A);
    const before = digest();
    bed.setX('a0', DATA);
    bed.enter('HS', CODE);
    bed.run(1);
    expect(bits()).toBe(A);
    expect(digest()).not.toBe(before);
    bed.setWord(entry, bed.word(entry) & ~A);
    expect(digest()).toBe(before);
  });
});

describe('A and D bits in two stages', () => {
  const AD = A | D;
  let groot: bigint;
  let own: bigint;
  let second: (pa: bigint) => bigint;
  beforeEach(() => {
    groot = bed.tablePages(4n);
    const entries = new Map<bigint, bigint>();
    for (let page = RAM; page < RAM + 0x40_0000n; page += 0x1000n) {
      entries.set(page, bed.map(groot, page, page, R | W | X | U, { gstage: true }));
    }
    second = (pa) => entries.get(pa & ~0xfffn)!;
    bed.map(root, CODE, CODE_PA, RWX);
    own = bed.map(root, DATA, DATA_PA, R | W | X);
    bed.setCsr('vsatp', SV39 | (root >> 12n));
    bed.setCsr('hgatp', SV39 | (groot >> 12n));
  });

  test('a guest’s load sets A in both stages, and D where the guest’s own table is updated', () => {
    expect(access('ld a1, 0(a0)', 'VS')).toBe(undefined);
    expect(bed.word(own) & AD).toBe(A);
    expect(bed.word(second(DATA_PA)) & AD).toBe(A);
    expect(bed.word(second(own)) & AD).toBe(AD);
    expect(bed.word(second(root)) & AD).toBe(A);
    expect(access('sd a1, 0(a0)', 'VS')).toBe(undefined);
    expect(bed.word(own) & AD).toBe(AD);
    expect(bed.word(second(DATA_PA)) & AD).toBe(AD);
  });

  test('the guest’s stage goes by henvcfg.ADUE, the second by menvcfg.ADUE', () => {
    bed.setCsr('henvcfg', 0n);
    expect(access('ld a1, 0(a0)', 'VS')).toBe(13n);
    bed.setWord(own, bed.word(own) | AD);
    expect(access('ld a1, 0(a0)', 'VS')).toBe(undefined);
    expect(bed.word(second(DATA_PA)) & AD).toBe(A);
    bed.setCsr('menvcfg', 0n);
    expect(access('sd a1, 0(a0)', 'VS')).toBe(23n);
    bed.setCsr('henvcfg', ADUE);
    bed.setWord(own, bed.word(own) & ~AD);
    expect(access('ld a1, 0(a0)', 'VS')).toBe(13n);
  });

  test.each<[string, bigint, bigint]>([
    ['ld a1, 16(a0)', 21n, 0x3020n],
    ['sd a1, 16(a0)', 23n, 0x3020n],
  ])('%s that cannot write its guest table is a guest-page fault by an implicit write', (instruction, cause, tinst) => {
    bed.setWord(second(own), ppn(own & ~0xfffn) | V | R | X | U | A);
    expect(access(instruction, 'VS')).toBe(cause);
    expect(bed.csr('mtval')).toBe(DATA + 16n);
    expect([bed.csr('mtval2'), bed.csr('mtinst')]).toEqual([own >> 2n, tinst]);
    expect(bed.word(own) & AD).toBe(0n);
  });

  test('without menvcfg.ADUE, a guest table read needs A in the second stage: an implicit read', () => {
    expect(access('ld a1, 0(a0)', 'VS')).toBe(undefined);
    bed.setCsr('menvcfg', 0n);
    bed.setWord(second(own), bed.word(second(own)) & ~AD);
    expect(access('ld a1, 0(a0)', 'VS')).toBe(21n);
    expect([bed.csr('mtval2'), bed.csr('mtinst')]).toEqual([own >> 2n, 0x3000n]);
  });

  test('HLV and HSV set bits as the guest would', () => {
    bed.setCsr('hstatus', 1n << 8n);
    bed.setX('a0', DATA);
    expect(bed.execute('hlv.d a1, (a0)', 'HS', RAM + 0x3000n)).toBe(undefined);
    expect([bed.word(own) & AD, bed.word(second(DATA_PA)) & AD]).toEqual([A, A]);
    expect(bed.execute('hsv.d a1, (a0)', 'HS', RAM + 0x3000n)).toBe(undefined);
    expect([bed.word(own) & AD, bed.word(second(DATA_PA)) & AD]).toEqual([AD, AD]);
  });

  test('a table that maps itself in both stages is updated to the end', () => {
    // The guest's leaf lies in the page of second-stage entries, and is the entry that its own update goes through.
    const shared = bed.map(groot, DATA, 0n, 0n, { gstage: true });
    const page = shared & ~0xfffn;
    bed.setWord(shared, ppn(page) | V | R | W | X | U);
    const table = (bed.word(root + 8n * (DATA >> 30n)) >> 10n) << 12n;
    bed.setWord(table + 8n * ((DATA >> 21n) & 0x1ffn), ppn(DATA) | V);
    expect((shared & 0xfffn) >> 3n).toBe((DATA >> 12n) & 0x1ffn);
    bed.setCsr('vsstatus', 1n << 18n);
    // At DATA the guest stores to the very page of entries. To set its D, the second stage sets the same D first.
    bed.setX('a1', 46n);
    expect(access('sd a1, 8(a0)', 'VS')).toBe(undefined);
    expect(bed.word(shared + 8n)).toBe(46n);
    expect(bed.word(shared)).toBe(ppn(page) | V | R | W | X | U | AD);
  });
});
