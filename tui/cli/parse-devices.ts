/**
 * QEMU's lists of settings, `-drive`, `-netdev`, `-device`, `-smp` and the like, to what they say. Which drive belongs
 * to which device is worked out in commands/devices.ts. Every function throws UsageError with what was expected.
 */
import { didYouMean, MAX_HARTS, SECTOR_BYTES } from '../../engine/index.ts';
import { parseInteger, parseSeed, parseSize, UsageError } from '../base/index.ts';

const MAX_RANDOM_BYTES = 1024 ** 3;

export interface DriveFlag {
  /** A file's path, or content drawn from a seed. */
  readonly content: string | { readonly seed: bigint; readonly bytes: number };
  /** Generated when none is given. */
  readonly id: string | undefined;
  readonly readOnly: boolean;
  /** `if=none`: a -device uses it. Otherwise it gets a device of its own. */
  readonly alone: boolean;
}
/** What a -netdev begins with. */
export const NETDEV_KINDS = ['builtin', 'udp'] as const satisfies readonly NetdevFlag['kind'][];
export type NetdevFlag =
  | { readonly kind: 'builtin'; readonly id: string }
  | { readonly kind: 'udp'; readonly id: string; readonly port: number; readonly peer?: number };
export interface DeviceFlag {
  readonly driver: string;
  readonly settings: ReadonlyMap<string, string>;
}

/** What a drive's content comes from: the path of a file, or a seed. */
export const DRIVE_FILE = 'file';
export const DRIVE_RANDOM = 'random';
/** How QEMU reaches the file; here it is read once, and what is written is part of the run. */
const HOST_SETTINGS = ['cache', 'aio', 'discard', 'detect-zeroes', 'snapshot', 'werror', 'rerror'];

/** `file=disk.img,format=raw,readonly=on,id=d0,if=none`; `random=SEED,size=64K` in place of the file. */
export function parseDrive(text: string): DriveFlag {
  const its = settings(
    text,
    undefined,
    [DRIVE_FILE, DRIVE_RANDOM, 'size', 'format', 'readonly', 'id', 'if', 'media', ...HOST_SETTINGS],
    '-drive',
  );
  const format = its.get('format') ?? 'raw';
  if (format !== 'raw')
    throw new UsageError(`format=${format}: only raw images can be used; 'qemu-img convert -O raw'`);
  const kind = its.get('if') ?? 'virtio';
  if (kind !== 'virtio' && kind !== 'none') throw new UsageError(`if=${kind}: the board has virtio (or none) only`);
  if ((its.get('media') ?? 'disk') !== 'disk') throw new UsageError(`media=${its.get('media')}: expected disk`);
  const [file, random, size] = [its.get(DRIVE_FILE), its.get(DRIVE_RANDOM), its.get('size')];
  if ((file ? 1 : 0) + (random === undefined ? 0 : 1) !== 1) {
    throw new UsageError(`expected file=FILE (or random=SEED,size=SIZE) in -drive, got '${text}'`);
  }
  if ((random === undefined) !== (size === undefined)) {
    throw new UsageError(`random=SEED and size=SIZE go together in -drive, got '${text}'`);
  }
  const content = file || { seed: parseSeed(random!), bytes: diskSize(size!) };
  return { content, id: its.get('id'), readOnly: isOn(its, 'readonly'), alone: kind === 'none' };
}

/** `builtin,id=n0` or `udp,id=n0,port=5555,peer=5556`. */
export function parseNetdev(text: string): NetdevFlag {
  const its = settings(text, 'kind', ['id', 'port', 'peer'], '-netdev');
  const kind = its.get('kind');
  const id = its.get('id');
  if (!id) throw new UsageError(`expected id=NAME in -netdev, got '${text}'`);
  if (kind === 'builtin') return { kind, id };
  if (kind !== 'udp') {
    throw new UsageError(
      `-netdev ${kind}: expected ${NETDEV_KINDS.join(' or ')}; builtin,id=${id} has a station at 10.0.2.2, as user has`,
    );
  }
  const port = portOf(its, 'port');
  if (port === undefined) throw new UsageError(`expected port=PORT in -netdev udp, got '${text}'`);
  const peer = portOf(its, 'peer');
  return { kind, id, port, ...(peer !== undefined && { peer }) };
}

/** `virtio-blk-device,drive=d0`, with any settings; they depend on the driver. */
export function parseDevice(text: string): DeviceFlag {
  const its = settings(text, 'driver', undefined, '-device');
  return { driver: its.get('driver')!, settings: its };
}

/** The date at which this is typed. */
export const NOW = 'now';
/** Of QEMU's clocks, the one that runs with the guest. */
const GUEST_CLOCK = /,clock=vm$/;

