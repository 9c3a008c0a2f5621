/**
 * Walks the blocks of a trace from the preamble to the footer, or to where it stops being readable. Checks every header
 * and every body. Does not decode contents.
 */
import { BLOCK_HEADER_BYTES, type BlockHeader, bodyIsIntact, decodeBlockHeader } from './block.ts';
import { PREAMBLE_BYTES, type Preamble } from './preamble.ts';
import { decodeFooter, FOOTER_BYTES } from './records/index-record.ts';
import { KIND } from './records/kinds.ts';
import type { ByteSource } from './source.ts';
import type { TraceDamage } from './types.ts';

/** A block and where it stands. */
export interface PlacedBlock extends BlockHeader {
  /** Of its header, from the start of the file. */
  readonly offset: number;
}

/** Damage before it is known what the last good position is. */
export type Break = Omit<TraceDamage, 'lastGood'>;

export interface Scan {
  /** Intact blocks before the first damage, in file order; block `i` has sequence number `i`. */
  readonly blocks: PlacedBlock[];
  readonly damage: Break | undefined;
}

/** Scans the whole file. */
export function scanBlocks(source: ByteSource, preamble: Preamble): Scan {
  const blocks: PlacedBlock[] = [];
  let offset = PREAMBLE_BYTES;
  let check = preamble.check;
  let indexAt: PlacedBlock | undefined;
  const stop = (kind: Break['kind'], message: string): Scan => ({ blocks, damage: { offset, kind, message } });
  for (;;) {
    const left = source.sizeBytes - offset;
    if (indexAt && !blocks.at(-1)!.continues) {
      const footer = decodeFooter(source.read(offset, FOOTER_BYTES));
      if (left < FOOTER_BYTES) return stop('truncated', 'the file ends before its footer');
      if (!footer) return stop('checksum', 'the footer is damaged');
      if (footer.sequence !== indexAt.sequence || footer.offset !== indexAt.offset) {
        return stop('malformed', 'the footer points elsewhere than at the index');
      }
      if (left === FOOTER_BYTES) return { blocks, damage: undefined };
      offset += FOOTER_BYTES;
      return stop('malformed', `${left - FOOTER_BYTES} bytes follow the footer`);
    }
    if (left === 0) return stop('truncated', 'the file ends without an end record: recording was cut off');
    if (left < BLOCK_HEADER_BYTES)
      return stop('truncated', `the file ends inside the header of block ${blocks.length}`);
    const header = decodeBlockHeader(source.read(offset, BLOCK_HEADER_BYTES), blocks.length, check);
    if ('fault' in header) return stop(header.fault, header.message);
    if (left - BLOCK_HEADER_BYTES < header.storedBytes) {
      return stop('truncated', `the file ends inside block ${header.sequence}`);
    }
    if (!bodyIsIntact(header, source.read(offset + BLOCK_HEADER_BYTES, header.storedBytes))) {
      return stop('checksum', `content of block ${header.sequence} is damaged`);
    }
    const before = blocks.at(-1);
    if (before?.continues && before.kind !== header.kind) {
      return stop('malformed', `block ${header.sequence} should go on with the record of block ${before.sequence}`);
    }
    const placed = { ...header, offset };
    if (header.kind === KIND.INDEX) indexAt ??= placed;
    blocks.push(placed);
    check = header.check;
    offset += BLOCK_HEADER_BYTES + header.storedBytes;
  }
}
