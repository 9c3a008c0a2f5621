/**
 * The container of a trace taken apart and put together again, by an independent reading of traces/README.md: blocks
 * can be dropped, repeated, moved and changed, and every checksum of what comes out is right. Used by tests only.
 */
import { zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import xxhash from 'xxhash-wasm';
import { CHANGE, type Change, change, writeNumber } from './mutate.ts';

const { h64Raw } = await xxhash();

const PREAMBLE_BYTES = 24;
const HEADER_BYTES = 40;
const MAX_CONTENT = 1 << 20;
const BLOCK_MAGIC = 0x42564a44;
const FOOTER_MAGIC = 0x46564a44;
const INDEX_KIND = 10;
const ZSTD = 1;

interface Block {
  kind: number;
  flags: number;
  records: number;
  /** What its header says of its plain length; undefined: what it is. */
  claims: number | undefined;
  content: Uint8Array;
}

/** Something done to one block. */
export interface BlockChange {
  /** Which block, counted modulo how many there are. */
  readonly block: number;
  readonly what: 'drop' | 'repeat' | 'move' | 'kind' | 'flags' | 'records' | 'claims' | 'content' | 'word';
  readonly value: number;
  readonly content: Change;
}

export const BLOCK_CHANGE: fc.Arbitrary<BlockChange> = fc.record({
  block: fc.nat(),
  what: fc.constantFrom('drop', 'repeat', 'move', 'kind', 'flags', 'records', 'claims', 'content', 'word'),
  value: fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 0xffff_ffff })),
  content: CHANGE,
});

/** A trace with its blocks changed and sealed again; `hasIndex`: with an index that agrees with them. */
export function changeBlocks(trace: Uint8Array, changes: readonly BlockChange[], hasIndex: boolean): Uint8Array {
  const blocks = blocksOf(trace);
  for (const its of changes) changeBlock(blocks, its);
  return seal(trace.slice(0, 16), blocks, hasIndex);
}

function changeBlock(blocks: Block[], { block, what, value, content }: BlockChange): void {
  const n = block % Math.max(1, blocks.length);
  const its = blocks[n];
  if (!its) return;
  if (what === 'drop') blocks.splice(n, 1);
  else if (what === 'repeat') blocks.splice(n, 0, { ...its });
  else if (what === 'move') blocks.splice(value % blocks.length, 0, ...blocks.splice(n, 1));
  else if (what === 'kind') its.kind = value % 14;
  else if (what === 'flags') its.flags ^= 1 << (value % 16);
  else if (what === 'records') its.records = value;
  else if (what === 'claims') its.claims = value;
  else if (what === 'content') change(its, { ...content, at: Object.keys(its).indexOf('content') });
  else {
    its.content = its.content.slice();
    writeNumber(its.content, content.place % Math.max(1, its.content.length), content.value);
  }
}

/** The blocks before the index, their content plain. */
function blocksOf(bytes: Uint8Array): Block[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const blocks: Block[] = [];
  for (let at = PREAMBLE_BYTES; at + HEADER_BYTES <= bytes.length && view.getUint32(at, true) === BLOCK_MAGIC; ) {
    const stored = view.getUint32(at + 16, true);
    const content = bytes.slice(at + HEADER_BYTES, at + HEADER_BYTES + stored);
    const kind = view.getUint8(at + 4);
    const plain = view.getUint8(at + 5) === ZSTD ? new Uint8Array(zstdDecompressSync(content)) : content;
    const [flags, records] = [view.getUint16(at + 6, true), view.getUint32(at + 20, true)];
    if (kind !== INDEX_KIND) blocks.push({ kind, flags, records, claims: undefined, content: plain });
    at += HEADER_BYTES + stored;
  }
  return blocks;
}

/** A file of the first 16 bytes and these blocks. */
function seal(start: Uint8Array, blocks: readonly Block[], hasIndex: boolean): Uint8Array {
  let check = h64Raw(start);
  const pieces = [start, u64(check)];
  const rows: { readonly offset: number; readonly kind: number; readonly records: number; readonly check: bigint }[] =
    [];
  let offset = PREAMBLE_BYTES;
  const append = ({ kind, flags, records, claims, content }: Block) => {
    const stored = content.subarray(0, MAX_CONTENT);
    const header = new Uint8Array(HEADER_BYTES);
    const view = new DataView(header.buffer);
    view.setUint32(0, BLOCK_MAGIC, true);
    view.setUint8(4, kind);
    view.setUint16(6, flags, true);
    view.setUint32(8, rows.length, true);
    view.setUint32(12, claims ?? stored.length, true);
    view.setUint32(16, stored.length, true);
    view.setUint32(20, records, true);
    view.setBigUint64(24, h64Raw(stored), true);
    check = h64Raw(header.subarray(0, 32), check);
    view.setBigUint64(32, check, true);
    pieces.push(header, stored);
    rows.push({ offset, kind, records, check });
    offset += HEADER_BYTES + stored.length;
  };
  for (const block of blocks) append(block);
  if (!hasIndex) return Uint8Array.from(Buffer.concat(pieces));
  const index = [
    ...rows.map((row) => u64(BigInt(row.offset))),
    Uint8Array.from(rows.map(({ kind }) => kind)),
    ...rows.map(({ records }) => new Uint8Array(Uint32Array.of(records).buffer)),
    ...rows.map((row) => u64(row.check)),
  ];
  const [first, at] = [rows.length, offset];
  append({ kind: INDEX_KIND, flags: 0, records: rows.length, claims: undefined, content: Buffer.concat(index) });
  const footer = Buffer.concat([new Uint8Array(Uint32Array.of(FOOTER_MAGIC, first).buffer), u64(BigInt(at))]);
  return Uint8Array.from(Buffer.concat([...pieces, footer, u64(h64Raw(footer))]));
}

const u64 = (value: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(value).buffer);
