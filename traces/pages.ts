/**
 * Complete states from checkpoints: joins the page changes of the checkpoints up to one, and loads page contents.
 * Relies on places that the reader has checked. Contents are checked against their hashes when they are loaded.
 */
import { TraceError } from './errors.ts';
import { xxh64 } from './hash.ts';
import { type ChangedPage, type CheckpointRecord, PAGE_BYTES } from './records/checkpoint.ts';
import type { FullCheckpoint } from './types.ts';

type Page = { readonly hash: bigint; readonly bytes: Uint8Array };

/** PAGES blocks kept decoded: neighbouring checkpoints share most of their pages. At most 1 MiB each. */
const CACHED_BLOCKS = 64;

/**
 * Returns the function that loads checkpoint `n` in full. Page objects are shared between checkpoints while cached.
 * @param content plain content of a block
 */
export function checkpointLoader(
  path: string,
  records: readonly CheckpointRecord[],
  content: (block: number) => Uint8Array,
): (n: number) => FullCheckpoint {
  const load = pageLoader(path, content);
  // Where the pages of checkpoint `joined` stand; going on from there is cheaper than from 0.
  let joined = -1;
  let places = new Map<number, ChangedPage>();
  return (n) => {
    const record = records[n];
    if (!record) throw new RangeError(`${path}: checkpoint ${n} of ${records.length}`);
    if (n < joined) {
      joined = -1;
      places = new Map();
    }
    while (joined < n) {
      joined++;
      for (const page of records[joined]!.changed) places.set(page.index, page);
      for (const index of records[joined]!.cleared) places.delete(index);
    }
    const pages = new Map<number, Page>();
    for (const [index, place] of places) pages.set(index, load(place));
    return { moment: record.moment, ticks: record.ticks, digest: record.digest, state: record.state, pages };
  };
}

function pageLoader(path: string, content: (block: number) => Uint8Array): (place: ChangedPage) => Page {
  const blocks = new Map<number, { bytes: Uint8Array; pages: Page[] }>();
  return ({ block, slot, hash }) => {
    let entry = blocks.get(block);
    if (!entry) {
      entry = { bytes: content(block), pages: [] };
      const oldest = blocks.keys().next();
      if (blocks.size >= CACHED_BLOCKS && !oldest.done) blocks.delete(oldest.value);
    } else blocks.delete(block);
    // Re-inserted last: the first key is the one that was used longest ago.
    blocks.set(block, entry);
    const known = entry.pages[slot];
    if (known?.hash === hash) return known;
    const bytes = entry.bytes.slice(slot * PAGE_BYTES, (slot + 1) * PAGE_BYTES);
    const actual = xxh64(bytes);
    if (actual !== hash) {
      throw new TraceError('damaged', path, `page ${slot} of block ${block} has hash ${actual}, expected ${hash}`);
    }
    return (entry.pages[slot] = { hash, bytes });
  };
}
