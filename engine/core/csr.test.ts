/** Registers with fields of their own will: masks, counters, Sstc, VS-mode's view. */
import { beforeEach, expect, test } from 'vitest';
import { csrByName } from '../isa/index.ts';
import { Bed, RAM } from './testbed.ts';

const ALL = 0xffff_ffff_ffff_ffffn;
const STCE = 1n << 63n;
const PBMTE = 1n << 62n;
const ADUE = 1n << 61n;
let bed: Bed;
beforeEach(() => {
  bed = new Bed();
  bed.openPmp();
  bed.setCsr('mtvec', RAM + 0x800n);
});

test.each(['menvcfg', 'senvcfg', 'henvcfg'])('%s.CBIE never reads as the reserved value 2', (name) => {
  for (const before of [0n, 1n, 3n]) {
    bed.setCsr(name, before << 4n);
    bed.setCsr(name, (2n << 4n) | 0xc1n);
    expect(bed.csr(name) & 0xf1n).toBe((before << 4n) | 0xc1n);
  }
});

test('software that looks for triggers finds none: nothing can be selected, type 0, info 1', () => {
  const found = (name: string) => {
    bed.setX('a0', ALL);
    expect(bed.execute(`csrrw a1, ${name}, a0`, 'M')).toBe(undefined);
    expect(bed.execute(`csrr a1, ${name}`, 'M')).toBe(undefined);
    return bed.x('a1');
  };
  const names = ['tselect', 'tdata1', 'tdata2', 'tdata3', 'tinfo'];
  expect(names.map(found)).toEqual([0n, 0n, 0n, 0n, 1n]);
  for (const mode of ['HS', 'U', 'VS', 'VU'] as const) expect(bed.execute('csrr a1, tselect', mode)).toBe(2n);
  for (const name of ['tcontrol', 'mcontext', 'dcsr']) expect(bed.execute(`csrr a1, ${name}`, 'M')).toBe(2n);
});

test.each<[string, bigint]>([
  ['mstatus', 0x800000ca_007e79aan],
  ['sstatus', 0x80000002_000c6122n],
  ['vsstatus', 0x80000002_000c6122n],
  ['hstatus', 0x00000002_007003c0n],
  ['misa', 0x80000000_001411adn],
  ['mie', 0xeeen],
  ['hie', 0x444n],
  ['hvip', 0x444n],
  ['mip', 0x226n],
  ['mepc', ALL - 1n],
  ['sepc', ALL - 1n],
  ['vsepc', ALL - 1n],
  ['mtvec', RAM + 0x800n],
  ['mcounteren', 0xffff_ffffn],
  ['mcountinhibit', 5n],
  ['menvcfg', STCE | PBMTE | ADUE | 0xf1n],
  ['senvcfg', 0xf1n],
  ['henvcfg', ADUE | 0xf1n], // menvcfg.ADUE is set from reset on, STCE and PBMTE are not
  ['satp', 0n], // mode 15 is reserved
  ['vsatp', 0n],
  ['hgeie', 0n],
  ['hgatp', (0x3fffn << 44n) | 0xffffffffffcn],
  ['pmpaddr5', (1n << 54n) - 1n],
  ['mhpmcounter3', 0n],
  ['mhpmevent31', 0n],
  ['mscratch', ALL],
  ['htimedelta', ALL],
  ['mtval2', ALL],
])('%s keeps of all ones what it has: %s', (name, expected) => {
  bed.setCsr(name, ALL);
  expect(bed.csr(name) & ~(name === 'mip' ? 0x80n : 0n)).toBe(expected);
});

