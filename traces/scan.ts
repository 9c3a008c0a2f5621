/**
 * Walks the blocks of a trace from the preamble to the footer, or to where it stops being readable. Checks every
 * header, and every content when asked to. What the records hold is the business of who takes them.
 */
import { BLOCK_HEADER_BYTES, bodyIsIntact, decodeBlockHeader } from './block.ts';
import { Malformed } from './malformed.ts';
import { PREAMBLE_BYTES, type Preamble } from './preamble.ts';
import { decodeFooter, FOOTER_BYTES } from './records/index-record.ts';
import { KIND, kindName } from './records/kinds.ts';
import type { ByteSource } from './source.ts';
import type { TraceDamage } from './types.ts';
import { HeaderReader, type Place, type PlacedBlock, placeBehind, placed, type RecordPlace } from './walk.ts';

/** Damage before it is known what the last good position is. */
export type Break = Omit<TraceDamage, 'lastGood'>;

export interface ScanOptions {
  /** Whether contents are compared with their hashes, too; the header's always is. */
  readonly contents: boolean;
  /** Takes each complete record, in file order. @throws Malformed to end the scan before it */
  readonly take: (record: RecordPlace) => void;
}

/** Scans the whole file. Returns where and why it stops being readable. */
export function scanBlocks(source: ByteSource, preamble: Preamble, options: ScanOptions): Break | undefined {
  const headers = new HeaderReader(source);
  let place: Place = { sequence: 0, offset: PREAMBLE_BYTES, previousCheck: preamble.check };
  let record: RecordPlace | undefined;
  let indexAt: Place | undefined;
  for (;;) {
    const stop = (kind: Break['kind'], message: string): Break => ({ offset: place.offset, kind, message });
    const { sequence } = place;
    if (indexAt && !record) return checkFooter(source, place.offset, indexAt);
    const left = source.sizeBytes - place.offset;
    if (left === 0) return stop('truncated', 'the file ends without an end record: recording was cut off');
    if (left < BLOCK_HEADER_BYTES) return stop('truncated', `the file ends inside the header of block ${sequence}`);
    const header = decodeBlockHeader(headers.at(place.offset), sequence, place.previousCheck);
    if ('fault' in header) return stop(header.fault, header.message);
    const block = placed(header, place);
    if (left - BLOCK_HEADER_BYTES < block.storedBytes) {
      return stop('truncated', `the file ends inside block ${sequence}`);
    }
    const isWanted = options.contents || block.kind === KIND.HEADER;
    if (isWanted && !contentIsIntact(source, block)) {
      return stop('checksum', `content of block ${sequence} is damaged`);
    }
    if (record && record.kind !== block.kind) {
      return stop('malformed', `block ${sequence} should go on with the record of block ${sequence - 1}`);
    }
    record = joined(record, block);
    if (!block.continues) {
      const refused = taken(record, options.take);
      if (refused) return refused;
      if (record.kind === KIND.INDEX) indexAt ??= record;
      record = undefined;
    }
    place = placeBehind(block);
  }
}

const contentIsIntact = (source: ByteSource, block: PlacedBlock): boolean =>
  bodyIsIntact(block, source.read(block.offset + BLOCK_HEADER_BYTES, block.storedBytes));

/** The record that a block goes on with, or begins. */
function joined(record: RecordPlace | undefined, block: PlacedBlock): RecordPlace {
  const { sequence, offset, previousCheck, kind, records, rawBytes } = block;
  if (!record) return { sequence, offset, previousCheck, kind, records, blocks: 1, rawBytes };
  return { ...record, blocks: record.blocks + 1, rawBytes: record.rawBytes + rawBytes };
}

function taken(record: RecordPlace, take: ScanOptions['take']): Break | undefined {
  try {
    take(record);
    return undefined;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const message = `${kindName(record.kind)} block ${record.sequence}: ${error.message}`;
    return { offset: record.offset, kind: 'malformed', message };
  }
}

/** What stands behind the index. */
function checkFooter(source: ByteSource, offset: number, index: Place): Break | undefined {
  const left = source.sizeBytes - offset;
  const footer = decodeFooter(source.read(offset, FOOTER_BYTES));
  if (left < FOOTER_BYTES) return { offset, kind: 'truncated', message: 'the file ends before its footer' };
  if (!footer) return { offset, kind: 'checksum', message: 'the footer is damaged' };
  if (footer.sequence !== index.sequence || footer.offset !== index.offset) {
    return { offset, kind: 'malformed', message: 'the footer points elsewhere than at the index' };
  }
  if (left === FOOTER_BYTES) return undefined;
  const message = `${left - FOOTER_BYTES} bytes follow the footer`;
  return { offset: offset + FOOTER_BYTES, kind: 'malformed', message };
}
