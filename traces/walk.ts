/**
 * Goes from block to block by their headers, and reads the content of records. Every header is checked against the
 * chain, every content against its hash, before anything is made of it. Holds no more than it is asked for.
 */
import { BLOCK_HEADER_BYTES, type BlockHeader, bodyIsIntact, decodeBlockHeader, decodeBody } from './block.ts';
import { TraceError } from './errors.ts';
import { Malformed } from './malformed.ts';
import { kindName } from './records/kinds.ts';
import type { ByteSource } from './source.ts';

/** Where a block begins, and what its header is chained to. */
export interface Place {
  readonly sequence: number;
  /** Of its header, from the start of the file. */
  readonly offset: number;
  /** The check of the block before. */
  readonly previousCheck: bigint;
}

/** A block and where it stands. */
export interface PlacedBlock extends BlockHeader, Place {}

/** A record, or records, that one or more blocks hold together: all that headers tell. */
export interface RecordPlace extends Place {
  readonly kind: number;
  /** As its header says: how many records it holds. */
  readonly records: number;
  /** Blocks that it spans. */
  readonly blocks: number;
  /** Length of its plain content. */
  readonly rawBytes: number;
}

export const placed = (header: BlockHeader, { offset, previousCheck }: Place): PlacedBlock => ({
  ...header,
  offset,
  previousCheck,
});

/** Where the next block begins. */
export const placeBehind = (block: PlacedBlock): Place => ({
  sequence: block.sequence + 1,
  offset: block.offset + BLOCK_HEADER_BYTES + block.storedBytes,
  previousCheck: block.check,
});

/** Bytes read at once while only headers are wanted: small blocks stand close together. */
const WINDOW_BYTES = 4096;

/** Reads headers wherever they are, several with one look at the source when they are near one another. */
export class HeaderReader {
  private readonly source: ByteSource;
  private window: Uint8Array = new Uint8Array();
  private windowAt = 0;

  constructor(source: ByteSource) {
    this.source = source;
  }

  /** The 40 bytes at an offset; fewer where the file ends. */
  at(offset: number): Uint8Array {
    const end = offset + BLOCK_HEADER_BYTES;
    if (offset < this.windowAt || end > this.windowAt + this.window.length) {
      this.window = this.source.read(offset, WINDOW_BYTES);
      this.windowAt = offset;
    }
    return this.window.subarray(offset - this.windowAt, end - this.windowAt);
  }
}

/** The blocks from a place on that is known to hold one. @throws TraceError when the file has changed since */
export function* blocksFrom(source: ByteSource, from: Place): Generator<PlacedBlock> {
  const headers = new HeaderReader(source);
  for (let place = from; ; ) {
    const bytes = headers.at(place.offset);
    if (bytes.length < BLOCK_HEADER_BYTES) throw changed(source, place);
    const header = decodeBlockHeader(bytes, place.sequence, place.previousCheck);
    if ('fault' in header) throw changed(source, place);
    const block = placed(header, place);
    yield block;
    place = placeBehind(block);
  }
}

/** The record that begins at a place. @throws TraceError when the file has changed since */
export function recordAt(source: ByteSource, place: Place): RecordPlace {
  let rawBytes = 0;
  let blocks = 0;
  for (const block of blocksFrom(source, place)) {
    rawBytes += block.rawBytes;
    blocks++;
    if (!block.continues) return { ...place, kind: block.kind, records: block.records, blocks, rawBytes };
  }
  throw changed(source, place);
}

/** The records from a place on that begins one. */
export function* recordsFrom(source: ByteSource, from: Place): Generator<RecordPlace> {
  let place = from;
  let [blocks, rawBytes] = [0, 0];
  for (const block of blocksFrom(source, from)) {
    blocks++;
    rawBytes += block.rawBytes;
    if (block.continues) continue;
    yield { ...place, kind: block.kind, records: block.records, blocks, rawBytes };
    place = placeBehind(block);
    [blocks, rawBytes] = [0, 0];
  }
}

/**
 * The plain content of a record, a block at a time.
 * @throws TraceError `damaged` when a block is, Malformed when one does not decode
 */
export function* piecesOf(source: ByteSource, record: RecordPlace): Generator<Uint8Array> {
  for (const block of blocksFrom(source, record)) {
    yield decodeBody(block, storedContent(source, block));
    if (!block.continues) return;
  }
}

/** The whole content of a record: `record.rawBytes` bytes. @throws as `piecesOf` */
export function contentOf(source: ByteSource, record: RecordPlace): Uint8Array {
  return source.batch(() => {
    const pieces = piecesOf(source, record);
    if (record.blocks === 1) return pieces.next().value as Uint8Array;
    const content = new Uint8Array(record.rawBytes);
    let at = 0;
    for (const piece of pieces) {
      content.set(piece, at);
      at += piece.length;
    }
    return content;
  });
}

/** What a block holds as it is stored. @throws TraceError `damaged` when it is not what its header says */
export function storedContent(source: ByteSource, block: PlacedBlock): Uint8Array {
  const stored = source.read(block.offset + BLOCK_HEADER_BYTES, block.storedBytes);
  if (bodyIsIntact(block, stored)) return stored;
  throw damaged(source, block, `content of block ${block.sequence} is damaged`);
}

/** Runs `decode`; what it finds malformed in a record is said with the place. @throws TraceError `damaged` */
export function decoding<T>(source: ByteSource, record: Place & { readonly kind: number }, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw damaged(source, record, `${kindName(record.kind)} block ${record.sequence}: ${error.message}`);
  }
}

function damaged(source: ByteSource, { offset }: Place, what: string): TraceError {
  const advice = "'dejavm verify' says what is intact";
  return new TraceError('damaged', source.path, `${what}, at byte ${offset}; ${advice}`);
}

const changed = (source: ByteSource, { sequence }: Place): TraceError =>
  new TraceError('damaged', source.path, `block ${sequence} changed since the trace was opened; open it again`);
