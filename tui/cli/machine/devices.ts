/**
 * What `-drive`, `-netdev` and `-device` plug into the board: files are read, names looked up, slots given out in
 * QEMU's order (the first device gets the last slot). Limits of the board and of images are the engine's business.
 */
import { didYouMean, randomDisk, VIRTIO_SLOTS, type VirtioConfig } from '../../../engine/index.ts';
import type { UdpCable } from '../../../replay/index.ts';
import { UsageError } from '../../base/index.ts';
import type { FlagValues } from '../flags.ts';
import type { DeviceFlag, DriveFlag } from '../parse-devices.ts';
import { readImage } from './images.ts';

export interface PluggedIn {
  readonly virtio: readonly VirtioConfig[];
  /** Cables that lead outside. */
  readonly cables: readonly UdpCable[];
}

type Flags = FlagValues<'drive' | 'netdev' | 'device'>;
/** A device without its slot; `port` is the UDP port of its cable. */
type Unplaced = {
  readonly its: DistributiveOmit<VirtioConfig, 'slot'>;
  readonly slot: number | undefined;
  readonly netdev?: string;
};
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** QEMU's first address; the others count up. */
const FIRST_MAC = 0x525400123456;

/** @throws UsageError for names that do not fit together and files that cannot be read */
export function plugIn(flags: Flags): PluggedIn {
  checkNames(flags);
  const used = new Set<string>();
  const explicit = flags.device.flatMap((device) => deviceOf(device, flags, used));
  const own = flags.drive.filter(({ alone }) => !alone).filter(({ id }) => id === undefined || !used.has(id));
  const idle = [...flags.drive, ...flags.netdev].find(
    (its) => its.id !== undefined && !used.has(its.id) && !('content' in its && own.includes(its)),
  );
  if (idle) throw new UsageError(`no -device uses '${idle.id}': add one, such as ${example(idle)}`);
  const all = place([...explicit, ...own.map((drive) => ({ its: disk(drive, ''), slot: undefined }))]);
  const cables = all.flatMap(({ device, netdev }) => {
    const cable = flags.netdev.find(({ id }) => id === netdev);
    if (cable?.kind !== 'udp') return [];
    const { port, peer } = cable;
    return [{ slot: device.slot, port, ...(peer !== undefined && { peer }) }];
  });
  return { virtio: all.map(({ device }) => device), cables };
}

const example = (its: Flags['drive'][number] | Flags['netdev'][number]): string =>
  'content' in its ? `virtio-blk-device,drive=${its.id}` : `virtio-net-device,netdev=${its.id}`;

function checkNames({ drive, netdev }: Flags): void {
  const ids = [...drive, ...netdev].flatMap(({ id }) => (id === undefined ? [] : [id]));
  const twice = ids.find((id, n) => ids.indexOf(id) !== n);
  if (twice !== undefined) throw new UsageError(`two things are called id=${twice}`);
}

/** Settings of each driver besides id and bus. */
export const DRIVERS: Readonly<Record<string, readonly string[]>> = {
  'virtio-blk-device': ['drive', 'serial'],
  'virtio-net-device': ['netdev', 'mac'],
  'virtio-rng-device': ['rng'],
  'virtio-serial-device': [],
  virtconsole: ['chardev'],
};

function deviceOf(device: DeviceFlag, flags: Flags, used: Set<string>): Unplaced[] {
  const { driver, settings } = device;
  const known = DRIVERS[driver];
  if (!known) {
    const near = driver.replace(/-pci$/, '-device');
    const hint =
      near !== driver && DRIVERS[near]
        ? `the board has no PCI, use ${near}`
        : `expected one of ${Object.keys(DRIVERS).join(', ')}${didYouMean(driver, Object.keys(DRIVERS))}`;
    throw new UsageError(`-device ${driver}: ${hint}`);
  }
  for (const name of settings.keys()) {
    if (name === 'driver' || name === 'id' || name === 'bus' || known.includes(name)) continue;
    const names = ['id', 'bus', ...known];
    throw new UsageError(
      `-device ${driver} does not know '${name}'${didYouMean(name, names)}; it knows ${names.join(', ')}`,
    );
  }
  // The port of a virtio-serial-device, which has one anyway.
  if (driver === 'virtconsole') return [];
  const slot = slotOf(settings.get('bus'));
  if (driver === 'virtio-rng-device') return [{ its: { kind: 'entropy' }, slot }];
  if (driver === 'virtio-serial-device') return [{ its: { kind: 'console' }, slot }];
  return [driver === 'virtio-blk-device' ? blockOf(device, flags, used, slot) : netOf(device, flags, used, slot)];
}

function blockOf({ settings }: DeviceFlag, flags: Flags, used: Set<string>, slot: number | undefined): Unplaced {
  const drive = lookUp(settings.get('drive'), flags.drive, 'drive', used);
  return { its: disk(drive, settings.get('serial') ?? ''), slot };
}

function netOf({ settings }: DeviceFlag, flags: Flags, used: Set<string>, slot: number | undefined): Unplaced {
  const before = flags.device.filter(({ driver }) => driver === 'virtio-net-device');
  const number = before.findIndex((other) => other.settings === settings);
  const netdev = lookUp(settings.get('netdev'), flags.netdev, 'netdev', used);
  const mac = settings.get('mac') ?? macText(FIRST_MAC + number);
  return { its: { kind: 'net', mac, cable: netdev.kind === 'udp' ? 'outside' : 'switch' }, slot, netdev: netdev.id };
}

const macText = (address: number): string => address.toString(16).replace(/(..)(?=.)/g, '$1:');

/** What an id names; each can be used once. */
function lookUp<T extends { readonly id: string | undefined }>(
  id: string | undefined,
  all: readonly T[],
  what: string,
  used: Set<string>,
): T {
  const found = all.find((its) => its.id !== undefined && its.id === id);
  if (!found || id === undefined) {
    throw new UsageError(`${what}=${id ?? ''}: there is no -${what} with this id`);
  }
  if (used.has(id)) throw new UsageError(`${what}=${id} is used by two devices`);
  used.add(id);
  return found;
}

function disk({ content, readOnly }: DriveFlag, serial: string): DistributiveOmit<VirtioConfig, 'slot'> {
  const image = typeof content === 'string' ? readImage('-drive', content) : randomDisk(content.seed, content.bytes);
  return { kind: 'block', image, readOnly, serial };
}

/** `virtio-mmio-bus.0` is the slot at the lowest address. */
function slotOf(bus: string | undefined): number | undefined {
  if (bus === undefined) return undefined;
  const match = /^virtio-mmio-bus\.(\d)$/.exec(bus);
  if (match && Number(match[1]) < VIRTIO_SLOTS) return Number(match[1]);
  throw new UsageError(`bus=${bus}: expected virtio-mmio-bus.0 to virtio-mmio-bus.${VIRTIO_SLOTS - 1}`);
}

function place(devices: readonly Unplaced[]): { readonly device: VirtioConfig; readonly netdev: string | undefined }[] {
  const taken = new Set(devices.map(({ slot }) => slot));
  const free = Array.from({ length: VIRTIO_SLOTS }, (_, n) => VIRTIO_SLOTS - 1 - n).filter((slot) => !taken.has(slot));
  return devices.map(({ its, slot: wanted, netdev }) => {
    const slot = wanted ?? free.shift();
    if (slot === undefined)
      throw new UsageError(`${devices.length} devices: the board has ${VIRTIO_SLOTS} virtio slots`);
    return { device: { ...its, slot } as VirtioConfig, netdev };
  });
}
