/**
 * The committed images in QEMU and on our machine: the VMs print the same, with and without a recovery in between.
 * Needs Debian's qemu-system-misc. QEMU's harts are threads of the host, which may leave one of them waiting for tens
 * of milliseconds: the watchdog's period is what the recovery block's patience goes with, and is long here.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createMachine } from '../../machine/machine.ts';
import { IMAGES_FOLDER } from './recipes.ts';

const path = (name: string) => `${IMAGES_FOLDER}${name}.elf`;
const image = (name: string) => ({ name, bytes: readFileSync(path(name)) });

function onQemu(harts: number, append: string): { status: number | null; console: string } {
  const machine = `-M virt -cpu rv64,h=true,sstc=true -smp ${harts} -m 128 -nographic`.split(' ');
  const boot = ['-bios', path('firmware'), '-kernel', path('lazarus'), '-initrd', path('guest-compute')];
  const result = spawnSync('qemu-system-riscv64', [...machine, ...boot, '-append', append], {
    encoding: 'utf8',
    input: '',
    timeout: 900_000,
  });
  if (result.error) throw result.error;
  return { status: result.status, console: result.stdout };
}

function onOurs(harts: number, append: string): string {
  let console = '';
  const machine = createMachine({
    harts,
    ramBytes: 128 << 20,
    quantum: { policy: 'fixed', ticks: 1000, seed: 0n },
    bios: image('firmware'),
    kernel: image('lazarus'),
    initrd: image('guest-compute'),
    append,
  });
  machine.onEvent = (event) => {
    if (event.kind === 'console') console += String.fromCharCode(event.byte);
  };
  expect(machine.run({ moment: 40_000_000 })).toMatchObject({ kind: 'halted', status: 'pass' });
  return console;
}

const outputs = (console: string) =>
  ['vm1: ', 'vm2: '].map((vm) => console.split(/\r?\n/).filter((line) => line.startsWith(vm)));

it.each([
  [1, ''],
  [2, ''],
  [4, ''],
  [2, 'plant=panic@60'],
  [2, 'plant=hang@60'],
  [4, 'plant=timer@9'],
])('QEMU with %i harts agrees: %s', (harts, plant) => {
  const append = `steps=8 watchdog=400000 ${plant}`;
  const qemu = onQemu(harts, append);
  expect(qemu.console).toContain('lazarus: shut down: pass');
  expect(qemu.status).toBe(0);
  const ours = outputs(onOurs(harts, `steps=8 ${plant}`));
  expect(ours[0]).toHaveLength(9);
  expect(outputs(qemu.console)).toEqual(ours);
  expect(qemu.console.includes('resumes its VMs')).toBe(plant !== '');
});
