/** Rules of the hypervisor extension, a test each: aliases of interrupt registers, and what traps write. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Bed, type ModeName, PTE, RAM, RWX, SV39 } from './testbed.ts';

const { V, R, A, U } = PTE;
const ALL = 0xffff_ffff_ffff_ffffn;
const INTERRUPT = 1n << 63n;
const CODE = 0x10000n;
const DATA = 0x4000_0000n;
const CODE_PA = RAM + 0x1000n;
const DATA_PA = RAM + 0x2000n;
const FS = 1n << 13n;
const GVA = 1n << 6n;
const SPV = 1n << 7n;
const SPVP = 1n << 8n;

let bed: Bed;
beforeEach(() => {
  bed = new Bed();
  bed.openPmp();
  bed.setCsr('mtvec', RAM + 0x800n);
  bed.setCsr('stvec', RAM + 0x900n);
  bed.setCsr('vstvec', RAM + 0xa00n);
});

describe('interrupt registers', () => {
  test('hip.VSSIP and mip.VSSIP are hvip’s; VSTIP and VSEIP are read-only there', () => {
    for (const name of ['hip', 'mip']) {
      bed.setCsr(name, ALL);
      expect([name, bed.csr('hvip')]).toEqual([name, 4n]);
      bed.setCsr('hvip', 0x444n);
      bed.setCsr(name, 0n);
      expect([name, bed.csr('hvip'), bed.csr('hip')]).toEqual([name, 0x440n, 0x440n]);
      bed.setCsr('hvip', 0n);
    }
  });

  test('vsip.SSIP is hvip’s where hideleg passes it on, and read-only zero elsewhere', () => {
    bed.setX('a1', 0x222n);
    expect(bed.execute('csrw sip, a1', 'VS')).toBe(undefined);
    expect([bed.csr('hvip'), bed.csr('vsip'), bed.csr('sip')]).toEqual([0n, 0n, 0n]);
    bed.setCsr('hideleg', 4n);
    expect(bed.execute('csrw sip, a1', 'VS')).toBe(undefined);
    expect([bed.csr('hvip'), bed.csr('vsip'), bed.csr('sip')]).toEqual([4n, 2n, 0n]);
  });

  test('vsie is hie one bit lower, and mie has both; sie has neither', () => {
    bed.setCsr('mideleg', 0x222n);
    bed.setCsr('hideleg', 0x440n);
    bed.setCsr('vsie', ALL);
    expect([bed.csr('hie'), bed.csr('mie'), bed.csr('sie')]).toEqual([0x440n, 0x440n, 0n]);
    bed.setCsr('hie', 0x44n);
    expect([bed.csr('vsie'), bed.csr('mie')]).toEqual([0x20n, 0x44n]);
    bed.setCsr('sie', ALL);
    expect([bed.csr('sie'), bed.csr('hie'), bed.csr('mie')]).toEqual([0x222n, 0x44n, 0x266n]);
  });

  test('without guest external interrupts hgeip, hgeie and VGEIN are zero, and SGEI cannot be enabled', () => {
    for (const name of ['hgeie', 'hie', 'mie', 'hstatus', 'mideleg']) bed.setCsr(name, ALL);
    expect([bed.csr('hgeip'), bed.csr('hgeie')]).toEqual([0n, 0n]);
    expect((bed.csr('hstatus') >> 12n) & 0x3fn).toBe(0n);
    expect([bed.csr('hie'), bed.csr('mie'), bed.csr('mideleg')].map((value) => value & 0x1000n)).toEqual([0n, 0n, 0n]);
  });

  test('a VS-level interrupt that is not delegated goes to HS under its own number, with htinst and htval zero', () => {
    bed.program('nop\nj .');
    for (const name of ['htinst', 'htval', 'stval']) bed.setCsr(name, 5n);
    bed.setCsr('hvip', 0x400n);
    bed.setCsr('hie', 0x400n);
    bed.enter('VS', RAM);
    bed.run(1);
    expect([bed.mode(), bed.csr('scause'), bed.csr('sepc')]).toEqual(['HS', INTERRUPT | 10n, RAM]);
    expect(['htinst', 'htval', 'stval'].map((name) => bed.csr(name))).toEqual([0n, 0n, 0n]);
    expect(bed.csr('hstatus') & (GVA | SPV | SPVP)).toBe(SPV | SPVP);
  });
});

describe('with two stages', () => {
  let groot: bigint;
  let vroot: bigint;
  const mapGuest = (pa: bigint, flags = RWX | U) => bed.map(groot, pa & ~0xfffn, pa & ~0xfffn, flags, { gstage: true });
  const access = (instruction: string, mode: ModeName, address = DATA) => {
    bed.setX('a0', address);
    bed.execute(instruction, mode, mode === 'HS' ? RAM + 0x3000n : CODE, mode === 'HS' ? RAM + 0x3000n : CODE_PA);
    return ['scause', 'stval', 'htval', 'htinst'].map((name) => bed.csr(name));
  };
  beforeEach(() => {
    groot = bed.tablePages(4n);
    vroot = bed.tablePages();
    bed.map(vroot, CODE, CODE_PA, RWX);
    bed.map(vroot, DATA, DATA_PA, RWX);
    bed.map(vroot, DATA + 0x1000n, DATA_PA + 0x5000n, RWX);
    for (let page = RAM; page < RAM + 0x40_0000n; page += 0x1000n) mapGuest(page);
    bed.setCsr('vsatp', SV39 | (vroot >> 12n));
    bed.setCsr('hgatp', SV39 | (groot >> 12n));
    bed.setCsr('medeleg', ALL);
  });

  test('a guest-page fault of a misaligned access names the page that failed, in stval, htval and the offset', () => {
    bed.setWord(mapGuest(DATA_PA + 0x5000n), 0n);
    const [second, gpa] = [DATA + 0x1000n, DATA_PA + 0x5000n];
    expect(access('lw a1, 0(a0)', 'VS', DATA + 0xffdn)).toEqual([21n, second, gpa >> 2n, 0x2583n | (3n << 15n)]);
    bed.setWord(mapGuest(DATA_PA), 0n);
    expect(access('lw a1, 0(a0)', 'VS', DATA + 0xffdn)).toEqual([
      21n,
      DATA + 0xffdn,
      (DATA_PA + 0xffdn) >> 2n,
      0x2583n,
    ]);
  });

  test.each<[string, bigint, bigint]>([
    ['c.fld fa1, 16(a0)', 21n, 0x3585n],
    ['c.fsd fa1, 16(a0)', 23n, 0x00b0_3025n],
    ['fld fa1, 16(a0)', 21n, 0x3587n],
    ['fsw fa1, 16(a0)', 23n, 0x00b0_2027n],
    ['c.lw a1, 16(a0)', 21n, 0x2581n],
    ['c.sw a1, 16(a0)', 23n, 0x00b0_2021n],
  ])('%s is transformed for htinst', (instruction, cause, transformed) => {
    bed.setCsr('mstatus', FS);
    bed.setCsr('vsstatus', FS);
    bed.setWord(mapGuest(DATA_PA), 0n);
    expect(access(instruction, 'VS')).toEqual([cause, DATA + 16n, (DATA_PA + 16n) >> 2n, transformed]);
  });

  test.each<[string, bigint, bigint]>([
    ['c.fldsp fa1, 16(sp)', 21n, 0x3585n],
    ['c.fsdsp fa1, 16(sp)', 23n, 0x00b0_3025n],
    ['c.ldsp a1, 16(sp)', 21n, 0x3581n],
    ['c.swsp a1, 16(sp)', 23n, 0x00b0_2021n],
  ])('%s is transformed for htinst', (instruction, cause, transformed) => {
    bed.setCsr('mstatus', FS);
    bed.setCsr('vsstatus', FS);
    bed.setX('sp', DATA);
    bed.setWord(mapGuest(DATA_PA), 0n);
    expect(access(instruction, 'VS')).toEqual([cause, DATA + 16n, (DATA_PA + 16n) >> 2n, transformed]);
  });

  test('HLV in HS: SPV stays clear and GVA is set; SPVP is not touched', () => {
    bed.setCsr('hstatus', SPVP);
    bed.setWord(mapGuest(DATA_PA), 0n);
    const [cause, tval, htval] = access('hlv.d a1, (a0)', 'HS');
    expect([cause, tval, htval]).toEqual([21n, DATA, DATA_PA >> 2n]);
    expect(bed.csr('hstatus') & (GVA | SPV | SPVP)).toBe(GVA | SPVP);
  });

  test('HLV in U-mode with HU acts as the guest of SPVP', () => {
    bed.map(vroot, DATA, DATA_PA, RWX | U);
    bed.setWord(DATA_PA, 61n);
    bed.setX('a0', DATA);
    for (const [spvp, expected] of [
      [0n, 61n],
      [SPVP, 0n],
    ] as const) {
      bed.setX('a1', 0n);
      bed.setCsr('hstatus', (1n << 9n) | spvp);
      bed.execute('hlv.d a1, (a0)', 'U', RAM + 0x3000n);
      expect(bed.x('a1')).toBe(expected); // VS-mode reaches no user page without vsstatus.SUM
    }
    bed.setCsr('sstatus', 1n << 18n);
    bed.execute('hlv.d a1, (a0)', 'U', RAM + 0x3000n);
    expect(bed.x('a1')).toBe(0n); // the SUM of HS does not count
    bed.setCsr('vsstatus', 1n << 18n);
    bed.execute('hlv.d a1, (a0)', 'U', RAM + 0x3000n);
    expect(bed.x('a1')).toBe(61n);
  });

  test('a page fault, an access fault and an ecall write zero to htval and clear what was there', () => {
    bed.setWord(mapGuest(DATA_PA), 0n);
    expect(access('ld a1, 0(a0)', 'VS')[2]).toBe(DATA_PA >> 2n);
    expect(access('ld a1, 0(a0)', 'VS', 0x7000_0000n)).toEqual([13n, 0x7000_0000n, 0n, 0x3583n]);
    expect(bed.csr('hstatus') & GVA).toBe(GVA);
    expect(access('ecall', 'VS')).toEqual([10n, 0n, 0n, 0n]);
    expect(bed.csr('hstatus') & GVA).toBe(0n);
    expect(['mtval2', 'mtinst'].map((name) => bed.csr(name))).toEqual([0n, 0n]);
  });

  test('a trap to M leaves htval, htinst and hstatus alone', () => {
    bed.setCsr('medeleg', 0n);
    for (const name of ['htval', 'htinst']) bed.setCsr(name, 9n);
    bed.setCsr('hstatus', SPVP);
    bed.setWord(mapGuest(DATA_PA), 0n);
    expect(access('ld a1, 0(a0)', 'VS').slice(2)).toEqual([9n, 9n]);
    expect(bed.csr('hstatus') & (GVA | SPV | SPVP)).toBe(SPVP);
    expect([bed.csr('mtval2'), bed.csr('mtinst')]).toEqual([DATA_PA >> 2n, 0x3583n]);
  });

  test('guest-page faults never go to VS, page faults do by hedeleg', () => {
    bed.setCsr('hedeleg', ALL);
    bed.setWord(mapGuest(DATA_PA), 0n);
    access('ld a1, 0(a0)', 'VS');
    expect([bed.mode(), bed.csr('scause')]).toEqual(['HS', 21n]);
    bed.map(vroot, DATA, DATA_PA, R | A | V);
    access('sd a1, 0(a0)', 'VS');
    expect([bed.mode(), bed.csr('vscause'), bed.csr('vstval')]).toEqual(['VS', 15n, DATA]);
  });

  test('PMP forbids a guest’s final address and its tables: access faults of the original access, without htval', () => {
    const only = (pa: bigint) => {
      bed.setCsr('pmpaddr0', (pa >> 2n) | 0x1ffn); // NAPOT, 4 KiB
      bed.setCsr('pmpcfg0', 0x1f18n);
      bed.setCsr('pmpaddr1', (1n << 54n) - 1n);
    };
    only(DATA_PA);
    expect(access('sd a1, 0(a0)', 'VS')).toEqual([7n, DATA, 0n, 0x00b0_3023n]);
    only((bed.word(vroot + 8n * (DATA >> 30n)) >> 10n) << 12n);
    expect(access('ld a1, 0(a0)', 'VS')).toEqual([5n, DATA, 0n, 0x3583n]);
    expect(bed.csr('hstatus') & GVA).toBe(GVA);
  });
});

test('MPRV: PMP judges M-mode’s loads as those of MPP, locked entries or not', () => {
  bed.setCsr('pmpaddr0', ((RAM + 0x2000n) >> 2n) | 0x1ffn);
  bed.setCsr('pmpcfg0', 0x1f18n);
  bed.setCsr('pmpaddr1', (1n << 54n) - 1n);
  bed.setX('a0', RAM + 0x2000n);
  const load = (mstatus: bigint) => {
    bed.setCsr('mstatus', mstatus);
    return bed.execute('ld a1, 0(a0)', 'M');
  };
  expect(load(0n)).toBe(undefined);
  expect(load((1n << 17n) | (1n << 11n))).toBe(5n);
  expect(load((1n << 17n) | (3n << 11n))).toBe(undefined);
  expect(load((1n << 17n) | (1n << 39n))).toBe(5n);
});

test('in VS-mode sstatus is vsstatus, and HS-level SUM and MXR are out of reach', () => {
  bed.setX('a1', (1n << 18n) | (1n << 19n));
  const before = bed.csr('mstatus');
  expect(bed.execute('csrs sstatus, a1', 'VS')).toBe(undefined);
  expect(bed.csr('vsstatus') & bed.x('a1')).toBe(bed.x('a1'));
  expect(bed.csr('sstatus') & bed.x('a1')).toBe(0n);
  expect(bed.csr('mstatus') & bed.x('a1')).toBe(before & bed.x('a1'));
});
