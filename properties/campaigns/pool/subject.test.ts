/** Draws placed in a golden run, and the catalogue of what there is; no machine runs. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { formatFault, parseFault } from '../../../engine/index.ts';
import { findSetup, MEMORY_KINDS, setupNames } from '../injection/index.ts';
import { drawFault } from '../plan/draw.ts';
import { planCampaign } from '../plan/plan.ts';
import type { MemoryTargets } from '../plan/targets.ts';
import type { GoldenWindow } from '../plan/testbed.ts';
import type { FaultClass } from '../types.ts';
import { catalogue, testbed } from './subject.ts';

const targets = (base: number): MemoryTargets => ({
  data: [[base, 100]],
  heap: [
    [base + 0x1000, 10],
    [base + 0x2000, 10],
  ],
  stack: [[base + 0x3000, 100]],
  'frame-table': [[base + 0x4000, 100]],
  'page-table': [[base + 0x5000, 100]],
  'firmware-data': [[base + 0x6000, 100]],
  'firmware-stack': [[base + 0x7000, 100]],
  'pristine-image': [[base + 0x8000, 100]],
  handover: [[base + 0x9000, 100]],
});
const window = (setup: string): GoldenWindow => ({
  setup,
  seed: 1,
  beginTicks: 1_000_000,
  endTicks: 11_000_000,
  endMoment: 5,
  endDigest: '0x1',
  retired: [
    { ticks: 1_000_000, hypervisor: 0, machine: 0 },
    { ticks: 2_000_000, hypervisor: 90, machine: 0 },
    { ticks: 11_000_000, hypervisor: 100, machine: 100 },
  ],
  memory: [
    { ticks: 1_000_000, targets: targets(0x80200000) },
    { ticks: 6_000_000, targets: targets(0x80300000) },
  ],
});

/** The first rows of a cell, as they would be injected. */
function placed(setup: string, fault: FaultClass, rows = 200, options = '') {
  const text = `name: x\ncells: [{ setup: ${setup}, fault: ${fault}, mechanism: none, size: ${rows}${options} }]`;
  const [cell] = planCampaign(text, 'x', catalogue).cells;
  return Array.from({ length: rows }, (_, n) => testbed.place(drawFault(cell!, cell!.options, n), window(setup)));
}

