import { expect, test } from 'vitest';
import { createCore } from './core.ts';
import { CONSTANTS } from './layout/index.ts';
import { Bed, RAM } from './testbed.ts';

const { STOP_MOMENT, STOP_TICKS, STOP_IDLE, STOP_HALTED } = CONSTANTS;

test('a fresh core is in the reset state of the manual and at the boot ROM', () => {
  const bed = new Bed({ harts: 2 });
  expect(bed.pc(1)).toBe(0x1000n);
  expect(bed.mode(1)).toBe('M');
  expect(bed.csr('mhartid', 1)).toBe(1n);
  expect(bed.csr('mstatus')).toBe((2n << 32n) | (2n << 34n));
  expect(bed.csr('mideleg')).toBe(0x444n);
});

test('sizes that no machine has are refused', () => {
  const imports = { mmioLoad: () => 0, mmioStore: () => 0, deviceTick: () => {} };
  expect(() => createCore({ ramBytes: 4096, hartCount: 9, imports })).toThrow(/9 harts/);
  expect(() => createCore({ ramBytes: 1000, hartCount: 1, imports })).toThrow(/multiple of 4096/);
});

test('saved ranges are those of the layout, and no two overlap', () => {
  const ranges = new Bed({ harts: 4 }).core.savedRanges();
  expect(ranges.map((r) => r.name)).toEqual(['machine', 'hart0', 'hart1', 'hart2', 'hart3']);
  for (const [i, a] of ranges.entries()) {
    for (const b of ranges.slice(i + 1)) expect(a.address + a.bytes <= b.address).toBe(true);
  }
});

test('code runs from the boot ROM, which can be read but not written', () => {
  const bed = new Bed();
  const rom = bed.core.machineNumber('romHost');
  new Uint32Array(bed.core.memory.buffer, rom, 4).set([0x00000297, 0x0002b303, 0x0062b023]); // auipc; ld; sd
  bed.setCsr('mtvec', RAM);
  bed.run(2);
  expect(bed.x('t1')).toBe(0x0002b30300000297n);
  bed.run(1);
  expect(bed.csr('mcause')).toBe(7n);
  expect(bed.csr('mtval')).toBe(0x1000n);
  expect(bed.csr('mepc')).toBe(0x1008n);
});

test('run stops right after the instruction that reaches the moment, or at the tick', () => {
  const bed = new Bed();
  bed.program('nop\nnop\necall\nnop');
  bed.enter('M', RAM);
  bed.setCsr('mtvec', RAM + 0x100n);
  bed.core.setMachine('stopMoment', 2n);
  bed.core.setMachine('stopTicks', 100n);
  expect(bed.core.arch.run()).toBe(STOP_MOMENT);
  expect(bed.pc()).toBe(RAM + 8n);
  expect(bed.core.arch.run()).toBe(STOP_MOMENT);
  expect(bed.run(1)).toBe(STOP_TICKS);
  // The trap took a tick and retired nothing.
  expect(bed.core.machine('ticks')).toBe(3n);
  expect(bed.core.machine('moment')).toBe(2n);
  expect(bed.csr('mcause')).toBe(11n);
});

test('a hart whose trap vector faults for ever spends ticks, and the others go on', () => {
  const bed = new Bed({ harts: 2 });
  bed.program('loop: addi a0, a0, 1\nj loop');
  bed.enter('M', RAM, 1);
  bed.enter('M', 0n, 0);
  expect(bed.run(100_000)).toBe(STOP_TICKS);
  expect(bed.core.machine('ticks')).toBe(100_000n);
  expect(bed.core.hart(0, 'instret')).toBe(0n);
  expect(bed.core.hart(1, 'instret')).toBe(50_000n);
});

test('a machine whose harts all wait for nothing is idle', () => {
  const bed = new Bed({ harts: 2 });
  bed.program('wfi\nj .');
  bed.enter('M', RAM, 0);
  bed.enter('M', RAM, 1);
  expect(bed.run(1000)).toBe(STOP_IDLE);
  expect(bed.core.machine('ticks')).toBe(2n);
  // Hart 1 had the last turn.
  expect([bed.core.arch.peekNext(), bed.core.machine('mmioData')]).toEqual([0, RAM + 4n]);
  expect(bed.core.arch.timerAhead()).toBe(0);
});

test('waiting harts skip to the timer that wakes one, without passing a stop on the way', () => {
  const bed = new Bed();
  bed.program('wfi\naddi a0, a0, 1\nj .');
  bed.enter('M', RAM);
  bed.setCsr('mie', 1n << 7n);
  bed.core.setHart(0, 'mtimecmp', 50n);
  expect(bed.run(3000)).toBe(STOP_TICKS);
  expect(bed.core.machine('ticks')).toBe(3000n);
  expect(bed.core.hart(0, 'waiting')).toBe(1n);
  expect(bed.run(2001)).toBe(STOP_TICKS);
  expect(bed.core.machine('ticks')).toBe(5001n);
  expect(bed.x('a0')).toBe(1n);
});

test('a device deadline is kept to the tick, and a halt stops the run', () => {
  const bed = new Bed();
  bed.program('loop: addi a0, a0, 1\nj loop');
  bed.enter('M', RAM);
  const seen: bigint[] = [];
  bed.onDeadline = () => {
    seen.push(bed.core.machine('ticks'));
    bed.core.setMachine('deviceDeadline', seen.length < 3 ? bed.core.machine('ticks') + 700n : -1n);
    if (seen.length === 3) bed.core.setMachine('haltCode', 1n);
  };
  bed.core.setMachine('deviceDeadline', 333n);
  expect(bed.run(100_000)).toBe(STOP_HALTED);
  expect(seen).toEqual([333n, 1033n, 1733n]);
  // Each time that the devices act takes a tick.
  expect(bed.core.machine('ticks')).toBe(1734n);
  expect(bed.core.machine('moment')).toBe(1731n);
  expect(bed.x('a0')).toBe(866n);
});
