/** Floating point and the hart around it: off, dirty, guests, fcsr, memory. A sentence each. */
import { beforeEach, describe, expect, test } from 'vitest';
import { CONSTANTS } from './layout/index.ts';
import { Bed, DEVICE, type ModeName, RAM } from './testbed.ts';

const ILLEGAL = 2n;
const LOAD_ACCESS = 5n;
const FS = 3n << 13n;
const SD = 1n << 63n;
const INITIAL = 1n << 13n;
const CLEAN = 2n << 13n;
const DATA = RAM + 0x1000n;
const BOX = 0xffffffff_00000000n;
const ONE = 0x3ff00000_00000000n;

let bed: Bed;
beforeEach(() => {
  bed = new Bed();
  bed.openPmp();
  bed.setCsr('mtvec', RAM + 0x800n);
});

const setFs = (name: 'mstatus' | 'vsstatus', fs: bigint) => bed.setCsr(name, (bed.csr(name) & ~FS) | fs);
const fs = (name: 'mstatus' | 'vsstatus') => bed.csr(name) & FS;
const f = (n: number) => bed.core.hart(0, 'f', n);
const setF = (n: number, bits: bigint) => bed.core.setHart(0, 'f', bits, n);

const ALL = [
  ...['fadd.d f1, f2, f3', 'fsub.s f1, f2, f3', 'fsqrt.d f1, f2', 'fmadd.s f1, f2, f3, f4', 'fmin.d f1, f2, f3'],
  ...['fsgnj.d f1, f2, f3', 'fsgnjx.s f1, f2, f3', 'feq.d a0, f2, f3', 'flt.s a0, f2, f3', 'fclass.d a0, f1'],
  ...['fcvt.w.d a0, f1', 'fcvt.d.w f1, a0', 'fcvt.s.lu f1, a0', 'fcvt.d.s f1, f2', 'fmv.x.d a0, f1', 'fmv.w.x f1, a0'],
  ...['flw f1, 0(a1)', 'fsw f1, 0(a1)', 'fld f1, 0(a1)', 'fsd f1, 0(a1)', 'c.fld fa0, 0(a1)', 'c.fsd fa0, 0(a1)'],
  ...['c.fldsp fa0, 0(sp)', 'c.fsdsp fa0, 0(sp)', 'csrr a0, fflags', 'csrw frm, a0', 'csrr a0, fcsr'],
];

test.each(ALL)('off, it is illegal in every mode and changes nothing: %s', (instruction) => {
  bed.setX('a1', DATA);
  bed.setX('sp', DATA);
  for (const mode of ['M', 'HS', 'U'] as const) {
    setFs('mstatus', 0n);
    bed.setX('a0', 77n);
    expect([mode, bed.execute(instruction, mode)]).toEqual([mode, ILLEGAL]);
    expect([bed.x('a0'), f(1), fs('mstatus')]).toEqual([77n, 0n, 0n]);
  }
});

test.each([
  [0n, FS, 'VS'],
  [FS, 0n, 'VU'],
  [0n, 0n, 'VS'],
] as const)('a guest needs both levels on: mstatus %s, vsstatus %s, in %s', (host, guest, mode) => {
  for (const instruction of ALL) {
    setFs('mstatus', host);
    setFs('vsstatus', guest);
    bed.setX('a1', DATA);
    bed.setX('sp', DATA);
    expect([instruction, bed.execute(instruction, mode as ModeName)]).toEqual([instruction, ILLEGAL]);
  }
});

const WRITERS = ALL.filter((text) => /^\S+ f\w*,/.test(text) && !/^(fs[wd] |c\.fsd|csr)/.test(text));

test.each(WRITERS)('%s makes the state dirty', (instruction) => {
  for (const before of [INITIAL, CLEAN]) {
    bed.setX('a1', DATA);
    bed.setX('sp', DATA);
    setFs('mstatus', before);
    expect(bed.csr('mstatus') & SD).toBe(0n);
    expect(bed.execute(instruction, 'HS')).toBe(undefined);
    expect([fs('mstatus'), bed.csr('mstatus') & SD, bed.csr('sstatus') & SD]).toEqual([FS, SD, SD]);
    setFs('mstatus', before);
    setFs('vsstatus', before);
    expect(bed.execute(instruction, 'VS')).toBe(undefined);
    expect([fs('mstatus'), fs('vsstatus')]).toEqual([FS, FS]);
  }
});

test.each(['fsd f1, 0(a1)', 'c.fsd fa0, 0(a1)', 'fclass.d a0, f1', 'fmv.x.d a0, f1', 'csrr a0, fcsr'])(
  '%s leaves it clean',
  (instruction) => {
    bed.setX('a1', DATA);
    setFs('mstatus', CLEAN);
    expect(bed.execute(instruction, 'HS')).toBe(undefined);
    expect(fs('mstatus')).toBe(CLEAN);
  },
);

