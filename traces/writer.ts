/**
 * Appends a run to a `.djvm` file. Relies on the kinds in records/ and on a sink that appends.
 *
 * Order on disk is what makes every prefix replayable: a flush writes inputs, console and notes before the digests and
 * checkpoints that vouch for them, and a checkpoint's pages before the checkpoint. So whatever a digest that can be
 * read depends on can be read too. Does not check that positions agree between streams; replay does.
 */
import { encodeBlock, MAX_BLOCK_BYTES } from './block.ts';
import { concat } from './bytes.ts';
import { type ColumnCodec, inOrder } from './columns.ts';
import { TraceWriteError, writeError } from './errors.ts';
import { sha256, xxh64 } from './hash.ts';
import { encodePreamble, FORMAT_MAJOR, FORMAT_MINOR } from './preamble.ts';
import { CONSOLE, DIGESTS, NOTES, VM_DIGESTS } from './records/bulk.ts';
import {
  type ChangedPage,
  encodeCheckpoint,
  PAGE_BYTES,
  PAGES_PER_BLOCK,
  type PagePlace,
} from './records/checkpoint.ts';
import { encodeEnd } from './records/end.ts';
import { completeHeader, encodeHeader, type TraceHeaderFields } from './records/header.ts';
import { encodeImage } from './records/image.ts';
import { encodeFooter, INDEX } from './records/index-record.ts';
import { encodeInput } from './records/input.ts';
import { KIND } from './records/kinds.ts';
import { fileSink, type TracePlace, type TraceSink } from './sink.ts';
import type { Position, TraceEnd, TracePage, TraceWriter } from './types.ts';

/** Page contents whose places are remembered: a GiB of them. What was forgotten is stored once more. */
const MAX_PLACES = 1 << 18;

/** An image to be stored in the trace. */
export interface ImageContent {
  readonly role: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Creates a trace and writes its header and images at once. An existing trace of that name is replaced when this one is
 * complete, and stays if it never is.
 * @throws TraceWriteError when the file cannot be created (nothing is left behind then), or somebody else writes it
 */
export function createTraceWriter(
  place: TracePlace,
  fields: TraceHeaderFields,
  images: readonly ImageContent[],
): TraceWriter {
  return traceWriterOn(fileSink(place), fields, images);
}

/** As `createTraceWriter`, on any sink, and remembering where so many page contents stand. @throws TraceWriteError */
export function traceWriterOn(
  sink: TraceSink,
  fields: TraceHeaderFields,
  images: readonly ImageContent[],
  maxPlaces: number = MAX_PLACES,
): TraceWriter {
  const blocks = new BlockAppender(sink);
  let id: string;
  try {
    const named = images.map((image) => ({ role: image.role, name: image.name, sha256: sha256(image.bytes) }));
    const header = completeHeader(fields, named, FORMAT_MAJOR, FORMAT_MINOR);
    id = header.id;
    blocks.start(header.cut !== undefined);
    blocks.append(KIND.HEADER, 1, encodeHeader(header));
    const stored = new Set<string>();
    for (const [i, image] of images.entries()) {
      const name = named[i]!.sha256;
      if (stored.has(name)) continue;
      stored.add(name);
      blocks.append(KIND.IMAGE, 1, encodeImage(image.bytes));
    }
  } catch (error) {
    sink.discard();
    throw error;
  }
  return new Writer(sink, blocks, id, maxPlaces);
}

/** Appends blocks to a sink, each complete or not at all, and remembers where they stand. */
class BlockAppender {
  /** A row for each block: 21 bytes, for the at least 40 that the block takes on disk. */
  readonly index = INDEX.builder();
  bytesWritten = 0;
  private readonly sink: TraceSink;
  private check = 0n;
  private failure: TraceWriteError | undefined;

  constructor(sink: TraceSink) {
    this.sink = sink;
  }

  start(isCut: boolean): void {
    const { bytes, check } = encodePreamble(FORMAT_MAJOR, FORMAT_MINOR, isCut);
    this.write(bytes);
    this.check = check;
  }

