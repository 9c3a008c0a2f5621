/** Traps, returns and interrupts in M, HS, VS, VU and U. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Bed, type ModeName, RAM } from './testbed.ts';

const M_VECTOR = RAM + 0x800n;
const HS_VECTOR = RAM + 0x900n;
const VS_VECTOR = RAM + 0xa00n;
const ALL = 0xffff_ffff_ffff_ffffn;
const INTERRUPT = 1n << 63n;

let bed: Bed;
beforeEach(() => {
  bed = new Bed();
  bed.openPmp();
  bed.setCsr('mtvec', M_VECTOR);
  bed.setCsr('stvec', HS_VECTOR);
  bed.setCsr('vstvec', VS_VECTOR);
});

/** Runs one instruction in `mode`; where the hart is afterwards. */
function landing(instruction: string, mode: ModeName): [ModeName, bigint] {
  bed.execute(instruction, mode);
  return [bed.mode(), bed.pc()];
}

describe('delegation', () => {
  test.each<[ModeName, bigint]>([
    ['U', 8n],
    ['VU', 8n],
    ['HS', 9n],
    ['VS', 10n],
    ['M', 11n],
  ])('ecall from %s has cause %s', (mode, cause) => {
    expect(bed.execute('ecall', mode)).toBe(cause);
    expect(bed.csr('mtval')).toBe(0n);
  });

  test('exceptions go to HS by medeleg, on to VS by hedeleg, and never below the mode they come from', () => {
    bed.setCsr('medeleg', ALL);
    bed.setCsr('hedeleg', ALL);
    expect(landing('ecall', 'VU')).toEqual(['VS', VS_VECTOR]);
    expect(landing('ecall', 'VS')).toEqual(['HS', HS_VECTOR]);
    expect(landing('ebreak', 'VS')).toEqual(['VS', VS_VECTOR]);
    expect(landing('ebreak', 'U')).toEqual(['HS', HS_VECTOR]);
    expect(landing('ebreak', 'M')).toEqual(['M', M_VECTOR]);
    bed.setCsr('hedeleg', 0n);
    expect(landing('ebreak', 'VS')).toEqual(['HS', HS_VECTOR]);
  });

  test('the delegation registers have the bits that the manual allows', () => {
    for (const name of ['medeleg', 'hedeleg', 'mideleg', 'hideleg']) bed.setCsr(name, ALL);
    expect(bed.csr('medeleg')).toBe(0xf0b7ffn);
    expect(bed.csr('hedeleg')).toBe(0xb1ffn);
    expect(bed.csr('mideleg')).toBe(0x666n);
    expect(bed.csr('hideleg')).toBe(0x444n);
    bed.setCsr('mideleg', 0n);
    expect(bed.csr('mideleg')).toBe(0x444n);
  });
});

