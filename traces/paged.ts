/**
 * Records of one kind, decoded a block at a time when they are asked for: what they take does not grow with the trace.
 * Relies on the directory for where they stand. Checks that positions do not go back from one block to the next where
 * both are read in turn; what stands inside a block its decoder checks.
 */
import { inOrder } from './columns.ts';
import type { Directory } from './directory.ts';
import { Malformed } from './malformed.ts';
import { Records } from './records-list.ts';
import type { ByteSource } from './source.ts';
import type { Position } from './types.ts';
import { decoding, type Place, type RecordPlace, recordsFrom } from './walk.ts';

/** The decoded records of one group of blocks. */
export interface Page<R> {
  readonly length: number;
  at(n: number): R | undefined;
}

export interface PagedOptions<R> {
  readonly source: ByteSource;
  readonly kind: number;
  readonly directory: Directory;
  /** Decodes what stands at a place. @throws Malformed */
  readonly decode: (record: RecordPlace) => Page<R>;
  /** Pages kept decoded. */
  readonly cached: number;
}

interface Loaded<R> {
  readonly record: RecordPlace;
  /** Number of its first record. */
  readonly first: number;
  readonly page: Page<R>;
}

export class PagedRecords<R extends Position> extends Records<R> {
  readonly #options: PagedOptions<R>;
  /** The page that was used last. */
  #current: Loaded<R> | undefined;
  /** By the number of their first record; the first key is the one that was used longest ago. */
  readonly #cache = new Map<number, Loaded<R>>();

  constructor(options: PagedOptions<R>) {
    super();
    this.#options = options;
  }

  get length(): number {
    return this.#options.directory.records;
  }

  at(n: number): R | undefined {
    const index = n < 0 ? n + this.length : n;
    if (!(index >= 0 && index < this.length)) return undefined;
    const { first, page } = this.pageWith(index);
    return page.at(index - first);
  }

  private pageWith(n: number): Loaded<R> {
    if (this.#current && holds(this.#current, n)) return this.#current;
    const known = this.#options.directory.beforeRecord(n);
    const loaded = this.#cache.get(known.recordsBefore);
    const found = loaded && holds(loaded, n) ? loaded : this.load(n);
    this.#cache.delete(found.first);
    this.#cache.set(found.first, found);
    if (this.#cache.size > this.#options.cached) this.#cache.delete(this.#cache.keys().next().value!);
    this.#current = found;
    return found;
  }

  private load(n: number): Loaded<R> {
    const { source, kind, decode } = this.#options;
    const [from, recordsBefore] = this.startFor(n);
    return source.batch(() => {
      let first = recordsBefore;
      for (const record of recordsFrom(source, from)) {
        if (record.kind !== kind) continue;
        if (n < first + record.records) {
          const loaded = decoding(source, record, () => ({ record, first, page: decode(record) }));
          this.expectOrder(loaded);
          return loaded;
        }
        first += record.records;
      }
      throw new Malformed(`expected record ${n}`);
    });
  }

  /** Where to look for record `n` from, and how many of its kind stand before: a known place, or the page used last. */
  private startFor(n: number): [Place, number] {
    const known = this.#options.directory.beforeRecord(n);
    const current = this.#current;
    if (current && current.first <= n && current.first > known.recordsBefore) return [current.record, current.first];
    return [known.place, known.recordsBefore];
  }

  private expectOrder(next: Loaded<R>): void {
    const current = this.#current;
    if (!current || current.first + current.page.length !== next.first) return;
    const [before, after] = [current.page.at(current.page.length - 1), next.page.at(0)];
    decoding(this.#options.source, next.record, () => {
      if (before && after && !inOrder(before, after)) throw new Malformed('expected positions that never go back');
    });
  }
}

const holds = <R>({ first, page }: Loaded<R>, n: number): boolean => n >= first && n < first + page.length;
