import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UsageError } from '../base/errors.ts';
import { plugIn } from './machine/devices.ts';
import { parseDevice, parseDrive, parseNetdev, parseWallClock } from './parse-devices.ts';
import { normaliseArgv } from './qemu/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-devices-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'disk,1.img');
writeFileSync(file, new Uint8Array(1024));
const escaped = file.replaceAll(',', ',,');

const plug = (drive: readonly string[], netdev: readonly string[], device: readonly string[]) =>
  plugIn({ drive: drive.map(parseDrive), netdev: netdev.map(parseNetdev), device: device.map(parseDevice) });

describe('drives, networks and devices', () => {
  it("fill the slots in QEMU's order, from the last one down", () => {
    const { virtio, cables } = plug(
      [`file=${escaped},format=raw,if=none,id=d0`, `file=${escaped},readonly=on`],
      ['builtin,id=n0', 'udp,id=n1,port=5555,peer=5556'],
      [
        'virtio-blk-device,drive=d0,serial=abc',
        'virtio-net-device,netdev=n0',
        'virtio-rng-device,bus=virtio-mmio-bus.6',
        'virtio-serial-device',
        'virtconsole',
        'virtio-net-device,netdev=n1',
      ],
    );
    const image = { name: 'disk,1.img', bytes: new Uint8Array(1024) };
    expect(
      virtio.map((its) => ({
        ...its,
        ...('image' in its && { image: { ...its.image, bytes: new Uint8Array(its.image.bytes) } }),
      })),
    ).toEqual([
      { kind: 'block', slot: 7, image, readOnly: false, serial: 'abc' },
      { kind: 'net', slot: 5, mac: '52:54:00:12:34:56', cable: 'switch' },
      { kind: 'entropy', slot: 6 },
      { kind: 'console', slot: 4 },
      { kind: 'net', slot: 3, mac: '52:54:00:12:34:57', cable: 'outside' },
      { kind: 'block', slot: 2, image, readOnly: true, serial: '' },
    ]);
    expect(cables).toEqual([{ slot: 3, port: 5555, peer: 5556 }]);
  });

  it.each<[string, readonly string[], readonly string[], readonly string[], RegExp]>([
    ['a drive that does not exist', ['file=/no/such.img'], [], [], /-drive \/no\/such\.img: no such file/],
    ['a folder', [`file=${folder}`], [], [], /is a folder/],
    ['another format', ['file=a,format=qcow2'], [], [], /only raw images/],
    ['another bus', ['file=a,if=ide'], [], [], /virtio \(or none\) only/],
    [
      'an unknown setting',
      ['file=a,cash=none'],
      [],
      [],
      /does not know 'cash' \(did you mean cache\?\); it knows file/,
    ],
    ['no file', ['id=a'], [], [], /expected file=FILE/],
    ['a file and a seed', ['file=a,random=1,size=1M'], [], [], /expected file=FILE \(or random=SEED,size=SIZE\)/],
    ['a seed without size', ['random=1'], [], [], /go together/],
    ['a size without seed', ['file=a,size=1M'], [], [], /go together/],
    ['a seed that is none', ['random=x,size=1M'], [], [], /a 64-bit seed/],
    ['a size of no whole sectors', ['random=1,size=1000'], [], [], /a multiple of 512 bytes up to 1G/],
    ['too much of it', ['random=1,size=2G'], [], [], /a multiple of 512 bytes up to 1G/],
    ['a setting twice', ['file=a,file=b'], [], [], /'file' stands twice/],
    ['another network', [], ['user,id=n0'], [], /expected builtin or udp/],
    ['a network without id', [], ['builtin'], [], /expected id=NAME/],
    ['a cable without port', [], ['udp,id=n'], [], /expected port=PORT/],
    ['no port', [], ['udp,id=n,port=70000'], [], /a port from 1 to 65535/],
    ['PCI', [], [], ['virtio-blk-pci,drive=d'], /no PCI, use virtio-blk-device/],
    ['an unknown driver', [], [], ['e1000'], /expected one of virtio-blk-device/],
    ['an unknown device setting', [], [], ['virtio-rng-device,size=1'], /does not know 'size'/],
    ['a drive that is nowhere', [], [], ['virtio-blk-device,drive=d'], /drive=d: there is no -drive/],
    ['an unused drive', [`file=${escaped},if=none,id=d`], [], [], /no -device uses 'd'/],
    ['an unused network', [], ['builtin,id=n'], [], /no -device uses 'n': add one, such as virtio-net-device,netdev=n/],
    ['a name twice', [`file=${escaped},id=n`], ['builtin,id=n'], [], /two things are called id=n/],
    [
      'a drive in two devices',
      [`file=${escaped},if=none,id=d`],
      [],
      Array(2).fill('virtio-blk-device,drive=d'),
      /used by two/,
    ],
    ['no such slot', [], [], ['virtio-rng-device,bus=virtio-mmio-bus.8'], /virtio-mmio-bus\.0 to virtio-mmio-bus\.7/],
    ['too many devices', [], [], Array(9).fill('virtio-rng-device'), /9 devices: the board has 8/],
  ])('refuse %s', (_what, drive, netdev, device, why) => {
    expect(() => plug(drive, netdev, device)).toThrow(UsageError);
    expect(() => plug(drive, netdev, device)).toThrow(why);
  });

  it('draw a disk from a seed: the same again for the same one, its beginning for a smaller one', () => {
    const drawn = (text: string) => {
      const [its] = plug([text], [], []).virtio;
      if (its?.kind !== 'block') throw new Error('no disk');
      return its.image;
    };
    const disk = drawn('random=7,size=64K');
    expect(disk.bytes.length).toBe(65536);
    expect(new Set(disk.bytes).size).toBe(256);
    expect(drawn('random=7,size=64K')).toEqual(disk);
    expect(drawn('random=7,size=512').bytes).toEqual(disk.bytes.slice(0, 512));
    expect(drawn('random=8,size=512').bytes).not.toEqual(disk.bytes.slice(0, 512));
  });

  it("may be spelt as QEMU's", () => {
    expect(
      normaliseArgv(['record', '-drive', 'file=a', '-device', '-x', '-dtb', 'f', '-netdev', 'b', '-rtc', 'now']),
    ).toEqual(['record', '--drive', 'file=a', '--device', '-x', '--dtb', 'f', '--netdev', 'b', '--rtc', 'now']);
  });
});

it('dates are UTC, to the second', () => {
  expect(parseWallClock('2001-09-09T01:46:40')).toBe(1_000_000_000);
  expect(parseWallClock('base=1970-01-02')).toBe(86_400);
  expect(parseWallClock('base=utc')).toBe('now');
  expect(parseWallClock('2024-02-29')).toBe(1_709_164_800);
  for (const text of [
    'yesterday',
    '2025-02-30',
    '2025-02-29',
    '2025-04-31T10:00:00',
    '2025-00-10',
    '2025-01-01T24:00:00',
  ]) {
    expect(() => parseWallClock(text), text).toThrow(UsageError);
  }
});