/** `2025-01-31`, `2025-01-31T12:00:00` (UTC), `now`, all also behind `base=`. @returns seconds since 1970, or 'now' */
export function parseWallClock(text: string): number | typeof NOW {
  const value = text.replace(/^base=/, '').replace(GUEST_CLOCK, '');
  if (value === NOW || value === 'utc') return NOW;
  const match = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?$/.test(value);
  const time = match ? Date.parse(value.includes('T') ? `${value}Z` : value) : Number.NaN;
  // Date.parse takes a 30th of February for the 2nd of March, and hour 24 for the next day.
  const exists = time >= 0 && new Date(time).toISOString().startsWith(value);
  if (!exists) throw new UsageError(`expected a date such as 2025-01-31T12:00:00 or 'now', got '${text}'`);
  return time / 1000;
}

/** How many of each a level of the topology has; the harts are their product. */
const TOPOLOGY = ['sockets', 'dies', 'clusters', 'cores', 'threads'];

/** Harts as QEMU's -smp: `4`, `cpus=4`, `4,cores=4`, `cores=2,threads=2`; the topology must come to as many. */
export function parseHarts(text: string): number {
  const number = parseInteger(1, MAX_HARTS);
  const its = settings(text, isSetting(text) ? undefined : 'cpus', ['cpus', 'maxcpus', ...TOPOLOGY], '-smp');
  const levels = TOPOLOGY.flatMap((level) => its.get(level) ?? []).map(number);
  const product = levels.reduce((all, count) => all * count, 1);
  const cpus = number(its.get('cpus') ?? its.get('maxcpus') ?? String(product));
  // QEMU fills in the level that is not given.
  if (levels.length === TOPOLOGY.length ? product !== cpus : cpus % product !== 0) {
    throw new UsageError(`-smp ${text}: ${cpus} harts, and a topology of ${product}`);
  }
  const most = its.get('maxcpus');
  if (most !== undefined && number(most) !== cpus) {
    throw new UsageError(`-smp ${text}: no harts are added to a running machine; expected maxcpus=${cpus}`);
  }
  return cpus;
}

/** RAM as QEMU's -m: `512M`, `size=512M`. @returns bytes */
export function parseRam(text: string): number {
  if (!isSetting(text) && !text.includes(',')) return parseSize(text);
  const its = settings(text, isSetting(text) ? undefined : 'size', ['size'], '-m');
  return parseSize(its.get('size')!);
}

/** Whether a list of settings begins with a name and not with a bare value. */
export const isSetting = (text: string): boolean => /^[\w-]+=/.test(text);

/**
 * `first,key=value,…` (or all with keys); a doubled comma stands for one, as in QEMU. `known` undefined: any key.
 */
export function settings(
  text: string,
  first: string | undefined,
  known: readonly string[] | undefined,
  flag: string,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const parts = text.replaceAll(',,', '\0').split(',');
  for (const [n, part] of parts.map((piece) => piece.replaceAll('\0', ',')).entries()) {
    const equals = part.indexOf('=');
    const isFirst = n === 0 && first !== undefined;
    const name = isFirst ? first : part.slice(0, equals);
    if ((equals < 1 && !isFirst) || part === '') throw new UsageError(`expected KEY=VALUE in ${flag}, got '${part}'`);
    if (known && !isFirst && !known.includes(name)) {
      throw new UsageError(`${flag} does not know '${name}'${didYouMean(name, known)}; it knows ${known.join(', ')}`);
    }
    if (found.has(name)) throw new UsageError(`'${name}' stands twice in ${flag} ${text}`);
    found.set(name, isFirst ? part : part.slice(equals + 1));
  }
  return found;
}

const DISK_UNITS: Record<string, number> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** A plain number counts bytes, as in QEMU; whole sectors, and no more than fits into an array. */
function diskSize(text: string): number {
  const match = /^(\d+)([KMG]?)$/i.exec(text);
  const bytes = match ? Number(match[1]) * DISK_UNITS[match[2]!.toUpperCase()]! : 0;
  if (bytes > 0 && bytes <= MAX_RANDOM_BYTES && bytes % SECTOR_BYTES === 0) return bytes;
  throw new UsageError(`expected size= a multiple of ${SECTOR_BYTES} bytes up to 1G, such as 64K, got '${text}'`);
}

function isOn(its: ReadonlyMap<string, string>, name: string): boolean {
  const value = its.get(name) ?? 'off';
  if (value === 'on' || value === 'off') return value === 'on';
  throw new UsageError(`expected ${name}=on or ${name}=off, got '${value}'`);
}

function portOf(its: ReadonlyMap<string, string>, name: string): number | undefined {
  const value = its.get(name);
  if (value === undefined) return undefined;
  const port = /^\d+$/.test(value) ? Number(value) : 0;
  if (port >= 1 && port <= 65535) return port;
  throw new UsageError(`expected ${name}= a port from 1 to 65535, got '${value}'`);
}
