/**
 * Debian's OpenSBI and U-Boot, unchanged, on our machine, and U-Boot on our firmware: recorded live with somebody at
 * the console, then replayed with every digest compared. Needs apt (see debian.ts).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MachineConfig } from '../../../engine/index.ts';
import { fetchPeers, type Peers } from './debian.ts';
import { fatDisk } from './fat.ts';
import { image } from './guest.ts';
import { recordSession, replaySession, type Step } from './terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-firmware-'));
afterAll(() => rmSync(folder, { recursive: true }));
let peers: Peers;
beforeAll(() => {
  peers = fetchPeers();
});

const machine = (harts: number, images: Pick<MachineConfig, 'bios' | 'kernel'>): MachineConfig => ({
  harts,
  ramBytes: 256 << 20,
  quantum: { policy: 'fixed', ticks: 1000, seed: 0n },
  append: '',
  ...images,
});

/** Records the steps, replays, and returns what each step saw. */
async function play(name: string, config: MachineConfig, steps: readonly Step[]): Promise<readonly string[]> {
  const path = join(folder, `${name}.djvm`);
  const { recorded, shown } = await recordSession({
    path,
    config,
    steps,
    until: 'last step',
    maxMoment: 400_000_000,
    digestEvery: 5_000_000,
    checkpointEvery: 50_000_000,
  });
  const replayed = replaySession(path);
  expect(replayed).toMatchObject({ ok: true, end: { moment: recorded.end.moment, ticks: recorded.end.ticks } });
  expect(replayed.digestsCompared).toBeGreaterThan(recorded.end.moment / 5_000_000 - 1);
  return shown;
}

const PROMPT = '\n=> ';
const UBOOT: readonly Step[] = [
  { waitFor: 'U-Boot ' },
  { waitFor: 'stop autoboot', type: '\r' },
  { waitFor: PROMPT, type: 'version\r' },
  { waitFor: PROMPT, type: 'setexpr x 0x1234 * 3; echo is $x\r' },
  { waitFor: 'is 369c' },
  { waitFor: PROMPT, type: 'mw.l 0x84000000 deadbeef 4; md.l 0x84000000 4; crc32 0x84000000 10\r' },
  { waitFor: PROMPT },
];

function checkCommands(shown: readonly string[]): void {
  expect(shown[3]).toContain('riscv64-linux-gnu-gcc');
  expect(shown[6]).toContain('84000000: deadbeef deadbeef deadbeef deadbeef');
  const checksum = crc32(Buffer.from('efbeadde'.repeat(4), 'hex'));
  expect(shown[6]).toContain(`==> ${checksum.toString(16)}`);
}

describe.each(['fwJump', 'fwDynamic'] as const)('OpenSBI %s', (which) => {
  it.each([1, 2, 8])('boots %i harts and U-Boot in S-mode behind it, to its prompt', async (harts) => {
    const config = machine(harts, { bios: peers[which], kernel: peers.uBootS });
    const shown = await play(`${which}-${harts}`, config, [
      { waitFor: 'OpenSBI v' },
      { waitFor: 'Boot HART MEDELEG' },
      ...UBOOT,
    ]);
    const banner = shown[1];
    expect(banner).toMatch(/Platform Name +: riscv-virtio,qemu/);
    expect(banner).toMatch(new RegExp(`Platform HART Count +: ${harts}\\r?\\n`));
    expect(banner).toMatch(/Platform IPI Device +: aclint-mswi/);
    expect(banner).toMatch(/Platform Timer Device +: aclint-mtimer @ 10000000Hz/);
    expect(banner).toMatch(/Platform Shutdown Device +: sifive_test/);
    expect(banner).toMatch(/Boot HART PMP Count +: 16/);
    checkCommands(shown.slice(2));
  });
});

it.each([1, 2, 8])('our own firmware boots %i harts and U-Boot in S-mode behind it, to its prompt', async (harts) => {
  const config = machine(harts, { bios: image('firmware.elf'), kernel: peers.uBootS });
  const shown = await play(`own-${harts}`, config, [
    { waitFor: `firmware: ${harts} harts` },
    ...UBOOT.slice(0, -1),
    { waitFor: PROMPT, type: 'sbi\r' },
    { waitFor: PROMPT },
  ]);
  checkCommands(shown.slice(1));
  expect(shown.at(-1)).toMatch(/SBI 2\.0.*Timer Extension.*IPI Extension.*Hart State Management Extension/s);
});

it('U-Boot runs as firmware in M-mode, to its prompt', async () => {
  checkCommands(await play('u-boot', machine(1, { bios: peers.uBootM }), UBOOT));
});

it.each([
  ['behind OpenSBI', 'fwJump'],
  ['as firmware', undefined],
] as const)('U-Boot %s lists and reads a virtio disk', async (how, firmware) => {
  const text = 'Not read before today.\n'.repeat(200);
  const files = [
    { name: 'HELLO.TXT', bytes: Buffer.from('hello') },
    { name: 'LONG.BIN', bytes: Buffer.from(text) },
  ];
  const image = { name: 'disk.img', bytes: fatDisk('PEERS', files) };
  const images = firmware ? { bios: peers[firmware], kernel: peers.uBootS } : { bios: peers.uBootM };
  const config: MachineConfig = {
    ...machine(1, images),
    virtio: [{ kind: 'block', slot: 7, image, readOnly: false, serial: 'peers' }],
  };
  const shown = await play(`disk ${how}`, config, [
    { waitFor: 'stop autoboot', type: '\r' },
    { waitFor: PROMPT, type: 'virtio scan; virtio info\r' },
    { waitFor: PROMPT, type: 'ls virtio 0\r' },
    { waitFor: PROMPT, type: 'load virtio 0 0x84000000 long.bin; crc32 0x84000000 $filesize\r' },
    { waitFor: PROMPT },
  ]);
  expect(shown[2]).toMatch(/Device 0: .*VirtIO Block Device/);
  expect(shown[2]).toContain('Capacity: 1.0 MB');
  expect(shown[3]).toMatch(/ 5 +HELLO\.TXT\r\n +4600 +LONG\.BIN/);
  expect(shown[4]).toContain('4600 bytes read');
  expect(shown[4]).toContain(`==> ${crc32(text).toString(16).padStart(8, '0')}`);
});
