/**
 * Registers of the virtio-mmio transport, version 2, against QEMU: random drivers, sane and not, write and read them,
 * one after another on every kind of device, and must read the same. Nothing is notified, so no queue is ever served.
 * Needs Debian's qemu-system-misc.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { assemble, type VirtioConfig } from '../../../engine/index.ts';
import { executable } from './elf.ts';
import { HARNESS_AT, RESULTS_AT } from './layout.ts';
import { oursWith, qemu } from './machines.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-registers-'));
afterAll(() => rmSync(folder, { recursive: true }));

const DISK = new Uint8Array(8192);
/** A slot of each kind, and an empty one. */
const SLOTS = { block: 7, net: 6, console: 5, entropy: 4, empty: 0 } as const;
const VIRTIO: readonly VirtioConfig[] = [
  { kind: 'block', slot: SLOTS.block, image: { name: 'disk', bytes: DISK }, readOnly: false, serial: '' },
  { kind: 'net', slot: SLOTS.net, mac: '52:54:00:12:34:56', cable: 'switch' },
  { kind: 'console', slot: SLOTS.console },
  { kind: 'entropy', slot: SLOTS.entropy },
];
const qemuDevices = (disk: string): string[] => [
  ...['-global', 'virtio-mmio.force-legacy=false'],
  ...['-drive', `file=${disk},format=raw,if=none,id=d0`, '-device', 'virtio-blk-device,drive=d0'],
  ...['-netdev', 'user,id=n0', '-device', 'virtio-net-device,netdev=n0'],
  ...['-device', 'virtio-serial-device', '-device', 'virtio-rng-device'],
];

const REGISTER = { deviceFeatures: 0x10, queueSel: 0x30, status: 0x70 } as const;
/**
 * Whether a read is compared. Not features, since the devices offer others than QEMU's do; and not the base of a shared
 * memory region that is not there: all ones says the specification (4.2.2), QEMU 0.
 */
const isCompared = ({ at }: Access): boolean => ![REGISTER.deviceFeatures, 0xb8, 0xbc].includes(at);

interface Access {
  readonly slot: number;
  readonly at: number;
  /** undefined: a load. */
  readonly value: number | undefined;
}

/** Queues that both sides have: QEMU's network and console have more of them, and it makes ready what is not there. */
const QUEUES: Readonly<Record<number, number>> = { [SLOTS.net]: 2, [SLOTS.console]: 2 };
const slot = fc.constantFrom(...Object.values(SLOTS));
const word = fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 8, 0x80000000, 0xffffffff), fc.nat(2000));
const load = fc.constantFrom(
  ...[0, 4, 8, 0xc, 0x10, 0x14, 0x20, 0x24, 0x28, 0x30, 0x34, 0x38, 0x3c, 0x40, 0x44, 0x50, 0x60, 0x64, 0x70],
  ...[0x80, 0x84, 0x90, 0x94, 0xa0, 0xa4, 0xb0, 0xb4, 0xb8, 0xbc, 0xfc],
);
/** Not 0x50, which would make the device look at its queues. */
const store = fc.constantFrom(
  ...[0, 4, 0x10, 0x14, 0x20, 0x24, 0x28, 0x34, 0x38, 0x3c, 0x40, 0x44, 0x60, 0x64, 0x80, 0x84, 0x90, 0xa0, 0xac],
);
/** Without NEEDS_RESET (64), which QEMU lets the driver set; it is the device's to say (2.1). */
const status = fc.constantFrom(0, 1, 3, 8, 11, 11, 11, 0x83, 0xff00);
const stepOf = (where: number) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ at: load, value: fc.constant(undefined) }) },
    { weight: 4, arbitrary: fc.record({ at: store, value: word }) },
    {
      weight: 1,
      arbitrary: fc.record({ at: fc.constant(REGISTER.queueSel), value: fc.nat((QUEUES[where] ?? 1) - 1) }),
    },
    { weight: 2, arbitrary: fc.record({ at: fc.constant(REGISTER.status), value: status }) },
  );
/** A driver that begins with a reset and looks at what it left behind. */
const driver = slot.chain((where) =>
  fc
    .array(stepOf(where), { minLength: 1, maxLength: 24 })
    .map((steps): Access[] => [
      ...[REGISTER.status, REGISTER.queueSel].map((at) => ({ slot: where, at, value: 0 })),
      ...steps.map((its) => ({ slot: where, ...its })),
      ...[REGISTER.status, 0x34, 0x44, 0x60].map((at) => ({ slot: where, at, value: undefined })),
    ]),
);

/** Reads accesses (address, value, kind) from a table until one of kind 0; keeps what was loaded. */
const TABLE_AT = 0x8010_0000;
const PROGRAM = `
    csrr t0, mhartid
    bnez t0, park
    li s0, ${TABLE_AT}
    li s1, ${RESULTS_AT}
  next:
    lwu t0, 0(s0)
    lwu t1, 4(s0)
    lwu t2, 8(s0)
    addi s0, s0, 12
    beqz t2, done
    addi t2, t2, -1
    beqz t2, read
    sw t1, 0(t0)
    j next
  read:
    lwu t1, 0(t0)
    sw t1, 0(s1)
    addi s1, s1, 4
    j next
  done:
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
  park:
    wfi
    j park`;

function image(accesses: readonly Access[]): Uint8Array {
  const table = new Uint32Array(3 * accesses.length + 3);
  for (const [n, { slot, at, value }] of accesses.entries()) {
    table.set([0x1000_1000 + 0x1000 * slot + at, value ?? 0, value === undefined ? 1 : 2], 3 * n);
  }
  return executable([
    { at: HARNESS_AT, bytes: assemble(PROGRAM, HARNESS_AT).bytes },
    { at: TABLE_AT, bytes: new Uint8Array(table.buffer) },
  ]);
}

it('a driver cannot tell our transport from QEMU by its registers', () => {
  const disk = join(folder, 'disk.img');
  writeFileSync(disk, DISK);
  const drivers = fc.sample(driver, { seed: 1, numRuns: 1500 });
  const accesses = drivers.flat();
  const loads = accesses.filter(({ value }) => value === undefined);
  const answers = [oursWith(VIRTIO), qemu('rv64', qemuDevices(disk))].map((peer) => {
    const run = peer.run(image(accesses));
    expect([peer.name, run.ended]).toEqual([peer.name, true]);
    return new Uint32Array(run.read(RESULTS_AT, 4 * loads.length).slice().buffer);
  });
  const [mine, theirs] = answers as [Uint32Array, Uint32Array];
  let n = 0;
  const differing = drivers.flatMap((steps) => {
    const lines = steps.map((its) => {
      const at = `slot ${its.slot} 0x${its.at.toString(16)}`;
      if (its.value !== undefined) return { text: `${at} = 0x${its.value.toString(16)}`, differs: false };
      const [ours, qemus] = [mine[n]!, theirs[n++]!];
      const differs = ours !== qemus && isCompared(its);
      return { text: `${at}: 0x${ours.toString(16)}${differs ? `, QEMU 0x${qemus.toString(16)}` : ''}`, differs };
    });
    return lines.some(({ differs }) => differs) ? [lines.map(({ text }) => text).join('\n')] : [];
  });
  expect(differing.slice(0, 3).join('\n\n')).toBe('');
  expect(loads.length).toBeGreaterThan(9000);
});
