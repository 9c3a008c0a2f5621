/**
 * Debian's riscv64 kernel and busybox, unchanged, from OpenSBI or our own firmware to a shell: commands are typed,
 * their answers checked, and the machine is powered off; the whole of it is recorded live and replayed. Needs apt (see
 * debian.ts).
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { MachineConfig, VirtioConfig } from '../../../engine/index.ts';
import { fetchPeers, type Peers } from './debian.ts';
import { image } from './guest.ts';
import { PROMPT } from './initramfs.ts';
import { linuxMachine } from './linux.ts';
import { printedIn, recordSession, replaySession, type Step } from './terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-linux-'));
afterAll(() => rmSync(folder, { recursive: true }));
let peers: Peers;
beforeAll(() => {
  peers = fetchPeers();
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A command, and what its output must contain. */
type Command = readonly [text: string, answer: string | RegExp];

/** Types each command at a prompt, and at last the one that powers off. */
const typed = (commands: readonly Command[]): readonly Step[] => [
  { waitFor: 'Linux version ' },
  ...commands.map(([text]): Step => ({ waitFor: PROMPT, type: `${text}\n` })),
  { waitFor: PROMPT, type: 'poweroff -f\n' },
  { waitFor: 'reboot: Power down' },
];

/** Records a boot and the commands, checks their answers, and replays it all. Returns what was printed. */
async function obeys(name: string, config: MachineConfig, commands: readonly Command[]): Promise<string> {
  const path = join(folder, `${name}.djvm`);
  const { recorded, shown } = await recordSession({
    path,
    config,
    steps: typed(commands),
    until: 'halted',
    maxMoment: 6_000_000_000,
    digestEvery: 10_000_000,
    checkpointEvery: 500_000_000,
  });
  expect(recorded.stop).toEqual({ kind: 'halted', status: 'pass', code: 0 });
  const printed = printedIn(path);
  expect(printed).not.toMatch(/unhandled signal|Oops|WARNING:|BUG:|Call Trace/);
  for (const [n, [text, answer]] of commands.entries()) expect(shown[n + 2], text).toMatch(answer);
  const replayed = replaySession(path);
  expect(replayed).toMatchObject({ ok: true, end: { moment: recorded.end.moment, ticks: recorded.end.ticks } });
  expect(replayed.digestsCompared).toBeGreaterThan(recorded.end.moment / 10_000_000 - 1);
  return printed;
}

it.each([1, 4])('Linux boots %i harts to a shell, obeys, and powers off; replay repeats it all', async (harts) => {
  const sum = sha256(peers.busybox.bytes);
  const quotients = [355 / 113, 1 / 3 - 2e-7 * 1e5].map((value) => value.toFixed(12)).join(' ');
  const commands: readonly Command[] = [
    ['echo $((6 * 7)) apples', '42 apples'],
    ['uname -m', 'riscv64'],
    ['grep -c ^processor /proc/cpuinfo', new RegExp(`\n${harts}\r\n`)],
    ['cat /proc/cpuinfo', /isa\s*: rv64imafdc.*\r\nmmu\s*: sv/],
    // Floating point, in a userland that passes it in registers.
    ['awk "BEGIN { printf \\"%.12f %.12f\\", 355 / 113, 1 / 3 - 2e-7 * 1e5 }"', quotients],
    ['for n in 1 2 3 4; do sha256sum /bin/busybox & done; wait', sum],
    ['gzip -c /bin/busybox | gunzip -c | sha256sum', sum],
    ['grep -c . /proc/interrupts && sleep 2 && cut -d. -f1 /proc/uptime', /\n\d+\r\n\d+\r\n/],
  ];
  await obeys(`linux-${harts}`, linuxMachine(peers, harts), commands);
});

it.each([1, 2, 8])(
  'Linux boots %i harts to a shell on our own firmware, which is there without -bios',
  async (harts) => {
    const machine = linuxMachine(peers, harts, [], image('firmware.elf'));
    const detected = ['TIME', 'IPI', 'RFENCE', 'SRST', 'DBCN', 'HSM'].map((name) => `SBI ${name} extension detected`);
    const hotplug =
      'echo 0 > $c; cat $c /sys/devices/system/cpu/online; echo 1 > $c; cat /sys/devices/system/cpu/online';
    const commands: readonly Command[] = [
      ['dmesg | grep SBI', 'SBI specification v2.0 detected'],
      ['dmesg | grep reserved.mem', '0x0000000080000000..0x000000008003ffff (256 KiB) nomap'],
      ['grep -c ^processor /proc/cpuinfo', new RegExp(`\n${harts}\r\n`)],
      ['for n in 1 2 3 4; do sha256sum /bin/busybox & done; wait', sha256(peers.busybox.bytes)],
      ...(harts === 1
        ? []
        : [[`c=/sys/devices/system/cpu/cpu${harts - 1}/online; ${hotplug}`, `\n0-${harts - 1}\r\n`] as const]),
      ['sleep 2 && cut -d. -f1 /proc/uptime', /\n\d+\r\n/],
    ];
    const printed = await obeys(`own-${harts}`, { ...machine, append: `${machine.append} earlycon=sbi` }, commands);
    for (const line of detected) expect(printed).toContain(line);
    expect(printed).toContain('bootconsole [sbi0] enabled');
  },
);

it.each([1, 4])(
  'Linux on %i harts reads and writes a virtio disk, pings, draws random bytes, and can be a hypervisor',
  async (harts) => {
    const disk = new Uint8Array(1 << 20).map((_, at) => (at * 7 + (at >> 9)) & 0xff);
    const changed = disk.slice();
    changed.set(Buffer.from('changed'), 512 * 1000);
    const virtio: readonly VirtioConfig[] = [
      { kind: 'block', slot: 7, image: { name: 'disk.img', bytes: disk }, readOnly: false, serial: 'peers' },
      { kind: 'net', slot: 6, mac: '52:54:00:12:34:56', cable: 'switch' },
      { kind: 'entropy', slot: 5 },
    ];
    const load = (...names: string[]) => names.map((name) => `insmod /lib/modules/${name}.ko.xz`).join(' && ');
    const address = 'ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up';
    await obeys(`virtio-${harts}`, linuxMachine(peers, harts, virtio), [
      [load('virtio_mmio', 'virtio_blk'), '[vda] 2048 512-byte logical blocks'],
      [`${load('failover', 'net_failover', 'virtio_net', 'virtio-rng')}; ls /sys/class/net`, /\beth0\b/],
      ['dd if=/dev/vda bs=4k | sha256sum', sha256(disk)],
      ['printf changed | dd of=/dev/vda seek=1000 conv=notrunc,fsync', '0+1 records out'],
      ['echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/vda bs=64k | sha256sum', sha256(changed)],
      [`${address}; ping -c 3 10.0.2.2`, '3 packets received, 0% packet loss'],
      // KVM asks whether it can be a hypervisor here, and tries out how many bits hgatp holds.
      [`${load('kvm')} && ls /dev/kvm`, /hypervisor extension available.*VMID 14 bits available.*\n\/dev\/kvm\r/s],
      ['cat /sys/class/misc/hw_random/rng_current && head -c 64 /dev/hwrng | wc -c', /virtio_rng\.0\r\n64\r\n/],
    ]);
  },
);
