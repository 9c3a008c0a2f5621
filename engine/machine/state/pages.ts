/**
 * RAM and written disk pages in snapshots: a map of shared, immutable pages. Capturing copies only pages written since
 * the last capture or restore; restoring writes only pages that differ. `base` is what RAM held then; the core's dirty
 * flags say what has been written since.
 * Relies on the core to flag every page that is written, and on page hashes being up to date when capturing.
 */
import { type ArchExports, CONSTANTS } from '../../core/index.ts';
import { diskPlace, type Media } from '../board/index.ts';
import type { Page } from '../types.ts';

const PAGE_BYTES = CONSTANTS.PAGE_BYTES;
const ZERO_PAGE = new Uint8Array(PAGE_BYTES);

/** Where RAM and the core's tables for it lie in linear memory. */
export interface RamPlaces {
  readonly ramHost: number;
  readonly pageHashHost: number;
  readonly scratchHost: number;
  readonly ramPages: number;
}

export interface PageStore {
  /** The pages of RAM that are not all zero, and all written pages of disks. Page hashes must be up to date. */
  capture(): ReadonlyMap<number, Page>;
  /** Makes RAM and disks hold exactly these pages. */
  restore(pages: ReadonlyMap<number, Page>): void;
}

/** A page store for RAM that holds zeros, or pages flagged as written. */
export function createPageStore(
  memory: ArrayBufferLike,
  arch: Pick<ArchExports, 'collectDirtyPages' | 'storePhysical'>,
  places: RamPlaces,
  media: Media,
): PageStore {
  const u8 = new Uint8Array(memory);
  const u32 = new Uint32Array(memory);
  const hashes = new BigUint64Array(memory, places.pageHashHost, places.ramPages);
  let base: ReadonlyMap<number, Page> = new Map();

  const dirtyPages = (): Uint32Array => {
    const count = arch.collectDirtyPages(places.scratchHost);
    return u32.slice(places.scratchHost >> 2, (places.scratchHost >> 2) + count);
  };
  const ramOf = (index: number): Uint8Array => {
    const start = places.ramHost + index * PAGE_BYTES;
    return u8.subarray(start, start + PAGE_BYTES);
  };
  return {
    capture() {
      const dirty = dirtyPages();
      const written = media.takeChanged();
      if (dirty.length === 0 && written.size === 0) return base;
      const pages = new Map(base);
      for (const [index, page] of written) if (pages.get(index)?.hash !== page.hash) pages.set(index, page);
      for (const index of dirty) {
        const now = ramOf(index);
        const hash = hashes[index]!;
        if (pages.get(index)?.hash === hash) continue;
        if (isZero(now)) pages.delete(index);
        else pages.set(index, { hash, bytes: now.slice() });
      }
      base = pages;
      return pages;
    },
    restore(pages) {
      const touched = new Set<number>([...dirtyPages(), ...media.changed()]);
      for (const [index, page] of base) if (pages.get(index)?.hash !== page.hash) touched.add(index);
      for (const [index, page] of pages) if (base.get(index)?.hash !== page.hash) touched.add(index);
      for (const index of touched) {
        if (diskPlace(index)) {
          media.put(index, pages.get(index));
          continue;
        }
        u8.set(pages.get(index)?.bytes ?? ZERO_PAGE, places.scratchHost);
        arch.storePhysical(index * PAGE_BYTES, places.scratchHost, PAGE_BYTES);
      }
      // What was just written is the new base, not a change against it.
      arch.collectDirtyPages(places.scratchHost);
      base = pages;
    },
  };
}

function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
}
