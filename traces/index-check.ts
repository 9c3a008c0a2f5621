/**
 * Compares the index of a trace with its blocks. Goes column by column and chunk by chunk: an index may be longer than
 * memory should be.
 */
import { columns } from './columns.ts';
import { INDEX_FIELDS, type IndexRow } from './records/index-record.ts';
import type { ByteSource } from './source.ts';
import { blocksFrom, type Place, piecesOf, type RecordPlace } from './walk.ts';

/** Rows compared at a time. */
const CHUNK_ROWS = 4096;

/** Whether an index says what walking the blocks from the first one to it finds. @throws Malformed, TraceError */
export function matchesIndex(source: ByteSource, index: RecordPlace, first: Place): boolean {
  return source.batch(() => {
    const bytes = new PieceReader(piecesOf(source, index));
    for (const [name, type] of Object.entries(INDEX_FIELDS)) {
      const column = columns({ [name]: type });
      for (const rows of chunksOf(source, first, index)) {
        // Every row has all fields; this codec takes the one that it knows.
        const expected = column.encode(rows as never);
        if (Buffer.compare(bytes.take(expected.length), expected) !== 0) return false;
      }
    }
    return true;
  });
}

function* chunksOf(source: ByteSource, first: Place, index: RecordPlace): Generator<IndexRow[]> {
  let rows: IndexRow[] = [];
  for (const { sequence, offset, kind, records, check } of blocksFrom(source, first)) {
    if (sequence === index.sequence) break;
    rows.push({ offset, kind, records, check });
    if (rows.length < CHUNK_ROWS) continue;
    yield rows;
    rows = [];
  }
  yield rows;
}

/** Takes bytes from pieces, as many as are wanted at a time. */
class PieceReader {
  private readonly pieces: Iterator<Uint8Array>;
  private piece: Uint8Array = new Uint8Array();

  constructor(pieces: Iterator<Uint8Array>) {
    this.pieces = pieces;
  }

  /** The next bytes; fewer at the end. */
  take(count: number): Uint8Array {
    const taken = new Uint8Array(count);
    let done = 0;
    while (done < count) {
      if (this.piece.length === 0) {
        const next = this.pieces.next();
        if (next.done) return taken.subarray(0, done);
        this.piece = next.value;
        continue;
      }
      const part = this.piece.subarray(0, count - done);
      taken.set(part, done);
      this.piece = this.piece.subarray(part.length);
      done += part.length;
    }
    return taken;
  }
}
