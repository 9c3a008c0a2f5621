import { describe, expect, it } from 'vitest';
import { assemble } from '../../../engine/index.ts';
import { type Case, encodeBatch } from './case.ts';
import { executable } from './elf.ts';
import { harnessSource } from './harness.ts';
import { HARNESS_AT, PAGE, PAGES, RESULTS_AT, type RecordShape, resultWords } from './layout.ts';
import { startOurs } from './machines.ts';
import { codeAddress, observe } from './observe.ts';
import { PTE, type Stage } from './page-tables.ts';
import { pmpAllows } from './pmp.ts';
import { QUIRKS } from './quirks.ts';
import { decodeResult, without } from './results.ts';
import { unsettled } from './settle.ts';

const shape: RecordShape = {
  setup: ['medeleg', 'satp', 'vsstatus', 'pmpaddr15', 'pmpcfg2', 'mie', 'mepc', 'mstatus'],
  recorded: ['mcause', 'mepc', 'sscratch'],
  floats: true,
};
const { bytes: harness, symbols } = assemble(harnessSource(shape), HARNESS_AT);
const wordOf = (line: string) => new DataView(assemble(line, 0).bytes.buffer).getUint32(0, true);
const x = (values: Record<number, bigint>) => Array.from({ length: 32 }, (_, n) => values[n] ?? 0n);

const caseOf = (lines: readonly string[], registers: Record<number, bigint>): Case => ({
  mode: 'HS',
  slots: lines.map(wordOf),
  offset: 0x100,
  x: x(registers),
  f: [],
  csrs: {},
  satp: undefined,
  vsatp: undefined,
  hgatp: undefined,
  data: [],
});
const start = (its: Case, mtime = 1000) => startOurs(executable(encodeBatch(harness, [its], shape, mtime)));

/** For each quirk that the case meets: its reason's first words, and the slot that would be left out. */
function met(its: Case): string[] {
  const steps = observe(start(its), symbols.get('finish') ?? 0n, codeAddress(its.offset), its.slots.length);
  return steps.flatMap((_, n) =>
    QUIRKS.flatMap(({ reason, culprit }) => {
      const step = culprit(steps, n);
      return step === undefined ? [] : [`${reason.split(' ').slice(0, 3).join(' ')} ${steps[step]?.slot}`];
    }),
  );
}

const RAM = 0x8080_2000n;
const NOWHERE = 1n << 40n;

