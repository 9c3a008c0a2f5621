/**
 * Executables as GNU ld makes them, with and without a linker script, on QEMU and on our machine: both load the same
 * and start at the same place. Needs Debian's binutils-riscv64-unknown-elf and qemu-system-misc.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { IMAGES_FOLDER } from '../../subject/images/recipes.ts';
import { createMachine } from '../machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-elf-'));
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * Prints a letter that says where it was entered, one that was loaded as data, and one from memory that must be zero.
 */
const SOURCE = `
  .option norelax
  .globl lowest, entry
lowest:
  li t1, 'L'
  j 1f
entry:
  li t1, 'E'
1:
  li t0, 0x10000000
  sb t1, 0(t0)
  la t2, word
  COPY
  ld t1, 0(t2)
  sb t1, 0(t0)
  la t2, zero
  lb t1, 0(t2)
  addi t1, t1, 'Z'
  sb t1, 0(t0)
  li t0, 0x100000
  li t1, 0x5555
  sw t1, 0(t0)
2: j 2b
  .data
word: .dword 'D'
  .bss
zero: .space 0x100
`;
/** Copies the data to where they are linked to run, behind each other in ROM as they are. */
const COPIES = `
  la t3, packed
  ld t3, 0(t3)
  sd t3, 0(t2)
`;
const HIGH = `
ENTRY(entry)
SECTIONS {
  . = 0xffffffff80200000;
  .text : AT(0x80200000) { *(.text) }
  . = 0xffffffff80202000;
  .data : AT(0x80202000) { *(.data) }
  . = 0xffffffff80203000;
  .bss : AT(0x80203000) { *(.bss) }
}
`;
const PACKED = `
ENTRY(lowest)
MEMORY { rom : ORIGIN = 0x80000000, LENGTH = 64K  ram : ORIGIN = 0x80010000, LENGTH = 64K }
SECTIONS {
  .text : { *(.text) . = ALIGN(8); } > rom
  packed = LOADADDR(.data);
  .data : { *(.data) } > ram AT > rom
  .bss : { *(.bss) } > ram AT > rom
  .more : { QUAD(77) } > ram AT > rom
}
`;

/** Links the source; `script` undefined: with the linker's own. */
function link(name: string, options: readonly string[], script?: string): string {
  const file = (suffix: string) => join(folder, `${name}.${suffix}`);
  writeFileSync(file('s'), SOURCE.replace('COPY', script === PACKED ? COPIES : ''));
  execFileSync('riscv64-unknown-elf-as', ['-o', file('o'), file('s')]);
  if (script !== undefined) writeFileSync(file('ld'), script);
  const scripted = script === undefined ? [] : ['-T', file('ld')];
  execFileSync('riscv64-unknown-elf-ld', [...options, ...scripted, '--no-warnings', '-o', file('elf'), file('o')]);
  return file('elf');
}

function onQemu(bios: string, kernel: string | undefined): { status: number | null; console: string } {
  const machine = '-M virt -cpu rv64,h=true,sstc=true -m 128 -nographic'.split(' ');
  const images = ['-bios', bios, ...(kernel === undefined ? [] : ['-kernel', kernel])];
  const { error, status, stdout } = spawnSync('qemu-system-riscv64', [...machine, ...images], {
    encoding: 'utf8',
    input: '',
    timeout: 900_000,
  });
  if (error) throw error;
  return { status, console: stdout.replace(/^firmware: .*\n/, '') };
}

function onOurs(bios: string, kernel: string | undefined): string {
  const read = (name: string) => ({ name, bytes: new Uint8Array(readFileSync(name)) });
  let console = '';
  const machine = createMachine({
    harts: 1,
    ramBytes: 128 << 20,
    quantum: { policy: 'fixed', ticks: 1000, seed: 0n },
    append: '',
    ...(bios !== 'none' && { bios: read(bios) }),
    ...(kernel !== undefined && { kernel: read(kernel) }),
  });
  machine.onEvent = (event) => {
    if (event.kind === 'console') console += String.fromCharCode(event.byte);
  };
  expect(machine.run({ moment: 1_000_000 })).toEqual({ kind: 'halted', status: 'pass', code: 0 });
  return console.replace(/^firmware: .*\n/, '');
}

const TEXT_AT_RAM = ['-Ttext=0x80000000', '-e', 'entry'];
const FIRMWARE = `${IMAGES_FOLDER}firmware.elf`;

it.each<[string, string, readonly string[], string | undefined, string | undefined]>([
  ['as firmware, headers below RAM', 'plain', TEXT_AT_RAM, undefined, undefined],
  ['as a kernel without firmware, headers below RAM', 'bare', TEXT_AT_RAM, undefined, 'none'],
  ['as firmware, headers and notes below RAM', 'noted', [...TEXT_AT_RAM, '--build-id'], undefined, undefined],
  ['as a kernel of the higher half', 'high', [], HIGH, FIRMWARE],
  ['with data packed behind the code, to be copied', 'packed', [], PACKED, undefined],
])('%s', (_what, name, options, script, below) => {
  const file = link(name, options, script);
  const [bios, kernel] = below === undefined ? [file, undefined] : [below, file];
  const qemu = onQemu(bios, kernel);
  expect(qemu).toEqual({ status: 0, console: 'LDZ' });
  expect(onOurs(bios, kernel)).toBe(qemu.console);
});
