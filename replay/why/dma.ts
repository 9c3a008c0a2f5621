/**
 * What a device's write to RAM carried: which byte of a disk, which frame or typed byte from outside. Executes the
 * device's turn once more and looks at the descriptors that it reads.
 * Relies on drivers leaving a request's descriptors and header alone until it is served; else it only names the device.
 * @see Virtual I/O Device 1.2, sections 2.7, 5.1, 5.2 and 5.3
 */
import { isRam, type Machine, RAM_BASE, SECTOR_BYTES, type VirtioConfig, type WatchHit } from '../../engine/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import type { AccessHit } from '../watch/index.ts';
import { typedByte } from './typed.ts';

export type Carried =
  | { readonly kind: 'disk'; readonly sector: number; readonly offset: number }
  /** Byte of an input of the trace. */
  | { readonly kind: 'net' | 'console'; readonly index: number; readonly byte: number };

interface Span {
  readonly paddr: number;
  readonly bytes: number;
  readonly isWritten: boolean;
}

const RECEIVE_QUEUE = 0;
const DESCRIPTOR_BYTES = 16;
const MAX_DESCRIPTORS = 1024;
/** Descriptors that are tried as the first of a chain. */
const MAX_TABLES = 16;
const FLAG_NEXT = 1;
const FLAG_WRITE = 2;
const FLAG_INDIRECT = 4;
const HEADER_BYTES = 16;
const DISK_READ = 0;
/** struct virtio_net_hdr, with and without num_buffers. */
const FRAME_HEADERS = [12, 10] as const;

/** What lies at `paddr` behind a device's access there; undefined: nothing of these. Moves the run. */
export function carriedBy(run: TraceTimeline, hit: AccessHit, paddr: number): Carried | undefined {
  const { device, request, ticks } = hit;
  const plugged = pluggedAs(run.machine, device);
  if (!plugged || !request) return undefined;
  const tables = descriptorsRead(run, hit);
  run.toTicks(ticks, 'applied');
  const { machine } = run;
  // In one turn a device may serve several queues: the chain is the one that has the address.
  for (const first of tables) {
    const spans = chainAt(machine, first - DESCRIPTOR_BYTES * request.head, request.head);
    const at = offsetIn(
      spans.filter(({ isWritten }) => isWritten),
      paddr,
    );
    if (at !== undefined) return contentAt(run, hit, plugged, request.queue, spans, at);
  }
  return undefined;
}

function contentAt(
  run: TraceTimeline,
  { ticks }: AccessHit,
  plugged: VirtioConfig,
  queue: number,
  spans: readonly Span[],
  at: number,
): Carried | undefined {
  if (plugged.kind === 'block') return ofDisk(run.machine, spans, at);
  if (queue !== RECEIVE_QUEUE) return undefined;
  if (plugged.kind === 'net') return ofFrame(run, plugged.slot, spans, at, ticks);
  if (plugged.kind === 'console') {
    const typed = typedByte(run, ticks, at);
    return typed && { kind: 'console', ...typed };
  }
  return undefined;
}

function pluggedAs({ config }: Machine, device: string | undefined): VirtioConfig | undefined {
  const slot = /^virtio(\d+)$/.exec(device ?? '')?.[1];
  return slot === undefined ? undefined : config.virtio?.find((its) => its.slot === Number(slot));
}

/** Addresses of 16 bytes that the device reads at once in a turn: descriptors are among them, in order. */
function descriptorsRead(run: TraceTimeline, { ticks, device }: AccessHit): readonly number[] {
  const { machine } = run;
  run.toTicks(ticks, 'applied');
  const reads: WatchHit[] = [];
  const { watches, onWatchHit } = machine;
  machine.watches = [{ paddr: RAM_BASE, bytes: machine.config.ramBytes, reads: true }];
  machine.onWatchHit = (hit) => {
    if (hit.by === 'dma-read' && hit.device === device && reads.length < 2 * MAX_DESCRIPTORS) reads.push(hit);
  };
  try {
    run.forwardToTicks(ticks + 1, 'pending');
  } finally {
    machine.onWatchHit = onWatchHit;
    machine.watches = watches;
  }
  const half = DESCRIPTOR_BYTES / 2;
  const isHalf = (n: number, paddr: number) => reads[n]?.paddr === paddr && reads[n]?.bytes === half;
  const found = reads.filter(({ paddr }, n) => isHalf(n, paddr) && isHalf(n + 1, paddr + half));
  return found.slice(0, MAX_TABLES).map(({ paddr }) => paddr);
}

