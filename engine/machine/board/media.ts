/**
 * Disks: an image each, which never changes, and the pages that were written over it. The pages are saved state that
 * lies outside linear memory, because a disk may be larger than it; they go into snapshots, digests and checkpoints as
 * pages with numbers beyond RAM's. Written pages that are part of a snapshot are shared with it and copied before the
 * next write.
 * Relies on the block device for staying within a disk.
 */

import { invariant } from '../../base/index.ts';
import { CONSTANTS } from '../../core/index.ts';
import type { Disk } from '../../devices/index.ts';
import type { Page, VirtioConfig } from '../types.ts';

const PAGE_BYTES = CONSTANTS.PAGE_BYTES;
/** Page numbers for each disk: slot n has those from (n + 1) * this. RAM has fewer pages. */
const PAGES_PER_DISK = 2 ** 28;

/** XXH64 of bytes, up to a page. */
export type Hash = (bytes: Uint8Array) => bigint;

export interface Media {
  disk(slot: number): Disk | undefined;
  /** Hash of everything written over the images: a sum that does not depend on the order of writes. */
  digest(): bigint;
  /** The pages written since the last call or `put`, hashed. They are shared from now on. */
  takeChanged(): ReadonlyMap<number, Page>;
  /** Numbers of those pages, without taking them. */
  changed(): Iterable<number>;
  /** Sets a page, or lets the image show again. It counts as unchanged. */
  put(index: number, page: Page | undefined): void;
}

/** The slot and byte offset of a page of a disk; undefined for a page of RAM. */
export function diskPlace(index: number): { readonly slot: number; readonly offset: number } | undefined {
  if (index < PAGES_PER_DISK) return undefined;
  return { slot: Math.floor(index / PAGES_PER_DISK) - 1, offset: (index % PAGES_PER_DISK) * PAGE_BYTES };
}

/** What a page of a disk holds before anything is written to it; zeros behind the end of the image. */
export function imagePage(virtio: readonly VirtioConfig[], index: number): Uint8Array {
  const place = diskPlace(index);
  const device = virtio.find(({ slot }) => slot === place?.slot);
  const page = new Uint8Array(PAGE_BYTES);
  if (place && device?.kind === 'block') {
    page.set(device.image.bytes.subarray(place.offset, place.offset + PAGE_BYTES));
  }
  return page;
}

interface Cell {
  bytes: Uint8Array;
  /** undefined while it is not up to date. */
  hash: bigint | undefined;
  /** A snapshot holds these bytes. */
  shared: boolean;
  /** Its share of the sum. */
  mixed: bigint;
}

/** The disks of a machine, nothing written. */
export function createMedia(virtio: readonly VirtioConfig[], hash: Hash): Media {
  const cells = new Map<number, Cell>();
  const stale = new Set<number>();
  const changed = new Set<number>();
  let sum = 0n;

  const add = (cell: Cell, mixed: bigint) => {
    sum = BigInt.asUintN(64, sum - cell.mixed + mixed);
    cell.mixed = mixed;
  };
  const rehash = () => {
    for (const index of stale) {
      const cell = cells.get(index)!;
      cell.hash = hash(cell.bytes);
      add(cell, mix(hash, index, cell.hash));
    }
    stale.clear();
  };
  /** The page, to be written to. */
  const own = (index: number): Uint8Array => {
    let cell = cells.get(index);
    if (!cell) {
      cell = { bytes: imagePage(virtio, index), hash: undefined, shared: false, mixed: 0n };
      cells.set(index, cell);
    } else if (cell.shared) {
      cell.bytes = cell.bytes.slice();
      cell.shared = false;
    }
    stale.add(index);
    changed.add(index);
    return cell.bytes;
  };
  const disks = new Map(
    virtio.flatMap((device): [number, Disk][] =>
      device.kind === 'block' ? [[device.slot, createDisk(device, (index) => cells.get(index)?.bytes, own)]] : [],
    ),
  );
  return {
    disk: (slot) => disks.get(slot),
    digest() {
      rehash();
      return sum;
    },
    takeChanged() {
      rehash();
      const taken = new Map<number, Page>();
      for (const index of changed) {
        const cell = cells.get(index)!;
        cell.shared = true;
        invariant(cell.hash !== undefined, `page ${index} of a disk has no hash`);
        taken.set(index, { hash: cell.hash, bytes: cell.bytes });
      }
      changed.clear();
      return taken;
    },
    changed: () => changed,
    put(index, page) {
      const before = cells.get(index);
      if (before) add(before, 0n);
      stale.delete(index);
      changed.delete(index);
      cells.delete(index);
      if (!page) return;
      const cell: Cell = { ...page, shared: true, mixed: 0n };
      add(cell, mix(hash, index, page.hash));
      cells.set(index, cell);
    },
  };
}

function createDisk(
  { slot, image, readOnly, serial }: Extract<VirtioConfig, { kind: 'block' }>,
  written: (index: number) => Uint8Array | undefined,
  own: (index: number) => Uint8Array,
): Disk {
  const first = (slot + 1) * PAGES_PER_DISK;
  /**
   * Calls for each part of a range that lies in one page: its number, offset in it, length, and offset in the range.
   */
  const split = (offset: number, bytes: number, act: (...at: [number, number, number, number]) => void) => {
    invariant(offset >= 0 && offset + bytes <= image.bytes.length, `${bytes} bytes at ${offset} of disk ${image.name}`);
    for (let done = 0; done < bytes; ) {
      const inPage = (offset + done) % PAGE_BYTES;
      const count = Math.min(bytes - done, PAGE_BYTES - inPage);
      act(first + Math.floor((offset + done) / PAGE_BYTES), inPage, count, done);
      done += count;
    }
  };
  return {
    sizeBytes: image.bytes.length,
    readOnly,
    serial,
    read(offset, bytes) {
      const all = image.bytes.slice(offset, offset + bytes);
      split(offset, bytes, (index, inPage, count, done) => {
        const page = written(index);
        if (page) all.set(page.subarray(inPage, inPage + count), done);
      });
      return all;
    },
    write(offset, bytes) {
      split(offset, bytes.length, (index, inPage, count, done) => {
        own(index).set(bytes.subarray(done, done + count), inPage);
      });
    },
  };
}

/** A page's share of the sum: its hash and its place. */
function mix(hash: Hash, index: number, pageHash: bigint): bigint {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, index, true);
  view.setBigUint64(8, pageHash, true);
  return hash(bytes);
}
