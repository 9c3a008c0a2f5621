/**
 * Watched ranges of RAM: those of users may overlap, the core gets disjoint ones. Accesses of harts are recorded by the
 * core and handed over from here, those of devices, inputs and resets are seen here; all in order.
 * Relies on whoever stores to RAM from outside saying so before. No state: nothing in the machine can see it.
 */
import { invariant } from '../../base/index.ts';
import { ACCESS, CONSTANTS, type Core, MACHINE, offsetOf, WATCH } from '../../core/index.ts';
import { RAM_BASE } from '../board/index.ts';
import { createClock } from '../bus/index.ts';
import { modeOf } from '../events.ts';
import type { Watch, WatchHit } from '../types.ts';

/** On whose behalf RAM is stored to or read from outside of a hart. */
export type StoredBy = Pick<WatchHit, 'by' | 'device' | 'request'>;

export interface AccessObserver {
  /** Watches these ranges, and no others. */
  watch(watches: readonly Watch[]): void;
  /** Hands over what harts have accessed so far, oldest first. */
  drain(): void;
  /** Forgets what has not been handed over. */
  forget(): void;
  /** Bytes are about to be stored at an offset from the start of RAM. */
  storing(offset: number, bytes: Uint8Array, by: StoredBy): void;
  /** Bytes are read from an offset from the start of RAM. */
  reading(offset: number, bytes: number, by: StoredBy): void;
}

const word = (name: string) => (CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, name)) >> 2;
const COUNT = word('accessesCount');
const STOP = word('stopWatchpoint');
const at = (name: string) => offsetOf(ACCESS, name);
const KINDS: Readonly<Record<number, WatchHit['by']>> = {
  [CONSTANTS.ACCESS_LOAD]: 'load',
  [CONSTANTS.ACCESS_STORE]: 'store',
  [CONSTANTS.ACCESS_TABLE_READ]: 'table-read',
  [CONSTANTS.ACCESS_TABLE_WRITE]: 'table-write',
};

/** What makes of a kind of access, WATCH_READS or WATCH_WRITES, the bit that says that run() stops behind it. */
const STOPS_OF_KIND = CONSTANTS.WATCH_STOPS_READS / CONSTANTS.WATCH_READS;

/** A range of offsets from the start of RAM, and WATCH_* bits. */
interface Segment {
  readonly from: number;
  readonly to: number;
  readonly kinds: number;
}

/** `tell`: who is told; undefined when there is none. */
export function createAccessObserver(core: Core, tell: () => ((access: WatchHit) => void) | undefined): AccessObserver {
  const u8 = new Uint8Array(core.memory.buffer);
  const u32 = new Uint32Array(core.memory.buffer);
  const view = new DataView(core.memory.buffer);
  const ram = core.machineNumber('ramHost');
  const ramBytes = core.machineNumber('ramBytes');
  const ring = core.machineNumber('accessesHost');
  const clock = createClock(u32);
  let segments: readonly Segment[] = [];

  const drain = () => {
    const count = u32[COUNT]!;
    if (count === 0) return;
    // Emptied first: whoever is told may look at the machine and come back here.
    u32[COUNT] = 0;
    const listener = tell();
    if (!listener) return;
    const records = u8.slice(ring, ring + count * ACCESS.sizeBytes);
    const copy = new DataView(records.buffer);
    for (let n = 0; n < count; n++) listener(accessOf(copy, n * ACCESS.sizeBytes, ram));
  };
  const outside = (offset: number, bytes: number, kind: number, by: StoredBy, after?: Uint8Array) => {
    for (const { from, to, kinds } of segments) {
      if (from >= offset + bytes) break;
      if (to <= offset || !(kinds & kind)) continue;
      drain();
      if (kinds & (kind * STOPS_OF_KIND)) u32[STOP] = 1;
      const listener = tell();
      if (!listener) continue;
      const end = Math.min(to, offset + bytes);
      for (let start = Math.max(from, offset); start < end; ) {
        const size = pieceAt(start, end);
        const before = numberAt(u8, ram + start, size);
        const now = after ? numberAt(after, start - offset, size) : before;
        listener({ ...clock.before(), ...by, paddr: RAM_BASE + start, bytes: size, before, after: now });
        start += size;
      }
    }
  };
  return {
    watch(watches) {
      segments = disjoint(watches, ramBytes);
      invariant(
        segments.length <= CONSTANTS.MAX_WATCHES,
        `${segments.length} watched ranges, more than there is room for`,
      );
      const list = core.machineNumber('watchesHost');
      for (const [n, { from, to, kinds }] of segments.entries()) {
        const record = list + n * WATCH.sizeBytes;
        view.setUint32(record + offsetOf(WATCH, 'from'), ram + from, true);
        view.setUint32(record + offsetOf(WATCH, 'to'), ram + to, true);
        view.setUint32(record + offsetOf(WATCH, 'kinds'), kinds, true);
      }
      core.arch.setWatches(segments.length);
    },
    drain,
    forget() {
      u32[COUNT] = 0;
      u32[STOP] = 0;
    },
    storing(offset, bytes, by) {
      if (segments.length > 0) outside(offset, bytes.length, CONSTANTS.WATCH_WRITES, by, bytes);
    },
    reading(offset, bytes, by) {
      if (segments.length > 0) outside(offset, bytes, CONSTANTS.WATCH_READS, by);
    },
  };
}