describe('trap entry and return', () => {
  test('a trap to HS from VS saves V in SPV, the privilege in SPP and SPVP; sret goes back', () => {
    bed.setCsr('medeleg', ALL);
    bed.setCsr('sstatus', 2n);
    expect(landing('ecall', 'VS')).toEqual(['HS', HS_VECTOR]);
    expect(bed.csr('hstatus') & 0x1c0n).toBe(0x180n);
    expect(bed.csr('sstatus') & 0x122n).toBe(0x120n); // SPP, SPIE, not SIE
    expect([bed.csr('scause'), bed.csr('sepc')]).toEqual([10n, RAM]);
    bed.program('sret', HS_VECTOR);
    bed.run(1);
    expect([bed.mode(), bed.pc()]).toEqual(['VS', RAM]);
    expect(bed.csr('hstatus') & 0x80n).toBe(0n);
    expect(bed.csr('sstatus') & 0x122n).toBe(0x22n); // SIE back, SPIE set, SPP cleared
  });

  test('a trap to HS from U clears SPV and leaves SPVP', () => {
    bed.setCsr('medeleg', ALL);
    bed.setCsr('hstatus', 0x180n);
    expect(landing('ecall', 'U')).toEqual(['HS', HS_VECTOR]);
    expect(bed.csr('hstatus') & 0x180n).toBe(0x100n);
    expect(bed.csr('sstatus') & 0x100n).toBe(0n);
  });

  test('a trap inside a guest touches neither hstatus nor sstatus nor htval', () => {
    bed.setCsr('medeleg', ALL);
    bed.setCsr('hedeleg', ALL);
    bed.setCsr('htval', 5n);
    bed.setCsr('hstatus', 0x40n);
    bed.setCsr('vsstatus', 2n);
    const sstatus = bed.csr('sstatus');
    expect(landing('ecall', 'VU')).toEqual(['VS', VS_VECTOR]);
    expect([bed.csr('vscause'), bed.csr('vsepc')]).toEqual([8n, RAM]);
    expect(bed.csr('vsstatus') & 0x122n).toBe(0x20n);
    expect([bed.csr('htval'), bed.csr('hstatus') & 0x1c0n, bed.csr('sstatus')]).toEqual([5n, 0x40n, sstatus]);
    bed.program('sret', VS_VECTOR);
    bed.run(1);
    expect([bed.mode(), bed.pc()]).toEqual(['VU', RAM]);
  });

  test('mret goes to MPP and MPV, and clears MPRV unless it stays in M', () => {
    bed.setCsr('mepc', RAM + 0x101n);
    bed.setCsr('mstatus', (1n << 39n) | (1n << 17n) | (1n << 11n) | 0x80n);
    expect(landing('mret', 'M')).toEqual(['VS', RAM + 0x100n]);
    expect(bed.csr('mstatus') & ((1n << 39n) | (1n << 17n) | (3n << 11n) | 0x88n)).toBe(0x88n);
    bed.setCsr('mstatus', (1n << 39n) | (1n << 17n) | (3n << 11n));
    expect(landing('mret', 'M')).toEqual(['M', RAM + 0x100n]); // MPV means nothing for M
    expect(bed.csr('mstatus') & (1n << 17n)).toBe(1n << 17n);
  });

  test('MPP takes no value that is no privilege level', () => {
    bed.setCsr('mstatus', 1n << 11n);
    bed.setCsr('mstatus', 2n << 11n);
    expect(bed.csr('mstatus') & (3n << 11n)).toBe(1n << 11n);
  });

  test('vectored mode adds four bytes per interrupt, not per exception', () => {
    bed.setCsr('mtvec', M_VECTOR | 1n);
    expect(landing('ecall', 'M')).toEqual(['M', M_VECTOR]);
    bed.setCsr('mie', 0x8n);
    bed.core.setHart(0, 'lines', 8n);
    bed.enter('U', RAM);
    bed.run(1);
    expect([bed.pc(), bed.csr('mcause')]).toEqual([M_VECTOR + 12n, INTERRUPT | 3n]);
  });
});

