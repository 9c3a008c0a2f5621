/** Every bit that traps and returns change in status registers, from every mode, whatever was there before. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Bed, type ModeName, RAM } from './testbed.ts';

const M_VECTOR = RAM + 0x800n;
const HS_VECTOR = RAM + 0x900n;
const VS_VECTOR = RAM + 0xa00n;
const ALL = 0xffff_ffff_ffff_ffffn;

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

const [SIE, MIE, SPIE, MPIE, SPP] = [1n << 1n, 1n << 3n, 1n << 5n, 1n << 7n, 1n << 8n];
const [MPP, MPRV, GVA, MPV] = [3n << 11n, 1n << 17n, 1n << 38n, 1n << 39n];
const [HS_GVA, SPV, SPVP] = [1n << 6n, 1n << 7n, 1n << 8n];
const STACK = SIE | MIE | SPIE | MPIE | SPP | MPP | MPRV | GVA | MPV;
const ORIGINS: readonly (readonly [ModeName, bigint, boolean])[] = [
  ['U', 0n, false],
  ['HS', 1n, false],
  ['M', 3n, false],
  ['VU', 0n, true],
  ['VS', 1n, true],
];
const when = (condition: boolean, bits: bigint) => (condition ? bits : 0n);
/**
 * Status registers before a trap or return: all of what it may change clear, all set, with each MPP, and the enables
 * alone.
 */
const BEFORE = [0n, STACK, STACK & ~MPP, (STACK & ~MPP) | (1n << 11n), SIE | MIE, SPIE | MPIE];
const hasAll = (before: bigint) => (before & GVA) !== 0n;
const status = (name: string, mask: bigint) => bed.csr(name) & mask;
const prepare = (before: bigint) => {
  bed.setCsr('mstatus', before);
  bed.setCsr('vsstatus', before);
  bed.setCsr('hstatus', hasAll(before) ? HS_GVA | SPV | SPVP : 0n);
};

describe.each(BEFORE)('from every mode, with %s in the status registers', (before) => {
  const all = hasAll(before);
  test.each(ORIGINS)('to M from %s', (mode, level, isGuest) => {
    prepare(before);
    expect(landing('ebreak', mode)).toEqual(['M', M_VECTOR]);
    const saved = (level << 11n) | when(isGuest, MPV) | when((before & MIE) !== 0n, MPIE);
    expect(status('mstatus', MPP | MPV | MPIE | MIE | GVA)).toBe(saved);
    expect(status('mstatus', SIE | SPIE | SPP | MPRV)).toBe(before & (SIE | SPIE | SPP | MPRV));
    expect(status('hstatus', HS_GVA | SPV | SPVP)).toBe(when(all, HS_GVA | SPV | SPVP));
    expect(status('vsstatus', SIE | SPIE | SPP)).toBe(before & (SIE | SPIE | SPP));
  });

  test.each(ORIGINS.filter(([mode]) => mode !== 'M'))('to HS from %s', (mode, level, isGuest) => {
    bed.setCsr('medeleg', ALL);
    prepare(before);
    expect(landing('ebreak', mode)).toEqual(['HS', HS_VECTOR]);
    const saved = when(level === 1n, SPP) | when((before & SIE) !== 0n, SPIE);
    expect(status('mstatus', SPP | SPIE | SIE)).toBe(saved);
    // SPVP is the guest's privilege, and keeps its value on traps that do not come from one.
    const spvp = isGuest ? when(level === 1n, SPVP) : when(all, SPVP);
    expect(status('hstatus', HS_GVA | SPV | SPVP)).toBe(when(isGuest, SPV) | spvp);
    const others = MPP | MPV | MPIE | MIE | GVA | MPRV;
    expect(status('mstatus', others)).toBe(before & others);
    expect(status('vsstatus', SIE | SPIE | SPP)).toBe(before & (SIE | SPIE | SPP));
  });

  test.each(ORIGINS.filter(([, , isGuest]) => isGuest))('to VS from %s', (mode, level) => {
    bed.setCsr('medeleg', ALL);
    bed.setCsr('hedeleg', ALL);
    prepare(before);
    expect(landing('ebreak', mode)).toEqual(['VS', VS_VECTOR]);
    expect(status('vsstatus', SPP | SPIE | SIE)).toBe(when(level === 1n, SPP) | when((before & SIE) !== 0n, SPIE));
    expect(status('mstatus', STACK)).toBe(before);
    expect(status('hstatus', HS_GVA | SPV | SPVP)).toBe(when(all, HS_GVA | SPV | SPVP));
  });

  test.each(['M', 'HS', 'VS'] as const)('back from %s', (mode) => {
    for (const name of ['mepc', 'sepc', 'vsepc']) bed.setCsr(name, RAM + 0x100n);
    prepare(before);
    landing(mode === 'M' ? 'mret' : 'sret', mode);
    const level = mode === 'M' ? (before & MPP) >> 11n : (before & SPP) >> 8n;
    const guest = mode === 'VS' || (all && level < 3n);
    const name: Record<string, ModeName> = { 0: guest ? 'VU' : 'U', 1: guest ? 'VS' : 'HS', 3: 'M' };
    const expected = name[`${level}`];
    expect([bed.mode(), bed.pc()]).toEqual([expected, RAM + 0x100n]);
    const popped = SPIE | when((before & SPIE) !== 0n, SIE);
    const own = SPP | SPIE | SIE;
    expect(status('mstatus', own)).toBe(mode === 'HS' ? popped : before & own);
    expect(status('vsstatus', own)).toBe(mode === 'VS' ? popped : before & own);
    expect(status('hstatus', HS_GVA | SPV | SPVP)).toBe(when(all, HS_GVA | SPVP | when(mode !== 'HS', SPV)));
    const higher = MPP | MPV | MPIE | MIE;
    const poppedM = MPIE | when((before & MPIE) !== 0n, MIE);
    expect(status('mstatus', higher)).toBe(mode === 'M' ? poppedM : before & higher);
    // Only a return to M leaves MPRV, and VS-mode's is not its own.
    const keepsMprv = mode === 'VS' || bed.mode() === 'M';
    expect(status('mstatus', MPRV)).toBe(when(keepsMprv, before & MPRV));
  });
});
