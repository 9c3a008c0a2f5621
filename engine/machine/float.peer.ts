/**
 * A C program full of floating point prints the same in QEMU and on our machine. Needs Debian's gcc-riscv64-unknown-elf
 * and qemu-system-misc.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { createMachine } from './machine.ts';

const folder = mkdtempSync(`${tmpdir()}/dejavm-float-`);
afterAll(() => rmSync(folder, { recursive: true }));
const elf = `${folder}/float-guest.elf`;
const sourceOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

function compile(optimisation: string): void {
  const target = '-march=rv64imafdc_zicsr -mabi=lp64d -mcmodel=medany -ffreestanding -nostdlib -static'.split(' ');
  const flags = [
    ...target,
    optimisation,
    '-fno-math-errno',
    '-Wl,--build-id=none',
    '-T',
    sourceOf('../subject/guests/guest.ld'),
  ];
  execFileSync('riscv64-unknown-elf-gcc', [...flags, '-o', elf, sourceOf('./peer/float-guest.c'), '-lgcc']);
}

function onQemu(): string {
  const machine = '-M virt -cpu rv64 -m 32 -display none -monitor none -serial stdio'.split(' ');
  return execFileSync('qemu-system-riscv64', [...machine, '-bios', elf], {
    encoding: 'utf8',
    input: '',
    timeout: 900_000,
  });
}

function onOurs(): string {
  let console = '';
  const machine = createMachine({
    harts: 1,
    ramBytes: 32 << 20,
    quantum: { policy: 'fixed', ticks: 1000, seed: 0n },
    bios: { name: 'float-guest', bytes: readFileSync(elf) },
    append: '',
  });
  machine.onEvent = (event) => {
    if (event.kind === 'console') console += String.fromCharCode(event.byte);
  };
  expect(machine.run({ moment: 50_000_000 })).toMatchObject({ kind: 'halted', status: 'pass' });
  return console;
}

test.each(['-O2', '-O0'])('compiled with %s, it prints the same', (optimisation) => {
  compile(optimisation);
  const theirs = onQemu();
  expect(theirs).toContain('exp(1) = 2.71828182845');
  expect(theirs.split('\n').length).toBe(15);
  expect(onOurs()).toBe(theirs);
});