describe('privileged instructions', () => {
  const ILLEGAL = 2n;
  const VIRTUAL = 22n;
  const OK = undefined;
  test.each<[string, ModeName, string, bigint | undefined]>([
    ['', 'HS', 'mret', ILLEGAL],
    ['', 'VS', 'mret', ILLEGAL],
    ['', 'U', 'sret', ILLEGAL],
    ['', 'VU', 'sret', VIRTUAL],
    ['mstatus.TSR', 'HS', 'sret', ILLEGAL],
    ['hstatus.VTSR', 'VS', 'sret', VIRTUAL],
    ['', 'U', 'wfi', ILLEGAL],
    ['', 'VU', 'wfi', VIRTUAL],
    ['', 'VS', 'wfi', OK],
    ['mstatus.TW', 'HS', 'wfi', ILLEGAL],
    ['mstatus.TW', 'VS', 'wfi', ILLEGAL],
    ['hstatus.VTW', 'VS', 'wfi', VIRTUAL],
    ['mstatus.TW', 'M', 'wfi', OK],
    ['', 'U', 'sfence.vma', ILLEGAL],
    ['', 'VU', 'sfence.vma', VIRTUAL],
    ['', 'VS', 'sfence.vma', OK],
    ['mstatus.TVM', 'HS', 'sfence.vma', ILLEGAL],
    ['hstatus.VTVM', 'VS', 'sfence.vma', VIRTUAL],
    ['', 'HS', 'hfence.vvma', OK],
    ['mstatus.TVM', 'HS', 'hfence.vvma', OK],
    ['mstatus.TVM', 'HS', 'hfence.gvma', ILLEGAL],
    ['', 'U', 'hfence.gvma', ILLEGAL],
    ['', 'VS', 'hfence.gvma', VIRTUAL],
    ['mstatus.TVM', 'HS', 'sinval.vma a0, a1', ILLEGAL],
    ['hstatus.VTVM', 'VS', 'sinval.vma a0, a1', VIRTUAL],
    ['', 'VU', 'sinval.vma a0, a1', VIRTUAL],
    ['mstatus.TVM', 'HS', 'hinval.gvma a0, a1', ILLEGAL],
    ['mstatus.TVM', 'HS', 'hinval.vvma a0, a1', OK],
    ['', 'VS', 'hinval.vvma a0, a1', VIRTUAL],
    ['', 'U', 'hinval.gvma a0, a1', ILLEGAL],
    ['mstatus.TVM', 'HS', 'sfence.w.inval', OK],
    ['hstatus.VTVM', 'VS', 'sfence.inval.ir', OK],
    ['', 'U', 'sfence.w.inval', ILLEGAL],
    ['', 'VU', 'sfence.inval.ir', VIRTUAL],
    ['mstatus.TW', 'HS', 'wrs.nto', OK],
    ['hstatus.VTW', 'VS', 'wrs.nto', OK],
    ['', 'VS', 'hlv.d a0, (a1)', VIRTUAL],
    ['', 'U', 'hlv.d a0, (a1)', ILLEGAL],
    ['hstatus.HU', 'U', 'hlv.d a0, (a1)', OK],
    ['', 'HS', 'csrr a0, satp', OK],
    ['mstatus.TVM', 'HS', 'csrr a0, satp', ILLEGAL],
    ['mstatus.TVM', 'HS', 'csrr a0, hgatp', ILLEGAL],
    ['hstatus.VTVM', 'VS', 'csrr a0, satp', VIRTUAL],
    ['mstatus.TVM', 'VS', 'csrr a0, hgatp', VIRTUAL],
    ['mstatus.TVM', 'VU', 'csrr a0, hgatp', VIRTUAL],
    ['mstatus.TVM', 'VU', 'csrr a0, satp', VIRTUAL],
    ['mstatus.TVM', 'VS', 'hfence.gvma', VIRTUAL],
    ['mstatus.TVM', 'VS', 'sfence.vma', OK],
    ['mstatus.TVM', 'HS', 'csrr a0, vsatp', OK],
    ['mstatus.TSR', 'VS', 'sret', OK],
    ['mstatus.TSR', 'VU', 'sret', VIRTUAL],
    ['hstatus.VTSR', 'HS', 'sret', OK],
    ['hstatus.VTVM', 'HS', 'sfence.vma', OK],
    ['hstatus.VTVM', 'HS', 'hfence.vvma', OK],
    ['hstatus.VTVM', 'VU', 'sfence.vma', VIRTUAL],
    ['hstatus.VTW', 'HS', 'wfi', OK],
    ['mstatus.TW', 'VU', 'wfi', ILLEGAL],
    ['', 'VU', 'hfence.vvma', VIRTUAL],
    ['', 'VU', 'hsv.b a0, (a1)', VIRTUAL],
    ['hstatus.HU', 'VU', 'hlv.b a0, (a1)', VIRTUAL],
    ['hstatus.HU', 'U', 'hfence.vvma', ILLEGAL],
    ['', 'VU', 'mret', ILLEGAL],
    ['', 'VS', 'csrr a0, hgeip', VIRTUAL],
    ['', 'VS', 'csrw hgeip, a0', ILLEGAL], // read-only in HS-mode as well
    ['', 'VS', 'csrr a0, senvcfg', OK],
    ['', 'VU', 'csrr a0, senvcfg', VIRTUAL],
    ['', 'VS', 'csrr a0, 0xc80', ILLEGAL], // cycleh: no high halves in RV64
    ['', 'VS', 'csrr a0, 0x615', ILLEGAL], // htimedeltah
    ['', 'VS', 'csrr a0, pmpcfg0', ILLEGAL],
    ['', 'M', 'csrr a0, mstateen0', ILLEGAL],
    ['', 'HS', 'csrr a0, scountovf', ILLEGAL],
    ['mstatus.TVM', 'VS', 'csrr a0, satp', OK],
    ['', 'VS', 'csrr a0, hstatus', VIRTUAL],
    ['', 'VS', 'csrr a0, vsstatus', VIRTUAL],
    ['', 'VU', 'csrr a0, sstatus', VIRTUAL],
    ['', 'U', 'csrr a0, sstatus', ILLEGAL],
    ['', 'VS', 'csrr a0, mstatus', ILLEGAL],
    ['', 'HS', 'csrr a0, mstatus', ILLEGAL],
    ['', 'HS', 'csrr a0, vsatp', OK],
    ['', 'HS', 'csrw hgeip, a0', ILLEGAL],
    ['', 'M', 'csrw mhartid, a0', ILLEGAL],
    ['', 'M', 'csrr a0, 0x7b0', ILLEGAL],
    ['', 'M', 'csrr a0, fcsr', ILLEGAL],
  ])('with %s, %s: %s', (bit, mode, instruction, expected) => {
    const bits: Record<string, [string, bigint]> = {
      'mstatus.TSR': ['mstatus', 1n << 22n],
      'mstatus.TW': ['mstatus', 1n << 21n],
      'mstatus.TVM': ['mstatus', 1n << 20n],
      'hstatus.VTSR': ['hstatus', 1n << 22n],
      'hstatus.VTW': ['hstatus', 1n << 21n],
      'hstatus.VTVM': ['hstatus', 1n << 20n],
      'hstatus.HU': ['hstatus', 1n << 9n],
    };
    const [name, value] = bits[bit] ?? ['mscratch', 0n];
    bed.setCsr(name, value);
    bed.setX('a1', RAM + 0x2000n);
    expect(bed.execute(instruction, mode)).toBe(expected);
    if (expected !== undefined) expect(bed.csr('mtval') & 3n).toBe(3n); // the instruction itself
  });
});

