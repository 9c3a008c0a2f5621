/**
 * The guest with drivers of its own on QEMU and on our machine, with the same flags: what it prints and what it leaves
 * on the disk is the same, so slots, interrupts, both devices and even the gateway's address are where QEMU has them.
 * Needs Debian's qemu-system-misc. QEMU writes to the image; ours does not.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createMachine } from './machine.ts';
import { program, smallConfig } from './testing.ts';
import { DRIVERS, LOW_WORD_DRIVERS } from './virtio-guest-testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-virtio-'));
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ['virtio drivers', DRIVERS],
  ['drivers that write the low word of the features only', LOW_WORD_DRIVERS],
])('a guest with %s cannot tell our machine from QEMU', (_what, source) => {
  const image = new Uint8Array(8192);
  image.set(new TextEncoder().encode('some bytes of content, '.repeat(20)), 512);
  const [guest, disk] = [join(folder, 'guest.elf'), join(folder, 'disk.img')];
  writeFileSync(guest, program(source).bytes);
  writeFileSync(disk, image);
  const words = '-M virt -nographic -global virtio-mmio.force-legacy=false -device virtio-blk-device,drive=d0';
  const network = '-netdev user,id=n0 -device virtio-net-device,netdev=n0';
  const files = ['-bios', guest, '-drive', `file=${disk},format=raw,if=none,id=d0`];
  const qemu = spawnSync('qemu-system-riscv64', [...`${words} ${network}`.split(' '), ...files], {
    input: '',
    timeout: 900_000,
  });
  if (qemu.error) throw qemu.error;

  const printed: number[] = [];
  const machine = createMachine(
    smallConfig(source, {
      virtio: [
        { kind: 'block', slot: 7, image: { name: 'disk.img', bytes: image }, readOnly: false, serial: '' },
        { kind: 'net', slot: 6, mac: '52:54:00:12:34:56', cable: 'switch' },
      ],
    }),
  );
  machine.onEvent = (event) => {
    if (event.kind === 'console') printed.push(event.byte);
  };
  expect(machine.run({ moment: 1_000_000 })).toMatchObject({ kind: 'halted', status: 'pass' });
  expect(qemu.status).toBe(0);
  expect(printed.length).toBe(14);
  expect([...qemu.stdout]).toEqual(printed);
  const [page] = [...machine.snapshot().pages].filter(([index]) => index >= 2 ** 28).map(([, { bytes }]) => bytes);
  expect(page!.slice(512, 4096)).toEqual(new Uint8Array(readFileSync(disk)).slice(512, 4096));
});
