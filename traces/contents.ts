/**
 * What a trace holds and where: takes the records that a scan finds, checks that each stands where it may and has the
 * length it must, and remembers their places. Contents are decoded when they are asked for.
 */
import type { ColumnCodec } from './columns.ts';
import { Directory } from './directory.ts';
import { expectFormat } from './malformed.ts';
import { type Page, PagedRecords } from './paged.ts';
import type { Preamble } from './preamble.ts';
import { CONSOLE, DIGESTS, NOTES, VM_DIGESTS } from './records/bulk.ts';
import { decodeCheckpointPosition, maxCheckpointBytes, PAGE_BYTES, PAGES_PER_BLOCK } from './records/checkpoint.ts';
import { decodeEnd, MAX_END_BYTES } from './records/end.ts';
import { decodeHeader, MAX_HEADER_BYTES } from './records/header.ts';
import { MAX_IMAGE_BYTES, MIN_IMAGE_BYTES } from './records/image.ts';
import { INDEX } from './records/index-record.ts';
import { decodeInputs, MAX_INPUTS_BYTES } from './records/input.ts';
import { KIND } from './records/kinds.ts';
import type { ByteSource } from './source.ts';
import type { Position, TraceEnd, TraceHeader } from './types.ts';
import { contentOf, decoding, type Place, piecesOf, type RecordPlace, recordAt, recordsFrom } from './walk.ts';

/** Decoded blocks that are kept of each kind: a search goes back and forth between a few. */
const CACHED_BLOCKS = 4;
/** Of checkpoints, only positions are kept. */
const CACHED_CHECKPOINTS = 1 << 14;

/** Kinds whose records have a fixed length. Except the index, they stand in one block each. */
const ROW_BYTES: ReadonlyMap<number, number> = new Map([
  [KIND.CONSOLE, CONSOLE.rowBytes],
  [KIND.NOTES, NOTES.rowBytes],
  [KIND.DIGESTS, DIGESTS.rowBytes],
  [KIND.VM_DIGESTS, VM_DIGESTS.rowBytes],
  [KIND.INDEX, INDEX.rowBytes],
  [KIND.PAGES, PAGE_BYTES],
]);

export class Contents {
  readonly source: ByteSource;
  /** Undefined until the first block has been read. */
  header: TraceHeader | undefined;
  endPlace: RecordPlace | undefined;
  readonly inputs;
  readonly console;
  readonly notes;
  readonly digests;
  readonly vmDigests;
  readonly checkpoints;
  private readonly directories = new Map<number, Directory>();
  private readonly decoders = new Map<number, (record: RecordPlace) => Page<Position>>();
  private readonly preamble: Preamble;
  /** Kinds that this version does not have are skipped: the file's is newer. */
  private readonly skipsUnknown: boolean;
  private imageBytes = 0;

  constructor(source: ByteSource, preamble: Preamble, skipsUnknown: boolean) {
    this.source = source;
    this.preamble = preamble;
    this.skipsUnknown = skipsUnknown;
    const inputs = (record: RecordPlace) => arrayPage(decodeInputs(contentOf(source, record), record.records));
    const position = (record: RecordPlace) => arrayPage([decodeCheckpointPosition(firstPiece(source, record))]);
    this.inputs = this.list(KIND.INPUTS, inputs, CACHED_BLOCKS);
    this.console = this.bulk(KIND.CONSOLE, CONSOLE);
    this.notes = this.bulk(KIND.NOTES, NOTES);
    this.digests = this.bulk(KIND.DIGESTS, DIGESTS);
    this.vmDigests = this.bulk(KIND.VM_DIGESTS, VM_DIGESTS);
    this.checkpoints = this.list(KIND.CHECKPOINT, position, CACHED_CHECKPOINTS);
  }

  /** Whether the next record of the file may stand here and is as long as it may be. @throws Malformed when not */
  expect(record: RecordPlace): void {
    const { kind, sequence } = record;
    expectFormat((kind === KIND.HEADER) === (sequence === 0), 'the header in the first block and nowhere else');
    const isLate = this.endPlace !== undefined && kind !== KIND.INDEX;
    expectFormat(!isLate || this.skipsUnknown, 'nothing but the index after the end');
    this.expectShape(record);
  }

  /** Takes a record that is as expected. @throws Malformed when it is a header that cannot be used */
  add(record: RecordPlace): void {
    const { kind, records } = record;
    if (kind === KIND.HEADER) this.header = decodeHeader(contentOf(this.source, record), this.preamble);
    else if (kind === KIND.END) this.endPlace = record;
    else this.directory(kind).add(record, records);
    if (kind === KIND.IMAGE) this.imageBytes += record.rawBytes;
  }

  /** Pages that RAM and the disks of the machine have, at most. */
  get maxPages(): number {
    return Math.ceil((this.header?.machine.ramBytes ?? 0) / PAGE_BYTES) + Math.ceil(this.imageBytes / PAGE_BYTES);
  }