describe('quirks', () => {
  it('are not met by ordinary code, faults included', () => {
    const lines = [
      'ld x5, 0(x8)',
      'amoadd.d x6, x5, (x8)',
      'lr.d x5, (x8)',
      'sc.d x6, x5, (x8)',
      'sd x5, 0(x9)',
      'ecall',
    ];
    expect(met(caseOf(lines, { 8: RAM, 9: NOWHERE }))).toEqual([]);
  });

  it('are met by the instruction that meets them', () => {
    expect(met(caseOf(['nop', 'amoadd.w x6, x5, (x9)'], { 9: NOWHERE }))).toEqual(['AMO outside RAM: 1']);
    expect(met(caseOf(['nop', 'lw x5, 0(x9)'], { 9: 0x10_1000n }))).toEqual(['devices and ROM 1']);
    expect(met(caseOf(['lw x5, 2(x9)', 'lw x5, 4(x9)', 'lb x5, 1(x9)'], { 9: NOWHERE }))).toEqual([
      'a misaligned load 0',
    ]);
    const own = ['lr.d x5, (x8)', 'sd x6, 0(x8)', 'sc.d x7, x6, (x8)'];
    expect(met(caseOf(own, { 6: 5n, 8: RAM }))).toEqual(['SC compares what 2']);
    expect(met(caseOf(['sc.w x7, x6, (x8)'], { 8: RAM + 1n }))).toEqual(['SC without a 0']);
    expect(met(caseOf(['sd x5, -4(x9)'], { 9: 0x100_0000_1000n }))).toEqual(['the second page 0']);
    const split = { pmpaddr15: (0x8080_3000n >> 2n) | 0x1ffn, pmpcfg2: 0x1fn << 56n };
    expect(met({ ...caseOf(['sd x5, -4(x8)', 'sd x5, 0(x8)'], { 8: 0x8080_3000n }), mode: 'M', csrs: split })).toEqual([
      'what crosses pages 0',
    ]);
    const waits = { ...caseOf(['lr.d x5, (x8)', 'wfi', 'sc.d x7, x6, (x8)'], { 8: RAM }), mode: 'M' } as const;
    expect(met(waits)).toEqual(['WFI between LR 2']);
    expect(met(caseOf(['lr.d x5, (x8)', 'sc.d x7, x6, (x9)'], { 8: RAM, 9: NOWHERE }))).toEqual(['SC to another 1']);
    expect(met(caseOf(['lr.d x5, (x8)', 'sc.d x7, x6, (x9)'], { 8: RAM, 9: RAM + 8n }))).toEqual([]);
    expect(met(caseOf(['csrw sstatus, x5'], { 5: 1n << 32n }))).toEqual(['UXL can be 0']);
  });

  it('are met after a wait, too, and by stores of floating point', () => {
    expect(met({ ...caseOf(['wfi', 'amoadd.w x6, x5, (x9)'], { 9: NOWHERE }), mode: 'M' })).toEqual([
      'AMO outside RAM: 1',
    ]);
    const its = { ...caseOf(['fsd f1, 0(x9)'], { 9: 0x10_1000n }), csrs: { mstatus: 0x6000n } };
    expect(met(its)).toEqual(['devices and ROM 0']);
  });

  it('are met by a register that is zero, not by x0, and not when FS is dirty already', () => {
    const its = (line: string, fs: bigint) => ({ ...caseOf([line], {}), csrs: { mstatus: fs << 13n } });
    expect(met(its('csrrs x5, fcsr, x6', 2n))).toEqual(['setting or clearing 0']);
    expect(met(its('csrrs x5, fcsr, x0', 2n))).toEqual([]);
    expect(met(its('csrrs x5, fcsr, x6', 3n))).toEqual([]);
  });

  it('are met by what changes fcsr without an f register, while FS is not dirty at a level that counts', () => {
    const guest = (line: string, host: bigint, own: bigint, f: readonly bigint[] = []): Case => ({
      ...caseOf([line], {}),
      mode: 'VS',
      f,
      csrs: { mstatus: host << 13n, vsstatus: own << 13n },
    });
    expect(met(guest('csrwi frm, 1', 2n, 2n))).toEqual(['a guest that 0']);
    expect(met(guest('csrwi frm, 1', 2n, 3n))).toEqual(['a guest that 0']);
    expect(met(guest('csrwi frm, 1', 3n, 2n))).toEqual([]);
    expect(met(guest('csrr x5, frm', 2n, 2n))).toEqual([]);
    const compares = 'feq.d x5, f1, f1';
    const signalling = [0n, 0x7ff0_0000_0000_0001n];
    expect(met(guest(compares, 3n, 2n, signalling))).toEqual(['a flag raised 0']);
    expect(met(guest(compares, 2n, 3n, signalling))).toEqual(['a flag raised 0']);
    expect(met(guest(compares, 3n, 3n, signalling))).toEqual([]);
    expect(met(guest(compares, 2n, 2n))).toEqual([]);
    expect(met({ ...guest(compares, 2n, 0n, signalling), mode: 'HS' })).toEqual(['a flag raised 0']);
  });

  it('are met by a jump to a user page that was accessed by SUM, until a fence', () => {
    const USER_PAGE = 2;
    const satp: Stage = {
      mode: 8,
      window: 0x4000_0000n,
      level: 0,
      flags: Array.from({ length: PAGES.count }, (_, n) => PTE.R | PTE.W | PTE.X | (n === USER_PAGE ? PTE.U : 0n)),
      unset: [],
      flaws: [],
    };
    const user = satp.window + BigInt(USER_PAGE * PAGE);
    const jump = 'jalr x1, 0(x9)';
    const of = (lines: readonly string[], at = user, sum = true) => ({
      ...caseOf(lines, { 8: user + 0x800n, 9: at }),
      satp,
      csrs: { mstatus: sum ? 1n << 18n : 0n },
    });
    expect(met(of(['ld x5, 0(x8)', jump]))).toEqual(['a user page 1']);
    expect(met(of(['sd x5, 0(x8)', 'nop', jump]))).toEqual(['a user page 2']);
    expect(met(of(['nop', jump]))).toEqual([]);
    expect(met(of(['ld x5, 0(x8)', 'sfence.vma', jump]))).toEqual([]);
    expect(met(of(['ld x5, 0(x8)', jump], user, false))).toEqual([]);
    expect(met(of(['ld x5, 0(x8)', jump], user + 0x40_0000n))).toEqual([]);
  });

  it('blame a fetch that fails on what came before it', () => {
    expect(met(caseOf(['nop', 'jalr x1, 0(x9)'], { 9: 0x10_0000n }))).toEqual(['devices and ROM 1']);
    // A root table where no RAM is.
    expect(met(caseOf(['csrw satp, x5'], { 5: (8n << 60n) | (NOWHERE >> 12n) }))).toEqual(['page fault instead 0']);
  });
});