  /**
   * Appends a record of `content`, over several blocks when it is larger than one. Returns its first block's number.
   */
  append(kind: number, records: number, content: Uint8Array): number {
    const first = this.index.length;
    for (let at = 0; at === 0 || at < content.length; at += MAX_BLOCK_BYTES) {
      const piece = content.subarray(at, at + MAX_BLOCK_BYTES);
      const continues = at + MAX_BLOCK_BYTES < content.length;
      const sequence = this.index.length;
      const block = encodeBlock({ kind, sequence, records, continues, content: piece }, this.check);
      const offset = this.bytesWritten;
      this.write(block.bytes);
      this.index.add({ offset, kind, records, check: block.check });
      this.check = block.check;
    }
    return first;
  }

  /** Appends bytes outside any block. After a failure nothing is written any more and every call throws it again. */
  write(bytes: Uint8Array): void {
    if (this.failure) throw this.failure;
    try {
      this.sink.append(bytes);
    } catch (error) {
      this.sink.truncate(this.bytesWritten);
      throw this.fail(error);
    }
    this.bytesWritten += bytes.length;
  }

  /**
   * Waits for the disk. What it did not take once it may have thrown away, whatever it says later: that is a failure,
   * too.
   */
  sync(): void {
    if (this.failure) throw this.failure;
    try {
      this.sink.sync();
    } catch (error) {
      throw this.fail(error);
    }
  }

  private fail(error: unknown): TraceWriteError {
    this.failure = writeError(this.sink.path, error);
    return this.failure;
  }
}

/** A bulk stream that waits for its block. */
interface Stream {
  add(record: Position): void;
  /** Appends what waits, as one record group. */
  flush(): void;
  readonly full: boolean;
}

class Writer implements TraceWriter {
  readonly id: string;
  private readonly sink: TraceSink;
  private readonly blocks: BlockAppender;
  private readonly inputs: Stream;
  private readonly consoleBytes: Stream;
  private readonly notes: Stream;
  private readonly vmDigests: Stream;
  private readonly digests: Stream;
  private readonly streams: readonly Stream[];
  /** Content hash → where that page already stands in the file. The first key is the one that was used longest ago. */
  private readonly places = new Map<bigint, PagePlace>();
  private lastCheckpoint: Position = { moment: 0, ticks: 0 };
  private readonly maxPlaces: number;
  private closed = false;

  constructor(sink: TraceSink, blocks: BlockAppender, id: string, maxPlaces: number) {
    this.id = id;
    this.sink = sink;
    this.blocks = blocks;
    this.maxPlaces = maxPlaces;
    this.inputs = inputStream(blocks);
    this.consoleBytes = bulkStream(blocks, KIND.CONSOLE, CONSOLE);
    this.notes = bulkStream(blocks, KIND.NOTES, NOTES);
    this.vmDigests = bulkStream(blocks, KIND.VM_DIGESTS, VM_DIGESTS);
    this.digests = bulkStream(blocks, KIND.DIGESTS, DIGESTS);
    this.streams = [this.inputs, this.consoleBytes, this.notes, this.vmDigests, this.digests];
  }

  get path(): string {
    return this.sink.path;
  }
  get bytesWritten(): number {
    return this.blocks.bytesWritten;
  }

  input(record: Parameters<TraceWriter['input']>[0]): void {
    this.add(this.inputs, record);
  }
  digest(record: Parameters<TraceWriter['digest']>[0]): void {
    this.add(this.digests, record);
  }
  vmDigest(record: Parameters<TraceWriter['vmDigest']>[0]): void {
    this.add(this.vmDigests, record);
  }
  console(record: Parameters<TraceWriter['console']>[0]): void {
    this.add(this.consoleBytes, record);
  }
  note(record: Parameters<TraceWriter['note']>[0]): void {
    this.add(this.notes, record);
  }

  checkpoint(record: Parameters<TraceWriter['checkpoint']>[0]): void {
    this.assertOpen();
    if (!inOrder(this.lastCheckpoint, record)) throw new RangeError(`checkpoint at moment ${record.moment} goes back`);
    this.flush();
    const changed = this.storePages(record.changed);
    this.blocks.append(KIND.CHECKPOINT, 1, encodeCheckpoint({ ...record, changed }));
    this.lastCheckpoint = { moment: record.moment, ticks: record.ticks };
  }

  flush(): void {
    this.assertOpen();
    for (const stream of this.streams) stream.flush();
  }

  sync(): void {
    this.flush();
    this.blocks.sync();
  }

