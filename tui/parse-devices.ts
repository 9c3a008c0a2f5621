/**
 * QEMU's lists of settings, `-drive`, `-netdev` and `-device`, to what they say. Which drive belongs to which device is
 * worked out in commands/devices.ts. Every function throws UsageError with what was expected.
 */
import { SECTOR_BYTES } from '../engine/index.ts';
import { UsageError } from './errors.ts';
import { parseSeed } from './parse.ts';

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
export type NetdevFlag =
  | { readonly kind: 'builtin'; readonly id: string }
  | { readonly kind: 'udp'; readonly id: string; readonly port: number; readonly peer?: number };
export interface DeviceFlag {
  readonly driver: string;
  readonly settings: ReadonlyMap<string, string>;
}

/** `file=disk.img,format=raw,readonly=on,id=d0,if=none`; `random=SEED,size=64K` in place of the file. */
export function parseDrive(text: string): DriveFlag {
  const its = settings(
    text,
    undefined,
    ['file', 'random', 'size', 'format', 'readonly', 'id', 'if', 'media'],
    '-drive',
  );
  const format = its.get('format') ?? 'raw';
  if (format !== 'raw')
    throw new UsageError(`format=${format}: only raw images can be used; 'qemu-img convert -O raw'`);
  const kind = its.get('if') ?? 'virtio';
  if (kind !== 'virtio' && kind !== 'none') throw new UsageError(`if=${kind}: the board has virtio (or none) only`);
  if ((its.get('media') ?? 'disk') !== 'disk') throw new UsageError(`media=${its.get('media')}: expected disk`);
  const [file, random, size] = [its.get('file'), its.get('random'), its.get('size')];
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
  if (kind !== 'udp') throw new UsageError(`-netdev ${kind}: expected builtin or udp, such as builtin,id=n0`);
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

/** `2025-01-31`, `2025-01-31T12:00:00` (UTC), `now`, all also behind `base=`. @returns seconds since 1970, or 'now' */
export function parseWallClock(text: string): number | 'now' {
  const value = text.replace(/^base=/, '');
  if (value === 'now' || value === 'utc') return 'now';
  const match = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?$/.test(value);
  const time = match ? Date.parse(value.includes('T') ? `${value}Z` : value) : Number.NaN;
  if (!(time >= 0)) throw new UsageError(`expected a date such as 2025-01-31T12:00:00 or 'now', got '${text}'`);
  return time / 1000;
}

/**
 * `first,key=value,…` (or all with keys); a doubled comma stands for one, as in QEMU. `known` undefined: any key.
 */
function settings(
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
      throw new UsageError(`${flag} does not know '${name}'; it knows ${known.join(', ')}`);
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