test('exactly these registers exist', () => {
  const numbered = (name: string, from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => `${name}${from + i}`);
  const names = [
    'cycle time instret sstatus sie stvec scounteren senvcfg sscratch sepc scause stval sip stimecmp satp',
    'hstatus hedeleg hideleg hie htimedelta hcounteren hgeie henvcfg htval hip hvip htinst hgatp hgeip',
    'vsstatus vsie vstvec vsscratch vsepc vscause vstval vsip vstimecmp vsatp',
    'mvendorid marchid mimpid mhartid mconfigptr mstatus misa medeleg mideleg mie mtvec mcounteren menvcfg',
    'mcountinhibit mscratch mepc mcause mtval mip mtinst mtval2 mcycle minstret pmpcfg0 pmpcfg2',
    'tselect tdata1 tdata2 tdata3 tinfo',
  ].flatMap((line) => line.split(' '));
  names.push(...numbered('hpmcounter', 3, 31), ...numbered('mhpmcounter', 3, 31));
  names.push(...numbered('mhpmevent', 3, 31), ...numbered('pmpaddr', 0, 15));
  const expected = names.map((name) => csrByName(name)!.number).sort((a, b) => a - b);
  const all = Array.from({ length: 4096 }, (_, number) => number);
  expect(all.filter((number) => bed.execute(`csrr a0, ${number}`, 'M') === undefined)).toEqual(expected);
});

test.each(['satp', 'vsatp', 'hgatp'])('%s takes bare, Sv39, Sv48 and Sv57, and no other mode', (name) => {
  for (let mode = 1n; mode < 16n; mode++) {
    bed.setCsr(name, 4n);
    bed.setCsr(name, (mode << 60n) | 8n);
    const taken = mode >= 8n && mode <= 10n;
    // hgatp's fields are WARL one by one; a write of satp and vsatp is ignored as a whole.
    const ignored = name === 'hgatp' ? 8n : 4n;
    expect([mode, bed.csr(name)]).toEqual([mode, taken ? (mode << 60n) | 8n : ignored]);
  }
});

test('ASIDs have 16 bits, VMIDs 14', () => {
  for (const name of ['satp', 'vsatp', 'hgatp']) bed.setCsr(name, (8n << 60n) | (0xffffn << 44n));
  expect(bed.csr('satp')).toBe((8n << 60n) | (0xffffn << 44n));
  expect(bed.csr('vsatp')).toBe((8n << 60n) | (0xffffn << 44n));
  expect(bed.csr('hgatp')).toBe((8n << 60n) | (0x3fffn << 44n));
});

test('csrrs and csrrc change bits and return the old value; with x0 they do not write', () => {
  bed.setCsr('mscratch', 0b1100n);
  bed.setX('a1', 0b1010n);
  expect(bed.execute('csrrs a0, mscratch, a1', 'M')).toBe(undefined);
  expect([bed.x('a0'), bed.csr('mscratch')]).toEqual([0b1100n, 0b1110n]);
  expect(bed.execute('csrrc a0, mscratch, a1', 'M')).toBe(undefined);
  expect([bed.x('a0'), bed.csr('mscratch')]).toEqual([0b1110n, 0b0100n]);
  expect(bed.execute('csrrs a0, mhartid, zero', 'M')).toBe(undefined);
  expect(bed.execute('csrrs a0, mhartid, a1', 'M')).toBe(2n);
  expect(bed.execute('csrrwi a0, mscratch, 31', 'M')).toBe(undefined);
  expect(bed.csr('mscratch')).toBe(31n);
});

test('the external line shows in mip.SEIP but does not stick when other bits are set', () => {
  bed.core.setHart(0, 'lines', 1n << 9n);
  bed.setX('a1', 2n);
  expect(bed.execute('csrrs a0, mip, a1', 'M')).toBe(undefined);
  expect(bed.x('a0') & 0x200n).toBe(0x200n);
  bed.core.setHart(0, 'lines', 0n);
  expect(bed.csr('mip') & 0x202n).toBe(2n);
});

test('in VS-mode the supervisor registers are the guest’s', () => {
  bed.setX('a1', 0x1234n);
  for (const name of ['stvec', 'sscratch', 'sepc', 'scause', 'stval']) {
    expect(bed.execute(`csrw ${name}, a1`, 'VS')).toBe(undefined);
    expect([name, bed.csr(`v${name}`), bed.csr(name)]).toEqual([name, 0x1234n, 0n]);
  }
});

