/**
 * Split virtqueues (Virtual I/O Device 1.2, section 2.7) in guest RAM, seen from the device: takes descriptor chains,
 * returns them as used, and knows when the driver wants an interrupt.
 *
 * Everything in the rings is written by software that may be hostile. A chain is checked before it is handed out:
 * loops, lengths, buffers outside RAM end in `undefined` and the caller puts the device into NEEDS_RESET. The rings
 * themselves may lie anywhere, even over each other; that harms only the guest.
 */
import type { Board } from '../device.ts';

/** Where a queue lies and how far it got. Addresses are exact below 2^53; above, they are in no RAM anyway. */
export interface Queue {
  /** Entries, 1 to QUEUE_ENTRIES. */
  readonly size: number;
  readonly desc: number;
  readonly avail: number;
  readonly used: number;
  /** Chains taken so far, modulo 2^16. */
  readonly lastAvail: number;
  /** Chains returned so far, modulo 2^16. */
  readonly usedIndex: number;
  /** VIRTIO_F_EVENT_IDX was negotiated. */
  readonly eventIndex: boolean;
}

/** A buffer in RAM. */
export interface Span {
  readonly paddr: number;
  readonly bytes: number;
}

export interface Chain {
  /** Index of its first descriptor: its name. */
  readonly head: number;
  /** What the device reads, then what it writes. */
  readonly out: readonly Span[];
  readonly in: readonly Span[];
  readonly outBytes: number;
  readonly inBytes: number;
}

export const QUEUE_ENTRIES = 1024;
const DESC_BYTES = 16;
const FLAG_NEXT = 1;
const FLAG_WRITE = 2;
const FLAG_INDIRECT = 4;
const AVAIL_NO_INTERRUPT = 1;
const HIGH = 0x100000000;

/** Chains that wait to be taken; undefined when the ring is not in RAM or claims more than it can hold. */
export function waiting(board: Board, queue: Queue): number | undefined {
  const index = read16(board, queue.avail + 2);
  if (index === undefined) return undefined;
  const count = (index - queue.lastAvail) & 0xffff;
  return count > queue.size ? undefined : count;
}

/** Asks the driver to tell about the next chain that it adds (event index), after none was left. False: not in RAM. */
export function askForNotice(board: Board, queue: Queue): boolean {
  return !queue.eventIndex || write16(board, queue.used + 4 + 8 * queue.size, queue.lastAvail);
}

/** The next chain, which must be waiting; undefined when it is not what the specification allows, or too long. */
export function takeChain(board: Board, queue: Queue, maxBytes: number): Chain | undefined {
  const head = read16(board, queue.avail + 4 + 2 * (queue.lastAvail % queue.size));
  if (head === undefined || head >= queue.size) return undefined;
  const walk: Walk = { out: [], in: [], outBytes: 0, inBytes: 0 };
  if (!walkTable(board, { at: queue.desc, entries: queue.size, indirect: false }, head, walk)) return undefined;
  return walk.outBytes + walk.inBytes > maxBytes ? undefined : { head, ...walk };
}

/**
 * Returns a chain, `written` bytes of which were written. `queue.usedIndex` is that before. 'interrupt' when the driver
 * wants to know, undefined when the ring is not in RAM.
 */
export function returnChain(
  board: Board,
  queue: Queue,
  head: number,
  written: number,
): 'interrupt' | 'quiet' | undefined {
  const entry = new Uint8Array(8);
  const view = new DataView(entry.buffer);
  view.setUint32(0, head, true);
  view.setUint32(4, written, true);
  const index = (queue.usedIndex + 1) & 0xffff;
  if (!board.writeRam(queue.used + 4 + 8 * (queue.usedIndex % queue.size), entry)) return undefined;
  if (!write16(board, queue.used + 2, index)) return undefined;
  if (queue.eventIndex) {
    const event = read16(board, queue.avail + 4 + 2 * queue.size);
    if (event === undefined) return undefined;
    return event === queue.usedIndex ? 'interrupt' : 'quiet';
  }
  const flags = read16(board, queue.avail);
  if (flags === undefined) return undefined;
  return flags & AVAIL_NO_INTERRUPT ? 'quiet' : 'interrupt';
}

/** All bytes of some spans, in order; undefined when one left RAM. */
export function gather(board: Board, spans: readonly Span[], bytes: number): Uint8Array | undefined {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const span of spans) {
    const part = board.readRam(span.paddr, Math.min(span.bytes, bytes - at));
    if (!part) return undefined;
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Writes bytes to spans from their byte `offset` on, as far as both reach. */
export function scatter(board: Board, spans: readonly Span[], bytes: Uint8Array, offset = 0): void {
  let skip = offset;
  let done = 0;
  for (const span of spans) {
    const room = Math.max(0, Math.min(span.bytes - skip, bytes.length - done));
    if (room > 0) board.writeRam(span.paddr + skip, bytes.subarray(done, done + room));
    done += room;
    skip = Math.max(0, skip - span.bytes);
  }
}

interface Walk {
  out: Span[];
  in: Span[];
  outBytes: number;
  inBytes: number;
}

interface Table {
  readonly at: number;
  readonly entries: number;
  readonly indirect: boolean;
}

/** Follows a chain through a table; false when it is malformed. */
function walkTable(board: Board, table: Table, first: number, walk: Walk): boolean {
  let index = first;
  // A chain longer than its table is a loop.
  for (let steps = 0; steps < table.entries; steps++) {
    if (index >= table.entries) return false;
    const raw = board.readRam(table.at + DESC_BYTES * index, DESC_BYTES);
    if (!raw) return false;
    const view = new DataView(raw.buffer, raw.byteOffset, DESC_BYTES);
    const paddr = view.getUint32(0, true) + HIGH * view.getUint32(4, true);
    const bytes = view.getUint32(8, true);
    const flags = view.getUint16(12, true);
    const next = view.getUint16(14, true);
    if (flags & FLAG_INDIRECT) {
      const entries = bytes / DESC_BYTES;
      const allowed = !table.indirect && !(flags & FLAG_NEXT) && Number.isInteger(entries);
      if (!allowed || entries < 1 || entries > QUEUE_ENTRIES) return false;
      return walkTable(board, { at: paddr, entries, indirect: true }, 0, walk);
    }
    if (!addSpan(board, { paddr, bytes }, (flags & FLAG_WRITE) !== 0, walk)) return false;
    if (!(flags & FLAG_NEXT)) return true;
    index = next;
  }
  return false;
}

function addSpan(board: Board, span: Span, write: boolean, walk: Walk): boolean {
  if (span.bytes === 0 || !board.hasRam(span.paddr, span.bytes)) return false;
  if (write) {
    walk.in.push(span);
    walk.inBytes += span.bytes;
    return true;
  }
  // What the device writes comes last (2.7.4.2).
  if (walk.in.length > 0) return false;
  walk.out.push(span);
  walk.outBytes += span.bytes;
  return true;
}

function read16(board: Board, paddr: number): number | undefined {
  const bytes = board.readRam(paddr, 2);
  return bytes && bytes[0]! | (bytes[1]! << 8);
}

const write16 = (board: Board, paddr: number, value: number): boolean =>
  board.writeRam(paddr, Uint8Array.of(value & 0xff, value >> 8));
