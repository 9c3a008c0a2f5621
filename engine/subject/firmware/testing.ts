/** Machines on which our firmware starts a small kernel, for tests of its SBI. Used by tests only. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { assemble } from '../../isa/index.ts';
import { createMachine } from '../../machine/machine.ts';
import { testElf } from '../../machine/testing.ts';
import type { Machine, MachineConfig } from '../../machine/types.ts';
import { IMAGES_FOLDER } from '../images/recipes.ts';

export const KERNEL = 0x80200000;
/** Moment at which a run is given up. */
export const LIMIT = 2_000_000;
/** SBI extension identifiers. */
export const EXTENSION = {
  base: 0x10,
  time: 0x54494d45,
  ipi: 0x735049,
  rfence: 0x52464e43,
  hsm: 0x48534d,
  srst: 0x53525354,
};

const bios = { name: 'firmware.elf', bytes: new Uint8Array(readFileSync(`${IMAGES_FOLDER}firmware.elf`)) };

/** A machine of two harts, unless said otherwise, whose firmware starts a program in HS-mode at KERNEL. */
export function kernelConfig(source: string, change: Partial<MachineConfig> = {}): MachineConfig {
  const { bytes } = assemble(source, KERNEL);
  const kernel = { name: 'kernel.elf', bytes: testElf({ entry: KERNEL, segments: [{ paddr: KERNEL, bytes }] }) };
  const quantum = { policy: 'fixed', ticks: 100, seed: 0n } as const;
  return { harts: 2, ramBytes: 8 << 20, quantum, append: '', bios, kernel, ...change };
}

/** Runs until it passes within LIMIT, and once more in other steps, which must make no difference. */
export function runTwice(config: MachineConfig): { machine: Machine; console: string } {
  const machine = createMachine(config);
  let console = '';
  machine.onEvent = (event) => {
    if (event.kind === 'console') console += String.fromCharCode(event.byte);
  };
  const stop = machine.run({ moment: LIMIT });
  const again = createMachine(config);
  while (again.moment < machine.moment && again.run({ moment: again.moment + 1003 }).kind === 'moment');
  expect(again.run({ moment: LIMIT })).toEqual(stop);
  expect(again.digest()).toBe(machine.digest());
  expect(stop).toEqual({ kind: 'halted', status: 'pass', code: 0 });
  return { machine, console };
}