  /** The end record. @throws TraceError when it is damaged */
  end(): TraceEnd | undefined {
    const { endPlace, source } = this;
    return endPlace && decoding(source, endPlace, () => decodeEnd(contentOf(source, endPlace)));
  }

  /** How many groups of blocks of a kind there are. */
  count(kind: number): number {
    return this.directories.get(kind)?.groups ?? 0;
  }

  /** Where group `n` of a kind stands; undefined when there is none. @throws TraceError when the file has changed */
  group(kind: number, n: number): RecordPlace | undefined {
    if (!(n >= 0 && n < this.count(kind))) return undefined;
    const { place, groupsBefore } = this.directory(kind).beforeGroup(n);
    let left = n - groupsBefore;
    return this.search(place, (record) => record.kind === kind && left-- === 0);
  }

  /** The record of a kind that begins in block `sequence`. @throws TraceError when the file has changed */
  inBlock(kind: number, sequence: number): RecordPlace | undefined {
    const known = this.directories.get(kind)?.beforeBlock(sequence);
    const found = known && this.search(known.place, (record) => record.sequence >= sequence);
    return found?.kind === kind && found.sequence === sequence ? found : undefined;
  }

  /** The records that stand at a place, decoded; undefined for kinds that are no lists. @throws Malformed */
  pageAt(record: RecordPlace): Page<Position> | undefined {
    return this.decoders.get(record.kind)?.(record);
  }

  private search(from: Place, isWanted: (record: RecordPlace) => boolean): RecordPlace | undefined {
    return this.source.batch(() => {
      const first = recordAt(this.source, from);
      if (isWanted(first)) return first;
      let skips = 1;
      for (const record of recordsFrom(this.source, from)) if (skips-- <= 0 && isWanted(record)) return record;
      return undefined;
    });
  }

  private directory(kind: number): Directory {
    let directory = this.directories.get(kind);
    if (!directory) {
      directory = new Directory();
      this.directories.set(kind, directory);
    }
    return directory;
  }

  private list<R extends Position>(
    kind: number,
    decode: (record: RecordPlace) => Page<R>,
    cached: number,
  ): PagedRecords<R> {
    this.decoders.set(kind, decode);
    return new PagedRecords<R>({ source: this.source, kind, directory: this.directory(kind), decode, cached });
  }

  private bulk<R extends Position>(kind: number, codec: ColumnCodec<R>): PagedRecords<R> {
    return this.list(kind, (record) => codec.decode(contentOf(this.source, record), record.records), CACHED_BLOCKS);
  }

  /** What the headers say of a record's length is what its kind allows. */
  private expectShape({ kind, sequence, records, blocks, rawBytes }: RecordPlace): void {
    const exact = ROW_BYTES.get(kind);
    if (exact !== undefined) {
      expectFormat(rawBytes === records * exact, `${records} records of ${exact} bytes, found ${rawBytes} bytes`);
    }
    if (kind === KIND.INDEX) expectFormat(records === sequence, 'an index of all blocks before it');
    else if (exact !== undefined) expectFormat(blocks === 1 && records > 0, 'one block of at least one record');
    if (kind === KIND.PAGES) expectFormat(records <= PAGES_PER_BLOCK, `at most ${PAGES_PER_BLOCK} pages in one block`);
    const bounds = this.boundsOf(kind);
    expectFormat(
      exact !== undefined || bounds !== undefined || this.skipsUnknown,
      'a kind of block that this format version has',
    );
    if (!bounds) return;
    const [least, most] = bounds;
    expectFormat(rawBytes >= least && rawBytes <= most, `${least} to ${most} bytes, found ${rawBytes}`);
    expectFormat(kind === KIND.INPUTS ? records > 0 : records === 1, 'one record');
  }

  /** Fewest and most bytes of the records that are no columns. */
  private boundsOf(kind: number): readonly [number, number] | undefined {
    switch (kind) {
      case KIND.HEADER:
        return [1, MAX_HEADER_BYTES];
      case KIND.IMAGE:
        return [MIN_IMAGE_BYTES, MAX_IMAGE_BYTES];
      case KIND.INPUTS:
        return [1, MAX_INPUTS_BYTES];
      case KIND.CHECKPOINT:
        return [1, maxCheckpointBytes(this.maxPages)];
      case KIND.END:
        return [1, MAX_END_BYTES];
      default:
        return undefined;
    }
  }
}

/** Decoded records as a page. */
const arrayPage = <R>(records: readonly R[]) => ({ length: records.length, at: (n: number) => records[n] });

function firstPiece(source: ByteSource, record: RecordPlace): Uint8Array {
  return source.batch(() => piecesOf(source, record).next().value as Uint8Array);
}
