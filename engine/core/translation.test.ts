import { beforeEach, describe, expect, test } from 'vitest';
import { Bed, DEVICE, type ModeName, PTE, RAM, RWX, SV39 } from './testbed.ts';

const { V, R, W, X, U, A, D } = PTE;
const CODE = 0x10000n;
const DATA = 0x4000_0000n;
const CODE_PA = RAM + 0x1000n;
const DATA_PA = RAM + 0x2000n;
const ALIGNED_4K = ~0xfffn;

let bed: Bed;
beforeEach(() => {
  bed = new Bed();
  bed.openPmp();
  bed.setCsr('mtvec', RAM + 0x800n);
});

/** Runs one instruction at CODE with a0 = `address`; the exception it took, or undefined. */
function access(instruction: string, mode: ModeName, address: bigint = DATA): bigint | undefined {
  bed.setX('a0', address);
  return bed.execute(instruction, mode, CODE, CODE_PA);
}

describe('Sv39', () => {
  let root: bigint;
  const mapData = (flags: bigint, level = 0n, pa = DATA_PA) => bed.map(root, DATA, pa, flags, { level });
  beforeEach(() => {
    root = bed.tablePages();
    bed.map(root, CODE, CODE_PA, RWX);
    bed.setCsr('satp', SV39 | (root >> 12n));
  });

  test('a mapped page is loaded from and stored to', () => {
    mapData(RWX);
    bed.setWord(DATA_PA + 8n, 42n);
    expect(access('ld a1, 8(a0)', 'HS')).toBe(undefined);
    expect(bed.x('a1')).toBe(42n);
    bed.setX('a1', 7n);
    expect(access('sd a1, 16(a0)', 'HS')).toBe(undefined);
    expect(bed.word(DATA_PA + 16n)).toBe(7n);
    expect(bed.core.translate(0, DATA + 5n, 0)).toBe(DATA_PA + 5n);
  });

  test('superpages map their whole span, and misaligned ones are page faults', () => {
    mapData(RWX, 1n, RAM);
    bed.setWord(RAM + 0x3008n, 42n);
    expect(access('ld a1, 8(a0)', 'HS', DATA + 0x3000n)).toBe(undefined);
    expect(bed.x('a1')).toBe(42n);
    mapData(RWX, 1n, RAM + 0x1000n);
    expect(access('ld a1, 0(a0)', 'HS')).toBe(13n);
    mapData(RWX, 2n, RAM);
    expect(access('ld a1, 8(a0)', 'HS', DATA + 0x3000n)).toBe(undefined);
  });

  test.each<[string, bigint, string, bigint]>([
    ['an invalid entry', 0n, 'ld a1, 0(a0)', 13n],
    ['a load without R', X | A, 'ld a1, 0(a0)', 13n],
    ['a store without W', V | R | A | D, 'sd a1, 0(a0)', 15n],
    ['W without R', V | W | A | D, 'ld a1, 0(a0)', 13n],
    ['a clear A bit', V | R | W | D, 'ld a1, 0(a0)', 13n],
    ['a store with a clear D bit', V | R | W | A, 'sd a1, 0(a0)', 15n],
    ['an atomic with a clear D bit', V | R | W | A, 'amoadd.d a1, a1, (a0)', 15n],
    ['a user page without SUM', V | R | W | A | D | U, 'ld a1, 0(a0)', 13n],
    ['a reserved bit', V | R | W | A | D | (1n << 60n), 'ld a1, 0(a0)', 13n],
  ])('%s is a page fault with the address in mtval (Svade)', (_what, flags, instruction, cause) => {
    bed.setCsr('menvcfg', 0n);
    const entry = mapData(flags);
    bed.setWord(entry, ((DATA_PA >> 12n) << 10n) | flags);
    expect(access(instruction, 'HS')).toBe(cause);
    expect(bed.csr('mtval')).toBe(DATA);
    expect(bed.csr('mepc')).toBe(CODE);
    expect(bed.csr('mtval2')).toBe(0n);
  });

  test('a non-leaf entry with A, D or U set is a page fault', () => {
    mapData(RWX);
    const middle = root + 8n * (DATA >> 30n);
    for (const bit of [A, D, U]) {
      const before = bed.word(middle);
      bed.setWord(middle, before | bit);
      expect(access('ld a1, 0(a0)', 'HS')).toBe(13n);
      bed.setWord(middle, before);
      expect(access('ld a1, 0(a0)', 'HS')).toBe(undefined);
    }
  });

  test('SUM lets S-mode load and store user pages, but never execute them', () => {
    mapData(RWX | U);
    expect(access('ld a1, 0(a0)', 'HS')).toBe(13n);
    bed.setCsr('sstatus', 1n << 18n);
    expect(access('ld a1, 0(a0)', 'HS')).toBe(undefined);
    expect(access('jr a0', 'HS')).toBe(undefined);
    bed.setCsr('mcause', 0n);
    bed.run(1);
    expect(bed.csr('mcause')).toBe(12n);
    expect(bed.csr('mepc')).toBe(DATA);
  });

  test('user mode reaches user pages only', () => {
    bed.map(root, CODE, CODE_PA, RWX | U);
    mapData(RWX);
    expect(access('ld a1, 0(a0)', 'U')).toBe(13n);
    mapData(RWX | U);
    expect(access('ld a1, 0(a0)', 'U')).toBe(undefined);
  });

  test('MXR lets loads read executable pages', () => {
    mapData(X | A);
    expect(access('ld a1, 0(a0)', 'HS')).toBe(13n);
    bed.setCsr('sstatus', 1n << 19n);
    expect(access('ld a1, 0(a0)', 'HS')).toBe(undefined);
  });

  test('MPRV makes M-mode loads translate as MPP would, and not fetches', () => {
    mapData(RWX);
    bed.setCsr('mstatus', (1n << 17n) | (1n << 11n));
    bed.setWord(DATA_PA, 99n);
    bed.setX('a0', DATA);
    expect(bed.execute('ld a1, 0(a0)', 'M')).toBe(undefined);
    expect(bed.x('a1')).toBe(99n);
    bed.setCsr('mstatus', 1n << 17n); // MPP = U: the page is not a user page
    expect(bed.execute('ld a1, 0(a0)', 'M')).toBe(13n);
  });

  test('addresses that are not sign-extended are page faults', () => {
    expect(access('ld a1, 0(a0)', 'HS', 1n << 39n)).toBe(13n);
    expect(access('sd a1, 0(a0)', 'HS', 1n << 63n)).toBe(15n);
    bed.map(root, BigInt.asUintN(39, -0x1000n), DATA_PA, RWX);
    expect(access('ld a1, 0(a0)', 'HS', BigInt.asUintN(64, -0x1000n))).toBe(undefined);
  });

  test('a fetch fault names the page that could not be fetched, and pc', () => {
    bed.enter('HS', DATA + 0xffen);
    bed.run(1);
    expect([bed.csr('mcause'), bed.csr('mtval'), bed.csr('mepc')]).toEqual([12n, DATA + 0xffen, DATA + 0xffen]);
    mapData(RWX);
    bed.core.writeRam(Number(DATA_PA) + 0xffe, Uint8Array.of(0x93, 0x05)); // first half of addi a1, …
    bed.enter('HS', DATA + 0xffen);
    bed.run(1);
    expect([bed.csr('mcause'), bed.csr('mtval'), bed.csr('mepc')]).toEqual([12n, DATA + 0x1000n, DATA + 0xffen]);
  });

  test('a misaligned load across pages combines both; a fault names the second and stores nothing', () => {
    mapData(RWX);
    bed.map(root, DATA + 0x1000n, DATA_PA + 0x3000n, RWX);
    bed.setWord(DATA_PA + 0xff8n, 0x1122334455667788n);
    bed.setWord(DATA_PA + 0x3000n, 0x99aabbccddeeff00n);
    expect(access('ld a1, 0(a0)', 'HS', DATA + 0xffdn)).toBe(undefined);
    expect(bed.x('a1')).toBe(0xbbccddeeff00112233n & 0xffffffffffffffffn);
    bed.map(root, DATA + 0x1000n, DATA_PA, R | A);
    bed.setX('a1', 0n);
    expect(access('sd a1, 0(a0)', 'HS', DATA + 0xffdn)).toBe(15n);
    expect(bed.csr('mtval')).toBe(DATA + 0x1000n);
    expect(bed.word(DATA_PA + 0xff8n)).toBe(0x1122334455667788n);
    // sd a1, 0(a0) with the offset of the faulting byte in place of rs1.
    expect(bed.csr('mtinst')).toBe(0x00b1b023n);
  });

  test('devices are reached aligned; misaligned or absent ones are access faults', () => {
    mapData(RWX, 0n, DEVICE);
    bed.setX('a1', 0x1234n);
    expect(access('sw a1, 4(a0)', 'HS')).toBe(undefined);
    expect(access('lw a2, 4(a0)', 'HS')).toBe(undefined);
    expect(bed.x('a2')).toBe(0x1234n);
    expect(bed.accesses).toEqual(['store 10000004 4', 'load 10000004 4']);
    expect(access('lw a2, 1(a0)', 'HS')).toBe(5n);
    expect(access('amoadd.w a2, a1, (a0)', 'HS')).toBe(7n);
    mapData(RWX, 0n, 0x2000_0000n);
    expect(access('lw a2, 0(a0)', 'HS')).toBe(5n);
    expect(access('sw a2, 0(a0)', 'HS')).toBe(7n);
  });

  test('a page table outside of memory is an access fault of the access', () => {
    const entry = root + 8n * (DATA >> 30n);
    bed.setWord(entry, ((DEVICE >> 12n) << 10n) | V);
    expect(access('ld a1, 0(a0)', 'HS')).toBe(5n);
    expect(access('sd a1, 0(a0)', 'HS')).toBe(7n);
    expect(bed.accesses).toEqual([]);
  });

  test('a satp mode that is not there leaves satp alone', () => {
    const before = bed.csr('satp');
    bed.setCsr('satp', 11n << 60n);
    expect(bed.csr('satp')).toBe(before);
    bed.setCsr('satp', 0n);
    expect(bed.csr('satp')).toBe(0n);
  });
});

