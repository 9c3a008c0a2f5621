/**
 * Complete states from checkpoints: joins the page changes of the checkpoints up to one, and loads page contents.
 * Contents are checked against their hashes when they are loaded. What is kept is bounded by the machine's pages, not
 * by the trace.
 */
import type { Contents } from './contents.ts';
import { TraceError } from './errors.ts';
import { xxh64 } from './hash.ts';
import { expectFormat } from './malformed.ts';
import { type ChangedPage, decodeCheckpoint, PAGE_BYTES, type StoredCheckpoint } from './records/checkpoint.ts';
import { KIND } from './records/kinds.ts';
import type { FullCheckpoint } from './types.ts';
import { contentOf, decoding } from './walk.ts';

type Page = { readonly hash: bigint; readonly bytes: Uint8Array };
type Places = Map<number, ChangedPage>;

/** PAGES blocks kept decoded: neighbouring checkpoints share most of their pages. At most 1 MiB each. */
const CACHED_BLOCKS = 64;
/** Page maps kept while going through a trace, so that going back does not begin at the first checkpoint again. */
const KEPT_MAPS = 8;

/** Returns the function that loads checkpoint `n` in full. Page objects are shared between checkpoints while cached. */
export function checkpointLoader(contents: Contents): (n: number) => FullCheckpoint {
  const { path } = contents.source;
  const load = pageLoader(contents);
  const joined = new JoinedPlaces(contents);
  return (n) => {
    const { length } = contents.checkpoints;
    if (!(n >= 0 && n < length)) throw new RangeError(`${path}: checkpoint ${n} of ${length}`);
    const { record, places } = joined.upTo(n);
    // Contents that occur many times in one state are held once.
    const byHash = new Map<bigint, Page>();
    const pages = new Map<number, Page>();
    for (const [index, place] of places) {
      const page = byHash.get(place.hash) ?? load(place);
      byHash.set(place.hash, page);
      pages.set(index, page);
    }
    const { moment, ticks, digest, state } = record;
    return { moment, ticks, digest, state: state.slice(), pages };
  };
}

/** Where the pages of a checkpoint stand; going on from one before is cheaper than from the first. */
class JoinedPlaces {
  private readonly contents: Contents;
  private places: Places = new Map();
  /** The checkpoint that `places` belongs to; -1: none yet. */
  private at = -1;
  private record: StoredCheckpoint | undefined;
  private readonly kept: { readonly at: number; readonly places: Places }[] = [];

  constructor(contents: Contents) {
    this.contents = contents;
  }

  upTo(n: number): { readonly record: StoredCheckpoint; readonly places: Places } {
    if (n < this.at || (n === this.at && !this.record)) this.goBack(n);
    const every = Math.ceil(this.contents.checkpoints.length / KEPT_MAPS);
    while (this.at < n) {
      this.record = undefined;
      this.join(this.at + 1);
      const isNew = (this.kept.at(-1)?.at ?? -1) < this.at;
      if (isNew && this.at > 0 && this.at % every === 0) this.kept.push({ at: this.at, places: new Map(this.places) });
    }
    return { record: this.record!, places: this.places };
  }

  private goBack(n: number): void {
    const from = this.kept.findLast(({ at }) => at < n);
    this.at = from?.at ?? -1;
    this.places = new Map(from?.places);
  }

  private join(n: number): void {
    const { contents } = this;
    const place = contents.group(KIND.CHECKPOINT, n)!;
    const record = decoding(contents.source, place, () => decodeCheckpoint(contentOf(contents.source, place)));
    for (let i = 0; i < record.changed.length; i++) {
      const page = record.changed.at(i);
      this.places.set(page.index, page);
    }
    for (let i = 0; i < record.cleared.length; i++) this.places.delete(record.cleared.at(i).index);
    const most = contents.maxPages;
    const { size } = this.places;
    if (size > most) this.goBack(0);
    decoding(contents.source, place, () => expectFormat(size <= most, `at most ${most} pages, found ${size}`));
    this.record = record;
    this.at = n;
  }
}

function pageLoader(contents: Contents): (place: ChangedPage) => Page {
  const { source } = contents;
  const blocks = new Map<number, { bytes: Uint8Array; pages: Page[] }>();
  return ({ block, slot, hash }) => {
    let entry = blocks.get(block);
    if (!entry) {
      entry = { bytes: pagesIn(contents, block), pages: [] };
      const oldest = blocks.keys().next();
      if (blocks.size >= CACHED_BLOCKS && !oldest.done) blocks.delete(oldest.value);
    } else blocks.delete(block);
    // Re-inserted last: the first key is the one that was used longest ago.
    blocks.set(block, entry);
    const known = entry.pages[slot];
    if (known?.hash === hash) return known;
    const bytes = entry.bytes.slice(slot * PAGE_BYTES, (slot + 1) * PAGE_BYTES);
    if (bytes.length < PAGE_BYTES) throw new TraceError('damaged', source.path, noPage(block, slot));
    const actual = xxh64(bytes);
    if (actual !== hash) {
      throw new TraceError(
        'damaged',
        source.path,
        `page ${slot} of block ${block} has hash ${actual}, expected ${hash}`,
      );
    }
    return (entry.pages[slot] = { hash, bytes });
  };
}

function pagesIn(contents: Contents, block: number): Uint8Array {
  const { source } = contents;
  const record = contents.inBlock(KIND.PAGES, block);
  if (!record) throw new TraceError('damaged', source.path, noPage(block, 0));
  return decoding(source, record, () => contentOf(source, record));
}

const noPage = (block: number, slot: number): string =>
  `a checkpoint has page ${slot} of block ${block}, where there is none; use another copy of the file`;