/** Cuts ranges so that none overlap; where several do, what any of them asks for counts. Asserts that they are RAM. */
function disjoint(watches: readonly Watch[], ramBytes: number): Segment[] {
  const all = watches.map(({ paddr, bytes, reads, writes, stops }): Segment => {
    const from = paddr - RAM_BASE;
    invariant(from >= 0 && bytes > 0 && from + bytes <= ramBytes, `a watch of ${bytes} bytes at ${paddr}, not in RAM`);
    const observed = (reads ? CONSTANTS.WATCH_READS : 0) | (writes ? CONSTANTS.WATCH_WRITES : 0);
    const kinds = observed * (stops ? 1 + STOPS_OF_KIND : 1);
    return { from, to: from + bytes, kinds };
  });
  all.sort((a, b) => a.from - b.from);
  const edges = [...new Set(all.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const segments: Segment[] = [];
  let next = 0;
  let open: Segment[] = [];
  for (const [n, from] of edges.entries()) {
    open = open.filter(({ to }) => to > from);
    for (; next < all.length && all[next]!.from === from; next++) open.push(all[next]!);
    const kinds = open.reduce((sum, its) => sum | its.kinds, 0);
    const last = segments.at(-1);
    if (open.length === 0) continue;
    if (last && last.to === from && last.kinds === kinds)
      segments[segments.length - 1] = { ...last, to: edges[n + 1]! };
    else segments.push({ from, to: edges[n + 1]!, kinds });
  }
  return segments;
}

/** Size of the largest aligned piece at `start` that does not reach beyond `end`: 1, 2, 4 or 8. */
function pieceAt(start: number, end: number): number {
  let size = 8;
  while (start % size !== 0 || start + size > end) size /= 2;
  return size;
}

function numberAt(bytes: Uint8Array, from: number, size: number): bigint {
  let value = 0n;
  for (let n = size - 1; n >= 0; n--) value = (value << 8n) | BigInt(bytes[from + n]!);
  return value;
}

function accessOf(view: DataView, record: number, ram: number): WatchHit {
  const u64 = (name: string) => view.getBigUint64(record + at(name), true);
  return {
    moment: Number(u64('moment')),
    ticks: Number(u64('ticks')),
    by: KINDS[view.getUint8(record + at('kind'))]!,
    hart: view.getUint8(record + at('hart')),
    pc: u64('pc'),
    mode: modeOf(view.getUint8(record + at('mode'))),
    vmid: view.getUint32(record + at('vmid'), true),
    paddr: view.getUint32(record + at('host'), true) - ram + RAM_BASE,
    bytes: view.getUint8(record + at('bytes')),
    before: u64('before'),
    after: u64('after'),
  };
}