describe('endless cases', () => {
  it('keep what has settled, and nothing that goes on changing', () => {
    const its = caseOf(['addi x5, x0, 7', 'addi x6, x6, 1', 'j .-4'], {});
    const changing = unsettled(start(its, 6000), shape.recorded);
    expect([...changing].sort()).toEqual(['mepc', 'x6']);
    const machine = start(its);
    machine.run({});
    const { size } = resultWords(shape);
    const record = new BigUint64Array(machine.readPhysical(RESULTS_AT, size * 8).slice().buffer);
    const result = decodeResult(record, shape);
    if (result.kind !== 'endless') throw new Error(`expected an endless case, not one that is ${result.kind}`);
    const kept = without(result, changing);
    expect(kept.kind === 'endless' && [kept.fields.get('x5'), kept.fields.has('x6')]).toEqual([7n, false]);
    expect(kept.kind === 'endless' && kept.fields.has('trap 0 mepc')).toBe(false);
  });
});

describe('the model of PMP', () => {
  const of =
    (csrs: Record<string, bigint>) =>
    (name: string): bigint =>
      csrs[name] ?? 0n;

  it('matches NA4, NAPOT and TOR, and lets the first match decide', () => {
    const csrs = of({
      pmpcfg0: 0x0f_19_11n,
      pmpaddr0: 0x1000n >> 2n,
      pmpaddr1: (0x1000n >> 2n) | 1n,
      pmpaddr2: 0x2000n >> 2n,
    });
    expect(pmpAllows(csrs, 0x1000n, 4, 'load', false)).toBe(true);
    expect(pmpAllows(csrs, 0x1004n, 4, 'load', false)).toBe(true);
    expect(pmpAllows(csrs, 0x1004n, 4, 'store', false)).toBe(false);
    expect(pmpAllows(csrs, 0x1010n, 4, 'fetch', false)).toBe(true);
    expect(pmpAllows(csrs, 0x2000n, 4, 'load', false)).toBe(false);
    expect(pmpAllows(csrs, 0x2000n, 4, 'load', true)).toBe(true);
  });

  it('forbids an access that an entry matches in part, in every mode', () => {
    const csrs = of({ pmpcfg0: 0x17n, pmpaddr0: 0x1000n >> 2n });
    expect(pmpAllows(csrs, 0x1000n, 8, 'load', true)).toBe(false);
  });
});
