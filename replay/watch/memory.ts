/**
 * An observer of memory: each write or read of some bytes, by whomever, is a hit, and so is a change of the tables that
 * makes their address lead elsewhere. Relies on the machine for reporting every access to what it watches.
 */
import type { Machine, Watch, WatchHit } from '../../engine/index.ts';
import type { Addressed, PhysicalRange } from '../language/index.ts';
import type { Hit, Observer } from '../search/index.ts';
import { type Followed, follow, sameRanges } from './follow.ts';

/** Bytes to watch, and which accesses to them count. */
export interface WatchedMemory {
  readonly at: Addressed;
  readonly bytes: number;
  readonly reads?: boolean;
  readonly writes?: boolean;
  /** Of writes only those that change a byte. */
  readonly changes?: boolean;
}

/** Who accessed: what the machine says of it. */
type By = Pick<WatchHit, 'by' | 'device' | 'request' | 'hart' | 'pc' | 'mode' | 'vmid'>;

/** One instruction's access, one device's turn, or one input. */
export interface AccessHit extends Hit, By {
  readonly kind: 'access';
  /** What was accessed: in order of address as a rule, at most so many. Longer transfers have more in `further`. */
  readonly parts: Pick<WatchHit, 'paddr' | 'bytes' | 'before' | 'after'>[];
  /** Parts that there was no room for. */
  further: number;
}

/** A table entry was changed and the address leads elsewhere since. */
export interface MappingHit extends Hit, By {
  readonly kind: 'mapping';
  /** The table entry, and its value before and after. */
  readonly entry: Pick<WatchHit, 'paddr' | 'bytes' | 'before' | 'after'>;
  readonly from: readonly PhysicalRange[];
  readonly to: readonly PhysicalRange[];
}

export type MemoryHit = AccessHit | MappingHit;

const ENTRY_BYTES = 8;
/** Parts of one access that are kept: a transfer of a page has 512. */
const MAX_PARTS = 64;
const READS: readonly WatchHit['by'][] = ['load', 'table-read', 'dma-read'];

export function memoryObserver(memory: WatchedMemory): Observer<MemoryHit> {
  let now: Followed = { ranges: [], entries: [] };
  let last: AccessHit | undefined;
  /** Changed entries whose effect is not known yet: the instruction has to be over. */
  let changed: WatchHit | undefined;

  function watches(machine: Machine): readonly Watch[] {
    now = follow(machine, memory.at, memory.bytes);
    last = undefined;
    changed = undefined;
    const kinds = { ...(memory.reads && { reads: true }), ...((memory.writes || memory.changes) && { writes: true }) };
    return [
      ...now.ranges.map((range) => ({ ...range, ...kinds })),
      ...now.entries.map((paddr) => ({ paddr, bytes: ENTRY_BYTES, writes: true, stops: true })),
    ];
  }

  function accessed(hit: WatchHit): MemoryHit | undefined {
    const isRead = READS.includes(hit.by);
    const touches = (paddr: number, bytes: number) => paddr < hit.paddr + hit.bytes && hit.paddr < paddr + bytes;
    if (!isRead && hit.before !== hit.after && now.entries.some((paddr) => touches(paddr, ENTRY_BYTES)))
      changed ??= hit;
    if (!now.ranges.some(({ paddr, bytes }) => touches(paddr, bytes))) return undefined;
    if (isRead ? !memory.reads : memory.changes ? !changes(hit, now.ranges) : !memory.writes) return undefined;
    const { paddr, bytes, before, after } = hit;
    if (last && isSameAccess(last, hit)) {
      if (last.parts.length < MAX_PARTS) last.parts.push({ paddr, bytes, before, after });
      else last.further++;
      return undefined;
    }
    last = { kind: 'access', ...positionOf(hit), ...byOf(hit), parts: [{ paddr, bytes, before, after }], further: 0 };
    return last;
  }

  function moved(machine: Machine): MappingHit | undefined {
    const hit = changed;
    changed = undefined;
    if (!hit) return undefined;
    const { ranges } = follow(machine, memory.at, memory.bytes);
    if (sameRanges(ranges, now.ranges)) return undefined;
    const { paddr, bytes, before, after } = hit;
    const entry = { paddr, bytes, before, after };
    return { kind: 'mapping', ...positionOf(hit), ...byOf(hit), entry, from: now.ranges, to: ranges };
  }

  return { watches, accessed, stopped: (stop, machine) => (stop.kind === 'watchpoint' ? moved(machine) : undefined) };
}

/** Whether an access changes a byte of the ranges; it may reach beyond them. */
function changes(hit: WatchHit, ranges: readonly PhysicalRange[]): boolean {
  const isIn = (paddr: number) => ranges.some((range) => paddr >= range.paddr && paddr < range.paddr + range.bytes);
  for (let n = 0, bits = hit.before ^ hit.after; bits !== 0n; n++, bits >>= 8n) {
    if ((bits & 0xffn) !== 0n && isIn(hit.paddr + n)) return true;
  }
  return false;
}

const isSameAccess = (a: AccessHit, b: WatchHit): boolean =>
  a.ticks === b.ticks && a.by === b.by && a.hart === b.hart && a.device === b.device;

/** An input happens at its own position, everything else behind the inputs of its. */
const positionOf = ({ moment, ticks, by }: WatchHit): Hit => ({
  moment,
  ticks,
  here: by === 'input' ? 'pending' : 'applied',
});

function byOf({ by, device, request, hart, pc, mode, vmid }: WatchHit): By {
  return {
    by,
    ...(device !== undefined && { device }),
    ...(request && { request }),
    ...(hart !== undefined && { hart }),
    ...(pc !== undefined && { pc }),
    ...(mode && { mode }),
    ...(vmid !== undefined && { vmid }),
  };
}