/** The buffers of a chain. */
function chainAt(machine: Machine, table: number, head: number): readonly Span[] {
  const spans: Span[] = [];
  let [base, index] = [table, head];
  for (let n = 0; n < MAX_DESCRIPTORS; n++) {
    const at = base + DESCRIPTOR_BYTES * index;
    if (!isRam(machine, at, DESCRIPTOR_BYTES)) break;
    const view = viewOf(machine.readPhysical(at, DESCRIPTOR_BYTES));
    const paddr = Number(view.getBigUint64(0, true));
    const bytes = view.getUint32(8, true);
    const flags = view.getUint16(12, true);
    if (flags & FLAG_INDIRECT) {
      [base, index] = [paddr, 0];
      continue;
    }
    spans.push({ paddr, bytes, isWritten: (flags & FLAG_WRITE) !== 0 });
    if (!(flags & FLAG_NEXT)) break;
    index = view.getUint16(14, true);
  }
  return spans;
}

/** How many bytes lie before an address in some buffers. */
function offsetIn(spans: readonly Span[], paddr: number): number | undefined {
  let before = 0;
  for (const span of spans) {
    if (paddr >= span.paddr && paddr < span.paddr + span.bytes) return before + paddr - span.paddr;
    before += span.bytes;
  }
  return undefined;
}

function ofDisk(machine: Machine, spans: readonly Span[], at: number): Carried | undefined {
  const header = contentOf(
    machine,
    spans.filter(({ isWritten }) => !isWritten),
    HEADER_BYTES,
  );
  const written = spans.filter(({ isWritten }) => isWritten).reduce((sum, { bytes }) => sum + bytes, 0);
  // The last byte is the status.
  if (header.length < HEADER_BYTES || at >= written - 1) return undefined;
  const view = viewOf(header);
  if (view.getUint32(0, true) !== DISK_READ) return undefined;
  const offset = Number(view.getBigUint64(8, true)) * SECTOR_BYTES + at;
  return { kind: 'disk', sector: Math.floor(offset / SECTOR_BYTES), offset };
}

/** The latest frame from outside that is what was written. */
function ofFrame(
  run: TraceTimeline,
  slot: number,
  spans: readonly Span[],
  at: number,
  ticks: number,
): Carried | undefined {
  const { player, machine } = run;
  run.toTicks(ticks + 1, 'pending');
  const written = spans.filter(({ isWritten }) => isWritten);
  const content = contentOf(machine, written, Number.POSITIVE_INFINITY);
  for (let index = player.inputsBefore(ticks + 1) - 1; index >= 0; index--) {
    const { event } = player.inputs.at(index)!;
    if (event.kind !== 'net' || event.slot !== slot) continue;
    for (const header of FRAME_HEADERS) {
      const byte = at - header;
      if (byte < 0 || byte >= event.bytes.length || header + event.bytes.length > content.length) continue;
      if (event.bytes.every((its, n) => its === content[header + n])) return { kind: 'net', index, byte };
    }
  }
  return undefined;
}

function contentOf(machine: Machine, spans: readonly Span[], most: number): Uint8Array {
  const all: number[] = [];
  for (const { paddr, bytes } of spans) {
    const size = Math.min(bytes, most - all.length);
    if (size <= 0 || !isRam(machine, paddr, size)) break;
    for (const byte of machine.readPhysical(paddr, size)) all.push(byte);
  }
  return Uint8Array.from(all);
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