describe('interrupts', () => {
  const SOURCES: Record<string, () => void> = {
    MEI: () => bed.core.setHart(0, 'lines', bed.core.hart(0, 'lines') | (1n << 11n)),
    MSI: () => bed.core.setHart(0, 'lines', bed.core.hart(0, 'lines') | (1n << 3n)),
    MTI: () => bed.core.setHart(0, 'mtimecmp', 0n),
    SEI: () => bed.core.setHart(0, 'lines', bed.core.hart(0, 'lines') | (1n << 9n)),
    SSI: () => bed.setCsr('mip', bed.csr('mip') | 2n),
    STI: () => bed.setCsr('stimecmp', 0n),
    VSEI: () => bed.setCsr('hvip', bed.csr('hvip') | 0x400n),
    VSSI: () => bed.setCsr('hvip', bed.csr('hvip') | 4n),
    VSTI: () => bed.setCsr('vstimecmp', 0n),
  };
  const NUMBERS = { MEI: 11n, MSI: 3n, MTI: 7n, SEI: 9n, SSI: 1n, STI: 5n, VSEI: 10n, VSSI: 2n, VSTI: 6n };
  beforeEach(() => {
    bed.program('nop\nnop\nnop\nj .');
    bed.setCsr('mie', ALL);
    bed.setCsr('menvcfg', 1n << 63n);
    bed.setCsr('henvcfg', 1n << 63n);
  });

  test('are taken in the order MEI MSI MTI SEI SSI STI VSEI VSSI VSTI', () => {
    const order = Object.entries(NUMBERS);
    for (let from = order.length - 1; from >= 0; from--) {
      // Delegated ones rank behind all that go to M: compare S-level ones in HS, guest ones among themselves.
      SOURCES[order[from]![0]]!();
      const [name, number] = order[from]!;
      bed.setCsr('mideleg', name.startsWith('M') ? 0n : 0x222n);
      bed.enter('U', RAM);
      bed.run(1);
      if (name.startsWith('M')) expect(bed.csr('mcause')).toBe(INTERRUPT | number);
      else expect(bed.csr('scause')).toBe(INTERRUPT | number);
    }
  });

  test('of S-level are taken in M when not delegated', () => {
    SOURCES.SEI!();
    bed.enter('VS', RAM);
    bed.run(1);
    expect([bed.mode(), bed.csr('mcause'), bed.csr('mepc')]).toEqual(['M', INTERRUPT | 9n, RAM]);
  });

  test('of a guest go to VS by hideleg under S-level numbers, when vsstatus.SIE or in VU', () => {
    bed.setCsr('hideleg', ALL);
    SOURCES.VSTI!();
    bed.enter('VS', RAM);
    bed.run(1);
    expect(bed.pc()).toBe(RAM + 4n);
    bed.setCsr('vsstatus', 2n);
    bed.enter('VS', RAM);
    bed.run(1);
    expect([bed.mode(), bed.pc(), bed.csr('vscause')]).toEqual(['VS', VS_VECTOR, INTERRUPT | 5n]);
    bed.enter('VU', RAM);
    bed.run(1);
    expect([bed.mode(), bed.csr('vscause')]).toEqual(['VS', INTERRUPT | 5n]);
    // In HS-mode they wait.
    bed.setCsr('sstatus', 2n);
    bed.enter('HS', RAM);
    bed.run(1);
    expect([bed.mode(), bed.pc()]).toEqual(['HS', RAM + 4n]);
  });

  test('that a CSR write, an mret or a store to a device makes due are taken before the next instruction', () => {
    SOURCES.MSI!();
    bed.program('csrsi mstatus, 8\naddi a0, a0, 1');
    bed.setX('a0', 0n);
    bed.enter('M', RAM);
    bed.run(2);
    expect([bed.csr('mepc'), bed.x('a0')]).toEqual([RAM + 4n, 0n]);
    bed.program('mret\naddi a0, a0, 1');
    bed.setCsr('mepc', RAM + 4n);
    bed.setCsr('mstatus', (3n << 11n) | 0x80n);
    bed.enter('M', RAM);
    bed.run(2);
    expect([bed.pc(), bed.csr('mepc'), bed.x('a0')]).toEqual([M_VECTOR, RAM + 4n, 0n]);
    bed.core.setHart(0, 'lines', 0n);
    bed.registers.set = () => {
      SOURCES.MEI!();
      return bed.registers;
    };
    bed.program('sw a0, 0(s0)\naddi a0, a0, 1');
    bed.setX('s0', 0x1000_0000n);
    bed.setCsr('mstatus', 8n);
    bed.enter('M', RAM);
    bed.run(2);
    expect([bed.csr('mcause'), bed.csr('mepc'), bed.x('a0')]).toEqual([INTERRUPT | 11n, RAM + 4n, 0n]);
  });

  test('from a timer come at the very tick at which time reaches the comparator', () => {
    bed.program('loop: addi a0, a0, 1\nj loop');
    bed.core.setHart(0, 'mtimecmp', 3n);
    bed.setCsr('mstatus', 8n);
    bed.enter('M', RAM);
    bed.setX('a0', 0n);
    bed.run(301);
    expect(bed.x('a0')).toBe(150n);
    expect(bed.csr('mcause')).toBe(INTERRUPT | 7n);
  });

  test('wake a waiting hart even when they are not enabled globally', () => {
    bed.program('wfi\naddi a0, a0, 1\nj .');
    bed.setX('a0', 0n);
    bed.enter('M', RAM);
    bed.run(10);
    expect([bed.core.hart(0, 'waiting'), bed.x('a0')]).toEqual([1n, 0n]);
    SOURCES.SSI!();
    bed.run(10);
    expect([bed.core.hart(0, 'waiting'), bed.x('a0'), bed.mode()]).toEqual([0n, 1n, 'M']);
  });

  test('show in sip, vsip and hip as their views say', () => {
    for (const source of ['SEI', 'SSI', 'STI', 'VSEI', 'VSSI', 'VSTI']) SOURCES[source]!();
    expect(bed.csr('mip')).toBe(0x666n);
    expect(bed.csr('sip')).toBe(0n);
    bed.setCsr('mideleg', 0x222n);
    expect(bed.csr('sip')).toBe(0x222n);
    expect(bed.csr('hip')).toBe(0x444n);
    expect(bed.csr('vsip')).toBe(0n);
    bed.setCsr('hideleg', 0x44n);
    expect(bed.csr('vsip')).toBe(0x22n);
    bed.setCsr('vsip', 0n);
    expect(bed.csr('hvip')).toBe(0x400n);
    bed.setCsr('vsie', 0n);
    expect(bed.csr('mie')).toBe(0xaaan | 0x400n);
  });
});
