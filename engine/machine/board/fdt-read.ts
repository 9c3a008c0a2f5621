/**
 * Reads flattened device trees (Devicetree Specification 0.4 chapter 5) into the tree that fdt.ts writes, so that a
 * user's own can be completed. Property values stay bytes. Comes from a user: everything is checked before it is used.
 * Memory reservations are dropped.
 */
import type { FdtNode, FdtValue } from './fdt.ts';

const MAGIC = 0xd00dfeed;
const HEADER_BYTES = 40;
const LAST_VERSION_READ = 17;
const BEGIN_NODE = 1;
const END_NODE = 2;
const PROPERTY = 3;
const NOP = 4;
const MAX_DEPTH = 64;
/** The specification has 31 for what it names itself. Trees with longer ones exist; none needs a page for a name. */
const MAX_NAME_BYTES = 255;

/** The tree in a blob; undefined when it is not one, or damaged. */
export function readFdt(blob: Uint8Array): FdtNode | undefined {
  if (blob.length < HEADER_BYTES) return undefined;
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const [magic, total, structureAt, stringsAt] = [0, 4, 8, 12].map((at) => view.getUint32(at));
  if (magic !== MAGIC || total! > blob.length || view.getUint32(24) > LAST_VERSION_READ) return undefined;
  const reader: Reader = { view, blob: blob.subarray(0, total), at: structureAt!, stringsAt: stringsAt! };
  try {
    return word(reader) === BEGIN_NODE ? node(reader, 0) : undefined;
  } catch (error) {
    // Reading outside the blob is how damage shows.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

interface Reader {
  readonly view: DataView;
  readonly blob: Uint8Array;
  readonly stringsAt: number;
  at: number;
}

/** A node, after its begin token. @throws RangeError when it is damaged */
function node(reader: Reader, depth: number): FdtNode {
  if (depth > MAX_DEPTH) throw new RangeError('too deep');
  const name = nameAt(reader, reader.at);
  reader.at = (reader.at + name.length + 4) & ~3;
  // Names are the user's: this one's must not mean anything to the object.
  const properties: Record<string, FdtValue> = Object.create(null);
  const children: FdtNode[] = [];
  for (;;) {
    const token = word(reader);
    if (token === END_NODE) return { name, properties, children };
    if (token === BEGIN_NODE) children.push(node(reader, depth + 1));
    else if (token === PROPERTY) property(reader, properties);
    else if (token !== NOP) throw new RangeError('unknown token');
  }
}

function property(reader: Reader, properties: Record<string, FdtValue>): void {
  const bytes = word(reader);
  const name = nameAt(reader, reader.stringsAt + word(reader));
  if (reader.at + bytes > reader.blob.length) throw new RangeError('property beyond the end');
  properties[name] = reader.blob.slice(reader.at, reader.at + bytes);
  reader.at = (reader.at + bytes + 3) & ~3;
}

function word(reader: Reader): number {
  const value = reader.view.getUint32(reader.at);
  reader.at += 4;
  return value;
}

/** A NUL-terminated name of printable characters. */
function nameAt({ blob }: Reader, at: number): string {
  const bytes = blob.subarray(at, at + MAX_NAME_BYTES + 1);
  const end = bytes.indexOf(0);
  if (end < 0) throw new RangeError('name without end');
  const name = bytes.subarray(0, end);
  if (name.some((byte) => byte < 0x20 || byte > 0x7e)) throw new RangeError('a name of something else than characters');
  return String.fromCharCode(...name);
}
