/**
 * Software that resets the machine, on QEMU and on ours: the same RAM, images and clocks are found. Needs Debian's
 * qemu-system-misc.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createMachine } from './machine.ts';
import { smallConfig } from './testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-power-'));
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * At each start: how often it has started (kept in RAM behind the image), a letter of the image and one of its zeroed
 * memory (both changed before the reset), mtime in seconds, and whether the UART's divisor and the PLIC's priority
 * are as after power-on. (QEMU leaves most CSRs as they were.) The third one is the last.
 */
const PROGRAM = `
    csrr t0, mhartid
    bnez t0, sleep
    li s0, 0x80100000
    li s1, 0x10000000
    li s2, 0x100000
    ld s3, 0(s0)
    addi s3, s3, 1
    sd s3, 0(s0)
    addi a0, s3, 48
    jal ra, print
    la s4, image
    ld a0, 0(s4)
    jal ra, print
    ld a0, 8(s4)
    addi a0, a0, 97
    jal ra, print
    li t0, 0x200bff8
    ld a0, 0(t0)
    li t1, 10000000
    divu a0, a0, t1
    addi a0, a0, 48
    jal ra, print
    li t0, 0x80
    sb t0, 3(s1)
    lbu a0, 1(s1)
    sb zero, 3(s1)
    snez a0, a0
    addi a0, a0, 48
    jal ra, print
    li t0, 0xc000000
    lw a0, 40(t0)
    addi a0, a0, 48
    jal ra, print
    li a0, 10
    jal ra, print
    sd zero, 0(s4)
    sd s4, 8(s4)
    li t0, 5
    li t1, 0xc000000
    sw t0, 40(t1)
    li t0, 0x80
    sb t0, 3(s1)
    li t0, 1
    sb t0, 1(s1)
    sb zero, 3(s1)
    li t0, 0x200bff8
    li t1, 70000000
    sd t1, 0(t0)
    li t0, 3
    beq s3, t0, done
    li t0, 0x7777
    sw t0, 0(s2)
    j .
  done:
    li t0, 0x5555
    sw t0, 0(s2)
    j .
  print:
    sb a0, 0(s1)
    ret
  sleep:
    wfi
    j sleep
    .balign 8
  image:
    .dword 73
    .dword 0
`;

it('finds after a reset what it finds on QEMU', () => {
  const config = smallConfig(PROGRAM, { harts: 2, ramBytes: 128 << 20, reboots: true });
  const file = join(folder, 'resets.elf');
  writeFileSync(file, config.bios!.bytes);
  const arguments_ = '-M virt -smp 2 -m 128 -nographic -bios'.split(' ');
  const { error, status, stdout } = spawnSync('qemu-system-riscv64', [...arguments_, file], {
    encoding: 'utf8',
    input: '',
    timeout: 900_000,
  });
  if (error) throw error;
  expect({ status, stdout }).toEqual({ status: 0, stdout: '1Ia000\n2Ia000\n3Ia000\n' });
  let console = '';
  const machine = createMachine(config);
  machine.onEvent = (event) => {
    if (event.kind === 'console') console += String.fromCharCode(event.byte);
  };
  expect(machine.run({ moment: 1_000_000 })).toEqual({ kind: 'halted', status: 'pass', code: 0 });
  expect(console).toBe(stdout);
});