describe('Sv39 over Sv39x4', () => {
  /** Guest physical addresses lie this much above physical ones. */
  const OFFSET = 0x1_0000_0000n;
  const guest = (pa: bigint) => pa + OFFSET;
  let groot: bigint;
  let vroot: bigint;
  const mapGuest = (pa: bigint, flags = RWX | U) =>
    bed.map(groot, guest(pa) & ALIGNED_4K, pa & ALIGNED_4K, flags, { gstage: true });
  const mapVirtual = (va: bigint, pa: bigint, flags: bigint) => bed.map(vroot, va, guest(pa), flags, { placed: guest });

  beforeEach(() => {
    groot = bed.tablePages(4n);
    vroot = bed.tablePages();
    mapVirtual(CODE, CODE_PA, RWX);
    mapVirtual(DATA, DATA_PA, RWX);
    for (let page = RAM; page < RAM + 0x40_0000n; page += 0x1000n) mapGuest(page);
    bed.setCsr('vsatp', SV39 | (guest(vroot) >> 12n));
    bed.setCsr('hgatp', SV39 | (5n << 44n) | (groot >> 12n));
  });

  test('both stages translate loads, stores and fetches', () => {
    bed.setWord(DATA_PA, 0x1234n);
    expect(access('ld a1, 0(a0)', 'VS')).toBe(undefined);
    expect(bed.x('a1')).toBe(0x1234n);
    expect(access('sd a0, 8(a0)', 'VS')).toBe(undefined);
    expect(bed.word(DATA_PA + 8n)).toBe(DATA);
  });

  test('a fault of the first stage is a page fault with a guest virtual address', () => {
    mapVirtual(DATA, DATA_PA, X | A);
    expect(access('lw a1, 4(a0)', 'VS')).toBe(13n);
    expect(bed.csr('mtval')).toBe(DATA + 4n);
    expect(bed.csr('mtval2')).toBe(0n);
    expect(bed.csr('mstatus') & (3n << 38n)).toBe(3n << 38n); // GVA, MPV
    expect(bed.csr('mtinst')).toBe(0x00002583n); // lw a1 with neither immediate nor rs1
  });

  test.each<[string, bigint, string, bigint, bigint]>([
    ['load', 0n, 'ld a1, 16(a0)', 21n, 0x00003583n],
    ['store', R | A | U | V, 'sd a1, 16(a0)', 23n, 0x00b03023n],
    ['compressed load', 0n, 'c.ld a1, 16(a0)', 21n, 0x00003581n],
    ['compressed store', 0n, 'c.sd a1, 16(a0)', 23n, 0x00b03021n],
    ['access without U', V | RWX, 'ld a1, 16(a0)', 21n, 0x00003583n],
    ['access without A', V | R | W | X | U | D, 'ld a1, 16(a0)', 21n, 0x00003583n],
  ])('a second-stage fault of a %s is a guest-page fault with gpa >> 2 and the transformed instruction', (...row) => {
    const [, flags, instruction, cause, tinst] = row;
    bed.setCsr('menvcfg', 0n);
    bed.setWord(mapGuest(DATA_PA), flags === 0n ? 0n : ((DATA_PA >> 12n) << 10n) | flags);
    expect(access(instruction, 'VS')).toBe(cause);
    expect(bed.csr('mtval')).toBe(DATA + 16n);
    expect(bed.csr('mtval2')).toBe((guest(DATA_PA) + 16n) >> 2n);
    expect(bed.csr('mtinst')).toBe(tinst);
  });

  test('an atomic keeps its whole encoding but rs1 in mtinst', () => {
    bed.setWord(mapGuest(DATA_PA), 0n);
    expect(access('amoadd.d a2, a1, (a0)', 'VS')).toBe(23n);
    expect(bed.csr('mtinst')).toBe(0x00b0362fn);
  });

  test('a fetch fault of the second stage has cause 20 and no instruction', () => {
    bed.setWord(mapGuest(DATA_PA), ((DATA_PA >> 12n) << 10n) | V | R | A | U);
    bed.enter('VS', DATA + 6n);
    bed.run(1);
    expect(bed.csr('mcause')).toBe(20n);
    expect(bed.csr('mtval2')).toBe((guest(DATA_PA) + 6n) >> 2n);
    expect(bed.csr('mtinst')).toBe(0n);
  });

  test('a second-stage fault on a first-stage table has the table entry’s address and the pseudo-instruction', () => {
    bed.setWord(mapGuest(vroot), 0n);
    expect(access('nop', 'VS')).toBe(20n);
    expect(bed.csr('mtval')).toBe(CODE);
    expect(bed.csr('mtval2')).toBe(guest(vroot) >> 2n);
    expect(bed.csr('mtinst')).toBe(0x3000n);
  });

  describe('reads of guest tables are plain ones in the second stage', () => {
    /** Everything that could make them something else: HS-level MXR, SPVP so that HLV acts as VS-mode. */
    const MXR = 1n << 19n;
    const accesses: [string, ModeName, string, bigint][] = [
      ['a load with MXR', 'VS', 'ld a1, 0(a0)', 21n],
      ['a store with MXR', 'VS', 'sd a1, 0(a0)', 23n],
      ['an atomic with MXR', 'VS', 'amoadd.d a1, a1, (a0)', 23n],
      ['HLV with MXR', 'M', 'hlv.d a1, (a0)', 21n],
      ['HLVX', 'M', 'hlvx.wu a1, (a0)', 21n],
      ['HSV', 'M', 'hsv.d a1, (a0)', 23n],
    ];
    const run = (mode: ModeName, instruction: string) => {
      bed.setX('a0', DATA);
      return mode === 'M' ? bed.execute(instruction, 'M') : access(instruction, mode);
    };
    /** The guest's last table on the way to DATA, which CODE does not share. */
    const tableOfData = () => {
      const middle = (bed.word(vroot + 8n * (DATA >> 30n)) >> 10n) << 12n;
      return ((bed.word(middle - OFFSET) >> 10n) << 12n) - OFFSET;
    };
    beforeEach(() => {
      bed.setCsr('mstatus', MXR);
      bed.setCsr('vsstatus', MXR);
      bed.setCsr('hstatus', 1n << 8n);
    });

    test.each(accesses)('%s needs R there: X alone is a guest-page fault by an implicit read', (...row) => {
      const [, mode, instruction, cause] = row;
      const table = tableOfData();
      mapGuest(table, X | A | D | U);
      expect(run(mode, instruction)).toBe(cause);
      expect([bed.csr('mtval2'), bed.csr('mtinst')]).toEqual([guest(table) >> 2n, 0x3000n]);
    });

    test.each(accesses)('%s needs no more than R there', (_what, mode, instruction) => {
      mapGuest(tableOfData(), R | A | D | U);
      expect(run(mode, instruction)).toBe(undefined);
    });

    test.each(accesses)(
      '%s may set A and D there only with W: else a guest-page fault by an implicit write',
      (...row) => {
        const [, mode, instruction, cause] = row;
        const table = tableOfData();
        mapVirtual(DATA, DATA_PA, R | W | X);
        mapGuest(table, R | X | A | D | U);
        expect(run(mode, instruction)).toBe(cause);
        expect([bed.csr('mtval2'), bed.csr('mtinst')]).toEqual([
          guest(table + 8n * ((DATA >> 12n) & 511n)) >> 2n,
          0x3020n,
        ]);
      },
    );
  });

  test('guest physical addresses above 41 bits are guest-page faults', () => {
    bed.setCsr('vsatp', 0n);
    bed.setX('a0', 1n << 41n);
    expect(bed.execute('ld a1, 0(a0)', 'VS', guest(CODE_PA), CODE_PA)).toBe(21n);
    expect(bed.csr('mtval2')).toBe(1n << 39n);
  });

  test('with vsatp bare, guest virtual addresses are guest physical ones', () => {
    bed.setCsr('vsatp', 0n);
    bed.setWord(DATA_PA, 77n);
    bed.setX('a0', guest(DATA_PA));
    expect(bed.execute('ld a1, 0(a0)', 'VS', guest(CODE_PA), CODE_PA)).toBe(undefined);
    expect(bed.x('a1')).toBe(77n);
  });

  test('vsstatus.MXR counts in the first stage only, sstatus.MXR in both', () => {
    mapVirtual(DATA, DATA_PA, X | A);
    expect(access('ld a1, 0(a0)', 'VS')).toBe(13n);
    bed.setCsr('vsstatus', 1n << 19n);
    expect(access('ld a1, 0(a0)', 'VS')).toBe(undefined);
    mapGuest(DATA_PA, X | A | U);
    expect(access('ld a1, 0(a0)', 'VS')).toBe(21n);
    bed.setCsr('sstatus', 1n << 19n);
    expect(access('ld a1, 0(a0)', 'VS')).toBe(undefined);
  });

  test('hypervisor loads and stores act as the guest of SPVP; HLVX needs X', () => {
    const run = (instruction: string) => {
      bed.setX('a0', DATA);
      return bed.execute(instruction, 'HS', RAM + 0x3000n);
    };
    bed.setWord(DATA_PA, 0xfedcba98n);
    expect(run('hlv.d a1, (a0)')).toBe(13n); // SPVP = 0: VU-mode, but the page is not a user page
    expect(bed.csr('mstatus') & (3n << 38n)).toBe(1n << 38n); // GVA without MPV
    bed.setCsr('hstatus', 1n << 8n);
    expect(run('hlv.d a1, (a0)')).toBe(undefined);
    expect(bed.x('a1')).toBe(0xfedcba98n);
    expect(run('hlv.w a1, (a0)')).toBe(undefined);
    expect(bed.x('a1')).toBe(0xfffffffffedcba98n);
    expect(run('hsv.b a0, (a0)')).toBe(undefined);
    expect(bed.word(DATA_PA)).toBe(0xfedcba00n);
    mapVirtual(DATA, DATA_PA, X | A);
    expect(run('hlvx.wu a1, (a0)')).toBe(undefined);
    expect(run('hlv.wu a1, (a0)')).toBe(13n);
    mapVirtual(DATA, DATA_PA, R | A);
    expect(run('hlvx.wu a1, (a0)')).toBe(13n);
    mapGuest(DATA_PA, X | A | U);
    mapVirtual(DATA, DATA_PA, RWX);
    expect(run('hlvx.wu a1, (a0)')).toBe(undefined);
    expect(run('hlv.wu a1, (a0)')).toBe(21n);
    expect(bed.csr('mtinst') & ~(0x1fn << 15n)).toBe(0x681045f3n & ~(0x1fn << 15n));
  });

  test('HLVX needs memory that PMP lets S-mode read and execute; it faults as a load', () => {
    bed.setCsr('hstatus', 1n << 8n);
    const run = (permissions: bigint) => {
      bed.setCsr('pmpaddr0', DATA_PA >> 2n);
      bed.setCsr('pmpcfg0', 0x1f10n | permissions); // NA4 at the word, and everything else open
      bed.setCsr('pmpaddr1', (1n << 54n) - 1n);
      bed.setX('a0', DATA);
      return [
        bed.execute('hlvx.wu a1, (a0)', 'HS', RAM + 0x3000n),
        bed.execute('hlv.wu a1, (a0)', 'HS', RAM + 0x3000n),
      ];
    };
    expect(run(5n)).toEqual([undefined, undefined]);
    expect(run(1n)).toEqual([5n, undefined]);
    expect(run(4n)).toEqual([5n, 5n]);
  });

  test('MPRV with MPV translates M-mode loads in both stages', () => {
    bed.setWord(DATA_PA, 31n);
    bed.setX('a0', DATA);
    bed.setCsr('mstatus', (1n << 17n) | (1n << 39n) | (1n << 11n));
    expect(bed.execute('ld a1, 0(a0)', 'M')).toBe(undefined);
    expect(bed.x('a1')).toBe(31n);
  });
});