const SIGNALLING = 0x7ff00000_00000001n;
/** What changes fcsr and no f register, each from an fcsr of 0. */
const FCSR_CHANGERS = [
  ...['feq.d a0, f1, f1', 'flt.d a0, f1, f2', 'fle.d a0, f2, f1', 'fcvt.w.d a0, f1', 'fcvt.lu.d a0, f1'],
  ...['csrw fcsr, a1', 'csrwi fcsr, 1', 'csrs fcsr, a1', 'csrsi fcsr, 1', 'csrw frm, a1', 'csrwi frm, 1'],
  ...['csrsi frm, 1', 'csrw fflags, a1', 'csrwi fflags, 1', 'csrsi fflags, 1', 'csrrw a0, fflags, a1'],
];

describe.each(FCSR_CHANGERS)('%s changes fcsr', (instruction) => {
  const execute = (mode: ModeName, host: bigint, guest: bigint) => {
    bed.setX('a1', 1n);
    setF(1, SIGNALLING);
    // Last, since a write of fcsr would be what makes it dirty.
    bed.setCsr('fcsr', 0n);
    setFs('mstatus', host);
    setFs('vsstatus', guest);
    expect(bed.execute(instruction, mode)).toBe(undefined);
    expect(bed.csr('fcsr')).not.toBe(0n);
  };

  test.each(['M', 'HS', 'U'] as const)('and makes the state dirty in %s-mode', (mode) => {
    execute(mode, CLEAN, CLEAN);
    expect([fs('mstatus'), fs('vsstatus'), bed.csr('mstatus') & SD]).toEqual([FS, CLEAN, SD]);
  });

  test.each([
    ['VS', CLEAN, CLEAN],
    ['VU', CLEAN, CLEAN],
    ['VS', FS, CLEAN],
    ['VS', CLEAN, FS],
    ['VU', INITIAL, CLEAN],
  ] as const)('and makes both levels dirty in %s-mode, from mstatus %s and vsstatus %s', (mode, host, guest) => {
    execute(mode, host, guest);
    expect([fs('mstatus'), fs('vsstatus')]).toEqual([FS, FS]);
    expect([bed.csr('sstatus') & SD, bed.csr('vsstatus') & SD]).toEqual([SD, SD]);
  });
});

test('a comparison or conversion whose flag is set already changes nothing', () => {
  for (const instruction of ['feq.d a0, f1, f1', 'fcvt.w.d a0, f1']) {
    bed.setCsr('fcsr', 16n);
    setFs('mstatus', CLEAN);
    setF(1, SIGNALLING);
    expect(bed.execute(instruction, 'HS')).toBe(undefined);
    expect(fs('mstatus')).toBe(CLEAN);
  }
});

test('a load that traps leaves register and status as they were', () => {
  setFs('mstatus', CLEAN);
  setF(1, 5n);
  bed.setX('a1', 0x4000_0000n);
  expect(bed.execute('fld f1, 0(a1)', 'M')).toBe(LOAD_ACCESS);
  expect([f(1), fs('mstatus')]).toEqual([5n, CLEAN]);
});

test('fflags and frm are views of fcsr; a write makes the state dirty', () => {
  setFs('mstatus', INITIAL);
  bed.setX('a0', 0xfffn);
  expect(bed.execute('csrw fcsr, a0', 'U')).toBe(undefined);
  expect(fs('mstatus')).toBe(FS);
  expect([bed.csr('fcsr'), bed.csr('frm'), bed.csr('fflags')]).toEqual([0xffn, 7n, 31n]);
  bed.setX('a0', 0x42n);
  bed.execute('csrw fflags, a0', 'U');
  expect(bed.csr('fcsr')).toBe(0xe2n);
  bed.execute('csrw frm, a0', 'U');
  expect(bed.csr('fcsr')).toBe(0x42n);
});

test('a reserved rounding mode is illegal, written in the instruction or in frm, also where nothing rounds', () => {
  setFs('mstatus', FS);
  setF(1, ONE);
  for (const [frm, rm, cause] of [
    [0, 5, ILLEGAL],
    [0, 6, ILLEGAL],
    [5, 7, ILLEGAL],
    [7, 7, ILLEGAL],
    [6, 0, undefined],
  ] as const) {
    for (const base of [0x02108153, 0x42008153 & ~0x7000, 0xd2008153, 0xc20080d3]) {
      bed.setCsr('fcsr', (BigInt(frm) << 5n) | 1n);
      expect([frm, rm, bed.execute(`.word ${(base | (rm << 12)) >>> 0}`, 'U')]).toEqual([frm, rm, cause]);
    }
  }
});

