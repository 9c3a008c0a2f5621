/**
 * Writes flattened device trees (Devicetree Specification 0.4 chapter 5, version 17). Knows no board: the tree is data.
 * Equal trees give equal bytes.
 */

/**
 * Cells are 32-bit; strings become NUL-terminated, lists of strings follow each other; true is an empty property; bytes
 * stay as they are.
 */
export type FdtValue = string | readonly string[] | readonly number[] | Uint8Array | true;

export interface FdtNode {
  readonly name: string;
  readonly properties: Readonly<Record<string, FdtValue>>;
  readonly children?: readonly FdtNode[];
}

const MAGIC = 0xd00dfeed;
const VERSION = 17;
const LAST_COMPATIBLE = 16;
const HEADER_BYTES = 40;
/** The memory reservation block: just its terminator. */
const RESERVATION_BYTES = 16;
const BEGIN_NODE = 1;
const END_NODE = 2;
const PROPERTY = 3;
const END = 9;

/** The blob of a tree. `bootHart` is the boot CPU's hart id. */
export function writeFdt(root: FdtNode, bootHart = 0): Uint8Array {
  const strings = new StringBlock();
  const structure: number[] = [];
  writeNode(structure, strings, root);
  pushWord(structure, END);
  const structureAt = HEADER_BYTES + RESERVATION_BYTES;
  const stringsAt = structureAt + structure.length;
  const total = stringsAt + strings.bytes.length;
  const blob = new Uint8Array(total);
  const view = new DataView(blob.buffer);
  const header = [
    MAGIC,
    total,
    structureAt,
    stringsAt,
    HEADER_BYTES,
    VERSION,
    LAST_COMPATIBLE,
    bootHart,
    strings.bytes.length,
    structure.length,
  ];
  for (const [n, word] of header.entries()) view.setUint32(4 * n, word);
  blob.set(structure, structureAt);
  blob.set(strings.bytes, stringsAt);
  return blob;
}

/** Property names, each kept once. */
class StringBlock {
  readonly bytes: number[] = [];
  readonly #offsets = new Map<string, number>();

  offset(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    const offset = this.bytes.length;
    this.#offsets.set(text, offset);
    append(this.bytes, terminated(text));
    return offset;
  }
}

function writeNode(out: number[], strings: StringBlock, node: FdtNode): void {
  pushWord(out, BEGIN_NODE);
  append(out, terminated(node.name));
  align(out);
  for (const [name, value] of Object.entries(node.properties)) {
    const bytes = encode(value);
    pushWord(out, PROPERTY);
    pushWord(out, bytes.length);
    pushWord(out, strings.offset(name));
    append(out, bytes);
    align(out);
  }
  for (const child of node.children ?? []) writeNode(out, strings, child);
  pushWord(out, END_NODE);
}

function encode(value: FdtValue): number[] {
  if (value === true) return [];
  if (typeof value === 'string') return terminated(value);
  if (value instanceof Uint8Array) return [...value];
  const bytes: number[] = [];
  for (const item of value) {
    if (typeof item === 'string') append(bytes, terminated(item));
    else pushWord(bytes, item);
  }
  return bytes;
}

const encoder = new TextEncoder();
const terminated = (text: string): number[] => [...encoder.encode(text), 0];

/** Not as arguments: of those a call has only so many. */
function append(out: number[], bytes: readonly number[]): void {
  for (const byte of bytes) out.push(byte);
}

function pushWord(out: number[], value: number): void {
  out.push(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

function align(out: number[]): void {
  while (out.length % 4 !== 0) out.push(0);
}