describe('placed draws', () => {
  it.each(['failstop', 'register', 'code', 'memory', 'csr', 'interrupt', 'device'] as const)(
    '%s: strike within the range of the run, at an instruction from 1 to 2001, with a fault that can be written down',
    (fault) => {
      for (const { trigger, fault: what } of placed('1appvm-unixbench', fault)) {
        if (trigger.kind !== 'two-level') throw new Error('another trigger');
        expect(trigger.ticks).toBeGreaterThanOrEqual(2_000_000);
        expect(trigger.ticks).toBeLessThanOrEqual(10_000_000);
        expect(trigger.k).toBeGreaterThanOrEqual(1);
        expect(trigger.k).toBeLessThanOrEqual(2001);
        expect(what.model).toBe(fault);
        expect(parseFault(formatFault(what))).toEqual(what);
      }
    },
  );

  it('of code that is permanent are stuck bits', () => {
    for (const { fault } of placed('compute', 'code-permanent')) {
      expect(fault).toMatchObject({ model: 'code', span: 'window', repair: 'stuck' });
    }
  });

  it('of two faults strike one after the other, with each of the classes asked for', () => {
    const rows = placed('compute', 'two-faults', 300, ', two: { first: [register, csr], second: [memory, failstop] }');
    for (const { trigger, fault, second } of rows) {
      if (trigger.kind !== 'two-level' || second?.trigger.kind !== 'two-level') throw new Error('another trigger');
      const later = second.trigger.ticks - trigger.ticks || second.trigger.k - trigger.k;
      expect(later).toBeGreaterThanOrEqual(0);
      expect(second.trigger.ticks).toBeLessThanOrEqual(10_000_000);
      expect(['register', 'csr']).toContain(fault.model);
    }
    expect(new Set(rows.map(({ second }) => second!.fault.model))).toEqual(new Set(['memory', 'failstop']));
    // The later of two times lies beyond 2/3 of the range on average, the earlier before 1/3.
    const middle = (of: number[]) => of.reduce((sum, one) => sum + one, 0) / of.length;
    const ticks = (of: unknown) => (of as { ticks: number }).ticks;
    expect(Math.abs(middle(rows.map(({ trigger }) => ticks(trigger))) - (2e6 + 8e6 / 3))).toBeLessThan(5e5);
    expect(Math.abs(middle(rows.map(({ second }) => ticks(second!.trigger))) - (2e6 + 16e6 / 3))).toBeLessThan(5e5);
  });

  it('in a recovery strike anywhere in it', () => {
    const shares = placed('compute', 'in-recovery', 1000).map(({ fault, second }) => {
      expect(fault.model).toBe('failstop');
      if (second?.trigger.kind !== 'recovery') throw new Error('another trigger');
      return second.trigger.share / 1e9;
    });
    const tenths = Array.from({ length: 10 }, (_, n) => shares.filter((s) => Math.floor(10 * s) === n).length);
    expect(Math.min(...tenths)).toBeGreaterThan(60);
    expect(Math.max(...tenths)).toBeLessThan(140);
  });

  it('say what memory was drawn from', () => {
    const kinds = placed('compute', 'memory', 300).map(({ memory }) => memory);
    expect(new Set(kinds)).toEqual(new Set(MEMORY_KINDS));
    expect(placed('compute', 'csr').every(({ memory }) => memory === undefined)).toBe(true);
  });

  it('strike each instruction of the modes they are drawn from as often as the next', () => {
    const many = (over: string) => placed('compute', 'failstop', 2000, `, triggers: { over: ${over}, run: [0, 100] }`);
    const hits = (over: string) =>
      many(over).map(({ trigger }) => (trigger.kind === 'two-level' ? trigger : undefined)!);
    for (const { ticks, k, of } of hits('machine'))
      expect([ticks, of, k >= 1 && k <= 100]).toEqual([2e6, 'machine', true]);
    const early = hits('privileged').filter(({ ticks }) => ticks === 1e6);
    // 90 of 200 instructions lie before 2 ms.
    expect(Math.abs(early.length / 2000 - 0.45)).toBeLessThan(0.05);
    expect(new Set(early.map(({ k }) => k))).toEqual(new Set(Array.from({ length: 90 }, (_, n) => n + 1)));
    expect(Math.max(...hits('hypervisor').map(({ ticks, k }) => (ticks === 2e6 ? k : 0)))).toBe(10);
  });

  it('hit memory that is allocated at their time', () => {
    for (const { trigger, fault } of placed('compute', 'memory')) {
      if (trigger.kind !== 'two-level' || fault.model !== 'memory') throw new Error('another kind');
      expect(fault.paddr >= 0x80300000).toBe(trigger.ticks >= 6_000_000);
    }
  });

  it('disturb interrupts of the devices that the set-up has, and fail requests of its disks and networks', () => {
    const lines = (setup: string) =>
      new Set(placed(setup, 'interrupt').map(({ fault }) => (fault.model === 'interrupt' ? fault.line : undefined)));
    expect(lines('1appvm-unixbench')).toEqual(new Set(['ipi', 'timer', 7, 8]));
    expect(lines('compute')).toEqual(new Set(['ipi', 'timer', 10]));
    const devices = new Set(placed('1appvm-unixbench', 'device').map(({ fault }) => formatFault(fault)));
    expect(devices).toEqual(new Set(['device=6,effect=drop-frame', 'device=7,effect=io-error']));
  });
});

describe('the catalogue', () => {
  it('names every set-up, the images that it runs, and their hashes', () => {
    expect(catalogue.setups).toEqual(setupNames());
    for (const setup of catalogue.setups) {
      const { bios, kernel, initrd } = findSetup(setup).config(0);
      for (const image of [bios!, kernel!, initrd!]) {
        expect(catalogue.images(setup)[image.name]).toBe(createHash('sha256').update(image.bytes).digest('hex'));
      }
    }
  });

  it('gives device faults only where there are devices', () => {
    expect(catalogue.faultClasses('compute')).not.toContain('device');
    expect(catalogue.faultClasses('3appvm')).toContain('device');
  });
});
