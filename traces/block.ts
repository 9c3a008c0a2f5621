/**
 * Blocks: what a trace consists of after its preamble. A block is a 40-byte header and at most 1 MiB of content, stored
 * plain or as one zstd frame. Relies on node:zlib. Knows no record; what a kind means is in records/.
 *
 * The body hash covers the *stored* bytes: each changed byte is found, and found before the decompressor sees it.
 * Identity of content does not hang on it (images carry SHA-256, pages XXH64 of their plain bytes), so that another
 * zstd version may compress differently. The header check covers the header, and through its seed the check of the
 * header before: blocks cannot be dropped, swapped or spliced in from another file unnoticed.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { asUint8Array } from './bytes.ts';
import { xxh64 } from './hash.ts';
import { expectFormat, Malformed } from './malformed.ts';

export const BLOCK_HEADER_BYTES = 40;
/** Upper bound of a block's content; larger records span several blocks (CONTINUES). */
export const MAX_BLOCK_BYTES = 1 << 20;
/** 'DJVB', little endian. */
const BLOCK_MAGIC = 0x42564a44;
const STORED = 0;
const ZSTD = 1;
/** Flag: the record goes on in the next block, which is of the same kind. */
const CONTINUES = 1;
/** Below this a zstd frame costs more time than it saves bytes. */
const MIN_COMPRESS_BYTES = 256;

export interface BlockHeader {
  readonly kind: number;
  readonly codec: number;
  readonly continues: boolean;
  readonly sequence: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  readonly records: number;
  /** XXH64 of the stored bytes. */
  readonly bodyHash: bigint;
  /** XXH64 of header bytes 0–31, seeded with the previous header's check (first block: the preamble's). */
  readonly check: bigint;
}

/** A block as written: header and stored content in one piece, so that one write call appends it. */
export interface EncodedBlock {
  readonly bytes: Uint8Array;
  readonly check: bigint;
}

/** Encodes one block. @throws RangeError when the content is larger than 1 MiB (ours: an assertion). */
export function encodeBlock(
  block: { kind: number; sequence: number; records: number; continues: boolean; content: Uint8Array },
  previousCheck: bigint,
): EncodedBlock {
  const { content } = block;
  if (content.length > MAX_BLOCK_BYTES) throw new RangeError(`block of ${content.length} bytes, at most 1 MiB`);
  const packed = content.length < MIN_COMPRESS_BYTES ? undefined : compress(content);
  const body = packed && packed.length < content.length ? packed : content;
  const bytes = new Uint8Array(BLOCK_HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, BLOCK_MAGIC, true);
  view.setUint8(4, block.kind);
  view.setUint8(5, body === content ? STORED : ZSTD);
  view.setUint16(6, block.continues ? CONTINUES : 0, true);
  view.setUint32(8, block.sequence, true);
  view.setUint32(12, content.length, true);
  view.setUint32(16, body.length, true);
  view.setUint32(20, block.records, true);
  view.setBigUint64(24, xxh64(body), true);
  const check = xxh64(bytes.subarray(0, 32), previousCheck);
  view.setBigUint64(32, check, true);
  bytes.set(body, BLOCK_HEADER_BYTES);
  return { bytes, check };
}

const compress = (content: Uint8Array): Uint8Array =>
  zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });

/** Why a header was refused: its check failed, or the format does not allow what it says. */
export type HeaderFault = { readonly fault: 'checksum' | 'malformed'; readonly message: string };

/** The fields of a block header, unchecked; undefined when the bytes do not begin one. */
export function parseBlockHeader(bytes: Uint8Array): BlockHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, BLOCK_HEADER_BYTES);
  if (view.getUint32(0, true) !== BLOCK_MAGIC) return undefined;
  return {
    kind: view.getUint8(4),
    codec: view.getUint8(5),
    continues: (view.getUint16(6, true) & CONTINUES) !== 0,
    sequence: view.getUint32(8, true),
    rawBytes: view.getUint32(12, true),
    storedBytes: view.getUint32(16, true),
    records: view.getUint32(20, true),
    bodyHash: view.getBigUint64(24, true),
    check: view.getBigUint64(32, true),
  };
}

/** Reads a block header; lengths in the result are within bounds. */
export function decodeBlockHeader(
  bytes: Uint8Array,
  sequence: number,
  previousCheck: bigint,
): BlockHeader | HeaderFault {
  const header = parseBlockHeader(bytes);
  if (!header || xxh64(bytes.subarray(0, 32), previousCheck) !== header.check) {
    return { fault: 'checksum', message: `header of block ${sequence} is damaged` };
  }
  const malformed = (message: string): HeaderFault => ({ fault: 'malformed', message });
  if (header.sequence !== sequence) return malformed(`block ${header.sequence} where block ${sequence} was expected`);
  if (header.rawBytes > MAX_BLOCK_BYTES || header.storedBytes > MAX_BLOCK_BYTES) {
    return malformed(`block ${sequence} claims ${header.rawBytes} bytes, at most 1 MiB`);
  }
  return header;
}

/** True when the stored bytes are those that were written. */
export const bodyIsIntact = (header: BlockHeader, stored: Uint8Array): boolean =>
  stored.length === header.storedBytes && xxh64(stored) === header.bodyHash;

/** Plain content of an intact block. @throws Malformed when it does not decode to the length its header says. */
export function decodeBody(header: BlockHeader, stored: Uint8Array): Uint8Array {
  if (header.codec === STORED) {
    expectFormat(header.rawBytes === stored.length, `${header.rawBytes} bytes, found ${stored.length}`);
    return stored;
  }
  expectFormat(header.codec === ZSTD, `compression 0 or 1, found ${header.codec}`);
  let content: Uint8Array;
  try {
    // The bound keeps a forged frame from filling memory; 1 because zlib refuses a bound of 0.
    content = asUint8Array(zstdDecompressSync(stored, { maxOutputLength: Math.max(1, header.rawBytes) }));
  } catch (error) {
    throw new Malformed(
      `expected a zstd frame of ${header.rawBytes} bytes (${error instanceof Error ? error.message : error})`,
    );
  }
  expectFormat(content.length === header.rawBytes, `${header.rawBytes} bytes, found ${content.length}`);
  return content;
}