  finish(end: TraceEnd): void {
    this.flush();
    this.blocks.append(KIND.END, 1, encodeEnd(end));
    const blocks = this.blocks.index.length;
    const offset = this.blocks.bytesWritten;
    const sequence = this.blocks.append(KIND.INDEX, blocks, this.blocks.index.encode());
    this.blocks.write(encodeFooter(sequence, offset));
    this.closed = true;
    this.sink.complete();
  }

  abandon(): void {
    if (this.closed) return;
    try {
      this.sync();
    } catch (error) {
      // The disk is full, as the caller knows already from the call that failed first.
      if (!(error instanceof TraceWriteError)) throw error;
    } finally {
      this.closed = true;
      this.sink.close();
    }
  }

  discard(): void {
    this.closed = true;
    this.sink.discard();
  }

  private add(stream: Stream, record: Position): void {
    this.assertOpen();
    stream.add(record);
    // All streams, not only the full one: no digest may reach the disk before what it vouches for.
    if (stream.full) this.flush();
  }

  /** Appends the contents that the file does not have yet; answers where each page stands. */
  private storePages(pages: readonly TracePage[]): ChangedPage[] {
    const places = new Map<bigint, PagePlace>();
    const fresh: TracePage[] = [];
    const fileNow = () => {
      if (fresh.length === 0) return;
      const block = this.blocks.append(KIND.PAGES, fresh.length, concat(fresh.map((page) => page.bytes)));
      for (const [slot, page] of fresh.entries()) places.set(page.hash, { block, slot });
      fresh.length = 0;
    };
    const waiting = new Set<bigint>();
    for (const page of pages) {
      const known = this.places.get(page.hash);
      if (known) places.set(page.hash, known);
      if (known || waiting.has(page.hash)) continue;
      assertPage(page);
      waiting.add(page.hash);
      if (fresh.push(page) === PAGES_PER_BLOCK) fileNow();
    }
    fileNow();
    this.rememberPlaces(places);
    return pages.map((page) => ({ index: page.index, hash: page.hash, ...places.get(page.hash)! }));
  }

  private rememberPlaces(places: ReadonlyMap<bigint, PagePlace>): void {
    for (const [hash, place] of places) {
      this.places.delete(hash);
      this.places.set(hash, place);
    }
    for (const oldest of this.places.keys()) {
      if (this.places.size <= this.maxPlaces) break;
      this.places.delete(oldest);
    }
  }

  private assertOpen(): void {
    if (this.closed) throw new Error(`${this.path}: the trace is closed`);
  }
}

function assertPage(page: TracePage): void {
  if (page.bytes.length !== PAGE_BYTES) throw new RangeError(`page ${page.index} has ${page.bytes.length} bytes`);
  const actual = xxh64(page.bytes);
  if (actual !== page.hash) throw new RangeError(`page ${page.index} hashes to ${actual}, not ${page.hash}`);
}

function bulkStream<R extends Position>(blocks: BlockAppender, kind: number, codec: ColumnCodec<R>): Stream {
  const waiting = codec.builder();
  let last: Position = { moment: 0, ticks: 0 };
  const limit = Math.floor(MAX_BLOCK_BYTES / codec.rowBytes);
  return {
    add(record) {
      if (!inOrder(last, record)) throw new RangeError(`trace record at moment ${record.moment} goes back`);
      last = record;
      waiting.add(record as R);
    },
    flush() {
      if (waiting.length === 0) return;
      blocks.append(kind, waiting.length, waiting.encode());
      waiting.clear();
    },
    get full() {
      return waiting.length >= limit;
    },
  };
}

function inputStream(blocks: BlockAppender): Stream {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  let last: Position = { moment: 0, ticks: 0 };
  return {
    add(record) {
      if (!inOrder(last, record)) throw new RangeError(`trace input at moment ${record.moment} goes back`);
      last = record;
      const encoded = encodeInput(record as Parameters<TraceWriter['input']>[0]);
      waiting.push(encoded);
      bytes += encoded.length;
    },
    flush() {
      if (waiting.length === 0) return;
      blocks.append(KIND.INPUTS, waiting.length, concat(waiting));
      waiting = [];
      bytes = 0;
    },
    get full() {
      return bytes >= MAX_BLOCK_BYTES;
    },
  };
}