test('a reserved mode in frm does no harm to what does not round', () => {
  setFs('mstatus', FS);
  bed.setCsr('fcsr', 7n << 5n);
  expect(bed.execute('fmin.d f1, f2, f3', 'U')).toBe(undefined);
  expect(bed.execute('fsgnj.d f1, f2, f3', 'U')).toBe(undefined);
});

test.each([FS, CLEAN])('loads and moves of singles box them, stores and moves out ignore the box (FS %s)', (status) => {
  bed.setX('a1', DATA);
  bed.setWord(DATA, 0x11223344_c0490fdbn);
  const run = (instruction: string) => {
    setFs('mstatus', status);
    expect(bed.execute(instruction, 'M')).toBe(undefined);
  };
  run('flw f1, 0(a1)');
  expect(f(1)).toBe(BOX | 0xc0490fdbn);
  bed.setX('a0', 0x12345678_9abcdef0n);
  run('fmv.w.x f2, a0');
  expect(f(2)).toBe(BOX | 0x9abcdef0n);
  setF(3, 0x01234567_89abcdefn);
  run('fsw f3, 4(a1)');
  expect(bed.word(DATA)).toBe(0x89abcdef_c0490fdbn);
  run('fmv.x.w a0, f3');
  expect(bed.x('a0')).toBe(0xffffffff_89abcdefn);
});

test('a misaligned double, one in a device, and 16-bit forms', () => {
  setFs('mstatus', FS);
  bed.setX('a1', DATA + 0xffcn);
  setF(10, 0x01234567_89abcdefn);
  bed.execute('c.fsd fa0, 0(a1)', 'M');
  expect(bed.word(DATA + 0x1000n) & 0xffffffffn).toBe(0x01234567n);
  bed.execute('c.fld fa1, 0(a1)', 'M');
  expect(f(11)).toBe(0x01234567_89abcdefn);
  bed.setX('a1', DEVICE);
  bed.execute('fsd fa0, 8(a1)', 'M');
  bed.execute('fld fa2, 8(a1)', 'M');
  expect(f(12)).toBe(0x01234567_89abcdefn);
  bed.setX('sp', DATA);
  bed.execute('c.fsdsp fa2, 504(sp)', 'M');
  bed.execute('c.fldsp ft0, 504(sp)', 'M');
  expect(f(0)).toBe(0x01234567_89abcdefn);
});

test('flags that are set already never change how a dynamic mode rounds', () => {
  // 1.75 to an integer, and 1 + 2^-60 to a double, by frm: to nearest, to zero, down, up, to nearest away.
  const rounded = [2n, 1n, 1n, 2n, 2n];
  const sums = [ONE, ONE, ONE, ONE + 1n, ONE];
  for (const [frm, integer] of rounded.entries()) {
    for (let flags = 0n; flags < 32n; flags++) {
      setFs('mstatus', FS);
      setF(2, 0x3ffc0000_00000000n);
      setF(3, ONE);
      setF(4, 0x3c300000_00000000n);
      bed.setCsr('fcsr', (BigInt(frm) << 5n) | flags);
      expect(bed.execute('fcvt.l.d a0, f2', 'M')).toBe(undefined);
      bed.execute('fadd.d f1, f3, f4', 'M');
      expect([frm, flags, bed.x('a0'), f(1)]).toEqual([frm, flags, integer, sums[frm]]);
    }
  }
});

test('a program that turns NX off and on again goes on exactly, however its run is cut', () => {
  const source = `
    li t0, 0x6000
    csrs mstatus, t0
    li a0, 3
    fcvt.d.w f1, a0
    li s0, 40
  loop:
    fcvt.d.w f2, s0
    fdiv.d f3, f2, f1
    fadd.d f4, f4, f3
    fmul.d f5, f4, f3
    fsqrt.d f6, f5
    fcvt.s.d f7, f6
    andi t1, s0, 3
    bnez t1, next
    frflags t2
    add s1, s1, t2
    fsflags zero
    csrwi frm, 2
    fdiv.d f8, f3, f5
    csrwi frm, 0
  next:
    addi s0, s0, -1
    bnez s0, loop
  end: j end`;
  const states = [1, 7, 1000].map((cut) => {
    const its = new Bed();
    its.program(source);
    its.enter('M', RAM);
    for (let done = 0; done < 1000; done += cut) {
      its.core.arch.flushDerived();
      expect(its.run(Math.min(cut, 1000 - done))).toBe(CONSTANTS.STOP_TICKS);
    }
    expect(its.x('s1')).toBe(10n);
    return its.state();
  });
  expect(Buffer.compare(states[0] as Uint8Array, states[2] as Uint8Array)).toBe(0);
  expect(Buffer.compare(states[1] as Uint8Array, states[2] as Uint8Array)).toBe(0);
});