test('counters are readable below M by mcounteren, hcounteren and scounteren', () => {
  const read = (mode: 'HS' | 'VS' | 'VU' | 'U') => bed.execute('csrr a0, instret', mode);
  expect(['HS', 'VS', 'VU', 'U'].map((m) => read(m as 'HS'))).toEqual([2n, 2n, 2n, 2n]);
  bed.setCsr('mcounteren', 4n);
  expect(['HS', 'VS', 'VU', 'U'].map((m) => read(m as 'HS'))).toEqual([undefined, 22n, 22n, 2n]);
  bed.setCsr('hcounteren', 4n);
  expect(['VS', 'VU', 'U'].map((m) => read(m as 'VS'))).toEqual([undefined, 22n, 2n]);
  bed.setCsr('scounteren', 4n);
  expect(['VU', 'U'].map((m) => read(m as 'VU'))).toEqual([undefined, undefined]);
});

test('performance counters read zero where their enable bits allow, and are nothing to guests where they do not', () => {
  const read = (mode: 'HS' | 'VS' | 'U') => bed.execute('csrr a0, hpmcounter31', mode);
  const modes = ['HS', 'VS', 'U'] as const;
  bed.setX('a1', ALL);
  for (const name of ['mhpmcounter3', 'mhpmevent3', 'mhpmcounter31', 'mhpmevent31']) {
    expect(bed.execute(`csrrw a0, ${name}, a1`, 'M')).toBe(undefined);
    expect(bed.csr(name)).toBe(0n);
  }
  expect(modes.map(read)).toEqual([2n, 2n, 2n]);
  bed.setCsr('mcounteren', 1n << 31n);
  expect(modes.map(read)).toEqual([undefined, 22n, 2n]);
  bed.setCsr('hcounteren', 1n << 31n);
  bed.setCsr('scounteren', 1n << 31n);
  bed.setX('a0', 1n);
  expect(modes.map(read)).toEqual([undefined, undefined, undefined]);
  expect(bed.x('a0')).toBe(0n);
  expect(bed.execute('csrr a0, hpmcounter30', 'HS')).toBe(2n);
  expect(bed.execute('csrw hpmcounter31, a1', 'M')).toBe(2n);
});

test('time is mtime, and a guest sees htimedelta added', () => {
  bed.setCsr('mcounteren', 2n);
  bed.setCsr('hcounteren', 2n);
  bed.setCsr('htimedelta', 1000n);
  bed.core.setMachine('ticks', 12_345n);
  expect(bed.execute('csrr a0, time', 'HS')).toBe(undefined);
  expect(bed.x('a0')).toBe(123n);
  expect(bed.execute('csrr a0, time', 'VS')).toBe(undefined);
  expect(bed.x('a0')).toBe(1123n);
});

test('instret and mcycle count on from what was written, and stand still when inhibited', () => {
  bed.program(`
    csrw minstret, a1
    csrr a2, minstret
    nop
    csrr a3, minstret
    csrwi mcountinhibit, 5
    csrr a4, minstret
    csrr a5, mcycle
    nop
    csrr a6, minstret
    csrr a7, mcycle
    csrwi mcountinhibit, 0
    nop
    csrr s2, minstret
    csrr s3, mcycle
  `);
  bed.setX('a1', 1000n);
  bed.enter('M', RAM);
  bed.run(14);
  const [a2, a3, a4, a5, a6, a7, s2, s3] = ['a2', 'a3', 'a4', 'a5', 'a6', 'a7', 's2', 's3'].map((r) => bed.x(r));
  expect([a2, a3]).toEqual([1000n, 1002n]);
  expect([a4, a5]).toEqual([a6, a7]);
  expect([s2, s3]).toEqual([a6! + 1n, a7! + 3n]);
});

