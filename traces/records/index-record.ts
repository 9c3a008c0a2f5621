/**
 * Index and footer: what stands where, for tools that look into a finished trace without walking it. Nothing but a copy
 * of what a scan finds: a trace without them (killed recorder) reads the same, and our reader, which checks every block
 * anyway, takes the scan for the truth and only compares.
 */
import { type ColumnCodec, columns } from '../columns.ts';
import { xxh64 } from '../hash.ts';

/** One row per block before the index block, in file order; `check` is the header's. */
export interface IndexRow {
  readonly offset: number;
  readonly kind: number;
  readonly records: number;
  readonly check: bigint;
}
export const INDEX_FIELDS = { offset: 'u53', kind: 'u8', records: 'u32', check: 'u64' } as const;
export const INDEX: ColumnCodec<IndexRow> = columns(INDEX_FIELDS);

export const FOOTER_BYTES = 24;
/** 'DJVF', little endian. */
const FOOTER_MAGIC = 0x46564a44;

/** Footer: magic, sequence number and offset of the (first) index block, XXH64 of these 16 bytes. */
export function encodeFooter(sequence: number, offset: number): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, FOOTER_MAGIC, true);
  view.setUint32(4, sequence, true);
  view.setBigUint64(8, BigInt(offset), true);
  view.setBigUint64(16, xxh64(bytes.subarray(0, 16)), true);
  return bytes;
}

/** undefined when the bytes are not an intact footer. */
export function decodeFooter(bytes: Uint8Array): { sequence: number; offset: number } | undefined {
  if (bytes.length !== FOOTER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, FOOTER_BYTES);
  if (view.getUint32(0, true) !== FOOTER_MAGIC) return undefined;
  if (view.getBigUint64(16, true) !== xxh64(bytes.subarray(0, 16))) return undefined;
  return { sequence: view.getUint32(4, true), offset: Number(view.getBigUint64(8, true)) };
}
