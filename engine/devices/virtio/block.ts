/**
 * Virtio block device (Virtual I/O Device 1.2, section 5.2) on the board's disk: read, write, flush, get-id, discard,
 * write-zeroes. Requests are served one after another, each some tens of microseconds after the one before, drawn from
 * the device's seed, plus a nanosecond for each byte. What is discarded reads as zeros.
 * Writes reach the medium when the request completes, so a flush has nothing left to do.
 */
import { invariant } from '../../base/index.ts';
import type { Disk } from '../device.ts';
import { nextRandom, RANDOM_WORDS, seedRandom } from '../random.ts';
import type { VirtioModel, VirtioUnit } from './model.ts';
import { type Chain, gather, scatter } from './queue.ts';

const SECTOR_BYTES = 512;
const HEADER_BYTES = 16;
/** A discard or write-zeroes range: sector u64, sectors u32, flags u32. */
const RANGE_BYTES = 16;
const MAX_DATA_BYTES = 16 * 1024 * 1024;
const MAX_RANGE_SECTORS = MAX_DATA_BYTES / SECTOR_BYTES;
const MAX_SEGMENTS = 254;
const SERIAL_BYTES = 20;
const HIGH = 0x100000000;
/** Ticks between requests: BASE + 0 … SPREAD-1. */
const LATENCY_BASE = 20_000;
const LATENCY_SPREAD = 40_000;

const FEATURE = { segMax: 2, readOnly: 5, blockSize: 6, flush: 9, discard: 13, writeZeroes: 14 } as const;
const REQUEST = { in: 0, out: 1, flush: 4, getId: 8, discard: 11, writeZeroes: 13 } as const;
const STATUS = { ok: 0, ioError: 1, unsupported: 2 } as const;
const WRITE_ZEROES_UNMAP = 1;

export const block: VirtioModel = {
  name: 'block',
  deviceId: 2,
  queues: 1,
  configBytes: 60,
  maxChainBytes: MAX_DATA_BYTES + HEADER_BYTES + 1,
  fields: [{ name: 'random', type: 'u32', count: RANDOM_WORDS, doc: 'generator of latencies' }],
  features(unit) {
    const bits: number[] = [FEATURE.segMax, FEATURE.blockSize, FEATURE.flush];
    bits.push(...(disk(unit).readOnly ? [FEATURE.readOnly] : [FEATURE.discard, FEATURE.writeZeroes]));
    return bits.reduce((all, bit) => all | (1 << bit), 0);
  },
  powerOn: (unit) => seedRandom(unit.port, unit.at('random'), unit.port.board.seed),
  config: (unit, offset) => configuration(disk(unit))[offset]!,
  latency: (unit) => LATENCY_BASE + (nextRandom(unit.port, unit.at('random')) % LATENCY_SPREAD),
  work(unit) {
    const chain = unit.take(0);
    if (!chain) return 0;
    if (chain.outBytes < HEADER_BYTES || chain.inBytes < 1) {
      unit.fail();
      return 0;
    }
    const { status, written } = unit.port.board.takeFault('ioError') ? FAILED : serve(unit, chain);
    scatter(unit.port.board, chain.in, Uint8Array.of(status), chain.inBytes - 1);
    unit.give(0, chain, written + 1);
    return block.latency(unit) + chain.outBytes + chain.inBytes;
  },
};

interface Outcome {
  readonly status: number;
  readonly written: number;
}
const FAILED: Outcome = { status: STATUS.ioError, written: 0 };

function serve(unit: VirtioUnit, chain: Chain): Outcome {
  const out = gather(unit.port.board, chain.out, chain.outBytes);
  if (!out) return FAILED;
  const view = new DataView(out.buffer);
  const sector = view.getUint32(8, true) + HIGH * view.getUint32(12, true);
  const data = out.subarray(HEADER_BYTES);
  switch (view.getUint32(0, true)) {
    case REQUEST.in:
      return read(unit, chain, sector);
    case REQUEST.out:
      return write(disk(unit), sector, data);
    case REQUEST.flush:
      return { status: STATUS.ok, written: 0 };
    case REQUEST.getId: {
      const serial = new Uint8Array(Math.min(SERIAL_BYTES, chain.inBytes - 1));
      serial.set(new TextEncoder().encode(disk(unit).serial).subarray(0, serial.length));
      scatter(unit.port.board, chain.in, serial);
      return { status: STATUS.ok, written: serial.length };
    }
    case REQUEST.discard:
      return clearRanges(disk(unit), data, 0);
    case REQUEST.writeZeroes:
      return clearRanges(disk(unit), data, WRITE_ZEROES_UNMAP);
    default:
      return { status: STATUS.unsupported, written: 0 };
  }
}

function read(unit: VirtioUnit, chain: Chain, sector: number): Outcome {
  const bytes = chain.inBytes - 1;
  if (!isWithin(disk(unit), sector, bytes)) return FAILED;
  scatter(unit.port.board, chain.in, disk(unit).read(sector * SECTOR_BYTES, bytes));
  return { status: STATUS.ok, written: bytes };
}

function write(its: Disk, sector: number, data: Uint8Array): Outcome {
  if (its.readOnly || !isWithin(its, sector, data.length)) return FAILED;
  its.write(sector * SECTOR_BYTES, data);
  return { status: STATUS.ok, written: 0 };
}

/** Zeroes the one range that a request may name (max_discard_seg is 1). */
function clearRanges(its: Disk, data: Uint8Array, allowedFlags: number): Outcome {
  if (data.length !== RANGE_BYTES) return FAILED;
  const view = new DataView(data.buffer, data.byteOffset, RANGE_BYTES);
  const sector = view.getUint32(0, true) + HIGH * view.getUint32(4, true);
  const sectors = view.getUint32(8, true);
  if (view.getUint32(12, true) & ~allowedFlags) return { status: STATUS.unsupported, written: 0 };
  if (sectors > MAX_RANGE_SECTORS) return FAILED;
  return write(its, sector, new Uint8Array(sectors * SECTOR_BYTES));
}

const isWithin = (its: Disk, sector: number, bytes: number): boolean =>
  bytes % SECTOR_BYTES === 0 && sector * SECTOR_BYTES + bytes <= its.sizeBytes;

/** struct virtio_blk_config (5.2.4). */
function configuration(its: Disk): Uint8Array {
  const bytes = new Uint8Array(block.configBytes);
  const view = new DataView(bytes.buffer);
  const sectors = its.sizeBytes / SECTOR_BYTES;
  view.setUint32(0, sectors >>> 0, true);
  view.setUint32(4, Math.floor(sectors / HIGH), true);
  view.setUint32(12, MAX_SEGMENTS, true);
  view.setUint32(20, SECTOR_BYTES, true);
  if (its.readOnly) return bytes;
  for (const at of [36, 48]) {
    view.setUint32(at, MAX_RANGE_SECTORS, true);
    view.setUint32(at + 4, 1, true);
  }
  view.setUint32(44, 1, true);
  bytes[56] = 1;
  return bytes;
}

function disk(unit: VirtioUnit): Disk {
  const its = unit.port.board.disk;
  invariant(its !== undefined, 'a virtio block device without a disk');
  return its;
}
