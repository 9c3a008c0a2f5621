/**
 * Checkpoint records: position, digest, state bytes, and which pages changed since the checkpoint before. Page contents
 * stand in PAGES blocks, each content once in the file; a row says where (block, slot) and what it hashes to. A
 * checkpoint may span blocks. Checks its own bounds; that the places exist is checked by the reader.
 */
import { concat } from '../bytes.ts';
import { type ColumnPage, columns } from '../columns.ts';
import { expectFormat } from '../malformed.ts';
import type { TraceDigest } from '../types.ts';

export const PAGE_BYTES = 4096;
/** Pages in a full block of kind PAGES: its content is nothing but their bytes. */
export const PAGES_PER_BLOCK = 256;

/** Of a machine without its pages: 8 harts and all devices take a twentieth of it. */
const MAX_STATE_BYTES = 1 << 24;

const HEAD = columns({ moment: 'u53', ticks: 'u53', digest: 'u64', stateBytes: 'u32', changed: 'u32', cleared: 'u32' });
const CHANGED = columns({ index: 'u32', block: 'u32', slot: 'u32', hash: 'u64' });
const CLEARED = columns({ index: 'u32' });

/** Where a page's content is stored. */
export interface PagePlace {
  /** Sequence number of the PAGES block. */
  readonly block: number;
  readonly slot: number;
}
export interface ChangedPage extends PagePlace {
  readonly index: number;
  readonly hash: bigint;
}
export interface CheckpointRecord {
  readonly moment: number;
  readonly ticks: number;
  readonly digest: bigint;
  readonly state: Uint8Array;
  readonly changed: readonly ChangedPage[];
  readonly cleared: readonly number[];
}

/** @throws RangeError when a value does not fit. */
export function encodeCheckpoint(record: CheckpointRecord): Uint8Array {
  const { state, changed, cleared } = record;
  const head = { ...record, stateBytes: state.length, changed: changed.length, cleared: cleared.length };
  return concat([
    HEAD.encode([head]),
    state,
    CHANGED.encode(changed),
    CLEARED.encode(cleared.map((index) => ({ index }))),
  ]);
}

/** A checkpoint as it stands in a file. Page contents stand elsewhere. */
export interface StoredCheckpoint extends TraceDigest {
  /** Shares memory with the record. */
  readonly state: Uint8Array;
  readonly changed: ColumnPage<ChangedPage>;
  readonly cleared: ColumnPage<{ readonly index: number }>;
}

/** Position and digest of the checkpoint whose record begins so. @throws Malformed */
export const decodeCheckpointPosition = (bytes: Uint8Array): TraceDigest => {
  const { moment, ticks, digest } = decodeHead(bytes);
  return { moment, ticks, digest };
};

function decodeHead(bytes: Uint8Array) {
  expectFormat(bytes.length >= HEAD.rowBytes, `at least ${HEAD.rowBytes} bytes of checkpoint`);
  return HEAD.decode(bytes.subarray(0, HEAD.rowBytes), 1).at(0);
}

/** @throws Malformed */
export function decodeCheckpoint(bytes: Uint8Array): StoredCheckpoint {
  const head = decodeHead(bytes);
  const changedAt = HEAD.rowBytes + head.stateBytes;
  const clearedAt = changedAt + head.changed * CHANGED.rowBytes;
  const total = clearedAt + head.cleared * CLEARED.rowBytes;
  expectFormat(bytes.length === total, `a checkpoint of ${total} bytes, found ${bytes.length}`);
  return {
    moment: head.moment,
    ticks: head.ticks,
    digest: head.digest,
    state: bytes.subarray(HEAD.rowBytes, changedAt),
    changed: CHANGED.decode(bytes.subarray(changedAt, clearedAt), head.changed),
    cleared: CLEARED.decode(bytes.subarray(clearedAt), head.cleared),
  };
}

/** Most bytes that the record of a checkpoint of so many pages can have. */
export const maxCheckpointBytes = (pages: number): number =>
  HEAD.rowBytes + MAX_STATE_BYTES + pages * (CHANGED.rowBytes + CLEARED.rowBytes);