test('stimecmp needs menvcfg.STCE and mcounteren.TM; a guest’s needs henvcfg.STCE and hcounteren.TM too', () => {
  const tryAll = () => [
    bed.execute('csrr a0, stimecmp', 'HS'),
    bed.execute('csrr a0, vstimecmp', 'HS'),
    bed.execute('csrr a0, stimecmp', 'VS'),
  ];
  expect(bed.execute('csrr a0, stimecmp', 'M')).toBe(undefined);
  expect(tryAll()).toEqual([2n, 2n, 2n]);
  bed.setCsr('menvcfg', STCE);
  expect(tryAll()).toEqual([2n, 2n, 2n]);
  bed.setCsr('mcounteren', 2n);
  expect(tryAll()).toEqual([undefined, undefined, 22n]);
  bed.setCsr('henvcfg', STCE);
  expect(tryAll()).toEqual([undefined, undefined, 22n]);
  bed.setCsr('hcounteren', 2n);
  expect(tryAll()).toEqual([undefined, undefined, undefined]);
  bed.setX('a1', 77n);
  expect(bed.execute('csrw stimecmp, a1', 'VS')).toBe(undefined);
  expect(bed.csr('vstimecmp')).toBe(77n);
});

test('mip.STIP belongs to software without Sstc and to the comparator with it', () => {
  bed.setCsr('mip', 0x20n);
  expect(bed.csr('mip') & 0x20n).toBe(0x20n);
  bed.setCsr('menvcfg', STCE);
  expect(bed.csr('mip') & 0x20n).toBe(0n);
  bed.setCsr('stimecmp', 0n);
  expect(bed.csr('mip') & 0x20n).toBe(0x20n);
});

test.each([
  ['STCE', STCE],
  ['PBMTE', PBMTE],
  ['ADUE', ADUE],
])('henvcfg.%s is read-only zero while menvcfg.%s is clear', (_name, bit) => {
  bed.setCsr('menvcfg', 0n);
  bed.setCsr('henvcfg', bit);
  expect(bed.csr('henvcfg')).toBe(0n);
  bed.setCsr('menvcfg', bit);
  bed.setCsr('henvcfg', bit);
  expect(bed.csr('henvcfg')).toBe(bit);
  bed.setCsr('menvcfg', 0n);
  expect(bed.csr('henvcfg')).toBe(0n);
});

test('time, and every comparator with it, follows what mtime was set to', () => {
  bed.setCsr('mcounteren', 2n);
  bed.setCsr('hcounteren', 2n);
  bed.setCsr('htimedelta', 1000n);
  bed.setCsr('menvcfg', STCE);
  bed.setCsr('henvcfg', STCE);
  bed.core.setMachine('ticks', 500n);
  bed.core.setMachine('mtimeOffset', BigInt.asUintN(64, -1_000n));
  expect(bed.execute('csrr a0, time', 'HS')).toBe(undefined);
  expect(bed.x('a0')).toBe(BigInt.asUintN(64, -995n));
  expect(bed.execute('csrr a0, time', 'VS')).toBe(undefined);
  expect(bed.x('a0')).toBe(5n);
  // mtime 10, 9 and guest time 6 in units from the start of the run; each wakes a waiting hart at its own tick.
  bed.core.setHart(0, 'mtimecmp', BigInt.asUintN(64, -990n));
  bed.setCsr('stimecmp', BigInt.asUintN(64, -991n));
  bed.setCsr('vstimecmp', 6n);
  bed.program('wfi\ncsrr a0, mcycle\nj .');
  const wakesAt = (enabled: bigint) => {
    bed.core.setMachine('ticks', 500n);
    bed.setCsr('mie', enabled);
    bed.enter('M', RAM);
    bed.run(10_000);
    return bed.x('a0') - 1n;
  };
  expect([0x80n, 0x20n, 0x40n].map(wakesAt)).toEqual([1000n, 900n, 600n]);
});
