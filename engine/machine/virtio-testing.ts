/**
 * A small virtio driver on a bench, for tests of the devices: sets queues up in the bench's RAM, adds chains, and reads
 * what came back. Written from the specification, apart from the devices' own code. The bench can be copied at any
 * time.
 */
import { offsetOf } from '../core/layout/index.ts';
import { plic } from '../devices/index.ts';
import { BENCH_RAM_BYTES, type Bench, createBench } from '../devices/testing.ts';
import { boardOf, RAM_BASE, slotOf } from './board/board.ts';
import { createMedia, type Hash, type Media } from './board/media.ts';
import { createBus } from './bus/bus.ts';
import type { Page, VirtioConfig } from './types.ts';

/** A bench with disks. */
export interface VirtioBench extends Bench {
  readonly media: Media;
  /** Written pages of the disks. */
  pages(): ReadonlyMap<number, Page>;
  /** Whether a device holds its interrupt source high. */
  input(source: number): boolean;
  /** Another one in the same state, made of what a snapshot holds. */
  copy(): VirtioBench;
}

/** FNV-1a with 64 bits: any hash will do here. */
const hash: Hash = (bytes) => {
  let h = 0xcbf29ce484222325n;
  for (const byte of bytes) h = BigInt.asUintN(64, (h ^ BigInt(byte)) * 0x100000001b3n);
  return h;
};

const INPUTS = (slotOf('plic').record + offsetOf(plic.record, 'level')) >> 2;
/**
 * Whether a device holds its interrupt source high. A request of the PLIC's outlives that, so pending bits do not tell.
 */
export const isInputHigh = (memory: ArrayBuffer, source: number): boolean =>
  ((new Uint32Array(memory)[INPUTS + (source >>> 5)]! >>> (source & 31)) & 1) === 1;

/** One hart, and the given devices. */
export function virtioBench(virtio: readonly VirtioConfig[], seed = 0n, from?: ArrayBuffer): VirtioBench {
  const media = createMedia(virtio, hash);
  const pages = new Map<number, Page>();
  const bench = createBench(
    (memory, observer) => {
      const u8 = new Uint8Array(memory, memory.byteLength - BENCH_RAM_BYTES);
      return createBus(memory, observer, {
        board: boardOf(virtio),
        wallClock: 0,
        seed,
        disk: (slot) => media.disk(slot),
        storeRam: (offset, bytes) => u8.set(bytes, offset),
      });
    },
    from,
    1,
  );
  const written = () => {
    for (const [index, page] of media.takeChanged()) pages.set(index, page);
    return pages;
  };
  return {
    ...bench,
    media,
    pages: written,
    input: (source) => isInputHigh(bench.memory, source),
    copy() {
      const other = virtioBench(virtio, seed, bench.memory);
      for (const [index, page] of written()) other.media.put(index, page);
      return other;
    },
  };
}

/** Where a driver keeps a queue, as offsets in RAM. */
export interface DriverQueue {
  readonly queue: number;
  readonly size: number;
  readonly desc: number;
  readonly avail: number;
  readonly used: number;
}

export interface DriverOptions {
  readonly indirect?: boolean;
  readonly eventIndex?: boolean;
  /** Features to accept besides. */
  readonly features?: number;
}

const FEATURE_INDIRECT = 1 << 28;
const FEATURE_EVENT_INDEX = 1 << 29;

/** Register access, features, queues. Holds no state that a copied bench would need. */
export class Driver {
  readonly bench: Bench;
  readonly base: number;
  readonly options: DriverOptions;

  constructor(bench: Bench, slot: number, options: DriverOptions = {}) {
    this.bench = bench;
    this.base = 0x10001000 + 0x1000 * slot;
    this.options = options;
  }

  get(offset: number, size = 4): number {
    return this.bench.load(this.base + offset, size)!;
  }
  set(offset: number, value: number, size = 4): void {
    this.bench.store(this.base + offset, size, value >>> 0);
  }
  get view(): DataView {
    return new DataView(this.bench.ram.buffer, this.bench.ram.byteOffset, this.bench.ram.byteLength);
  }

  /** The initialisation of section 3.1, with these queues. Returns whether the device took the features. */
  start(queues: readonly DriverQueue[]): boolean {
    this.set(0x70, 0);
    this.set(0x70, 1);
    this.set(0x70, 3);
    const { indirect, eventIndex, features = 0 } = this.options;
    const wanted = features | (indirect ? FEATURE_INDIRECT : 0) | (eventIndex ? FEATURE_EVENT_INDEX : 0);
    this.set(0x24, 0);
    this.set(0x20, wanted);
    this.set(0x24, 1);
    this.set(0x20, 1);
    this.set(0x70, 11);
    if ((this.get(0x70) & 8) === 0) return false;
    for (const its of queues) {
      this.bench.ram.fill(0, its.avail, its.avail + 6 + 2 * its.size);
      this.bench.ram.fill(0, its.used, its.used + 6 + 8 * its.size);
      this.set(0x30, its.queue);
      this.set(0x38, its.size);
      for (const [at, offset] of [
        [0x80, its.desc],
        [0x90, its.avail],
        [0xa0, its.used],
      ] as const) {
        this.set(at, RAM_BASE + offset);
        this.set(at + 4, 0);
      }
      this.set(0x44, 1);
    }
    this.set(0x70, 15);
    return true;
  }

  /** Adds a chain whose first descriptor is `head`: buffers for the device to read, then to write. */
  add(its: DriverQueue, head: number, out: readonly Buffer[], into: readonly Buffer[], tableAt: number): void {
    const all = [...out.map((buffer) => ({ ...buffer, flags: 0 })), ...into.map((buffer) => ({ ...buffer, flags: 2 }))];
    const { view } = this;
    const write = (at: number, address: number, bytes: number, flags: number, next: number) => {
      view.setBigUint64(at, BigInt(address), true);
      view.setUint32(at + 8, bytes, true);
      view.setUint16(at + 12, flags, true);
      view.setUint16(at + 14, next, true);
    };
    const table = this.options.indirect ? tableAt : its.desc;
    const first = this.options.indirect ? 0 : head;
    for (const [n, { at, bytes, flags }] of all.entries()) {
      const next = n + 1 < all.length ? 1 : 0;
      write(table + 16 * (first + n), RAM_BASE + at, bytes, flags | next, first + n + 1);
    }
    if (this.options.indirect) write(its.desc + 16 * head, RAM_BASE + tableAt, 16 * all.length, 4, 0);
    const index = view.getUint16(its.avail + 2, true);
    view.setUint16(its.avail + 4 + 2 * (index % its.size), head, true);
    view.setUint16(its.avail + 2, index + 1, true);
  }

  notify(its: DriverQueue): void {
    this.set(0x50, its.queue);
  }

  /** Chains returned so far, modulo 2^16. */
  usedIndex(its: DriverQueue): number {
    return this.view.getUint16(its.used + 2, true);
  }
  /** The `n`-th returned chain. */
  returned(its: DriverQueue, n: number): { readonly head: number; readonly written: number } {
    const at = its.used + 4 + 8 * (n % its.size);
    return { head: this.view.getUint32(at, true), written: this.view.getUint32(at + 4, true) };
  }
}

/** A range of RAM, as an offset from its start. */
export interface Buffer {
  readonly at: number;
  readonly bytes: number;
}
