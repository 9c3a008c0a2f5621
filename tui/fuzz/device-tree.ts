/**
 * A device tree taken apart and put together again, by an independent reading of the Devicetree Specification 0.4
 * chapter 5: tokens can be dropped, repeated, moved and changed, and every size and offset of what comes out is right.
 */
import { assemble, createMachine, RAM_BASE } from '../../engine/index.ts';

const MAGIC = 0xd00dfeed;
const HEADER_BYTES = 40;
const RESERVATION_BYTES = 16;
const BEGIN_NODE = 1;
const PROPERTY = 3;

/** A token of the structure block and what belongs to it: a node's name, or a property's name and value. */
export interface Token {
  token: number;
  name: string;
  value: Uint8Array;
}

/** The board's own tree, as software finds it in memory. */
export function boardTree(): Uint8Array {
  const bios = { name: 'program', bytes: assemble('wfi', RAM_BASE).bytes };
  const quantum = { policy: 'fixed', ticks: 1000, seed: 0n } as const;
  const { pages } = createMachine({ harts: 1, ramBytes: 4 << 20, quantum, append: '', bios }).snapshot();
  const indices = [...pages.keys()].sort((a, b) => a - b);
  const content = (index: number) => Buffer.from(pages.get(index)!.bytes);
  const first = indices.findIndex((index) => content(index).readUInt32BE(0) === MAGIC);
  const tree = Buffer.concat(indices.slice(first).map(content));
  return new Uint8Array(tree.subarray(0, tree.readUInt32BE(4)));
}

/** The tokens of a tree. */
export function tokensOf(blob: Uint8Array): Token[] {
  const bytes = Buffer.from(blob);
  const text = (at: number) => bytes.toString('latin1', at, bytes.indexOf(0, at));
  const [structure, strings, structureBytes] = [8, 12, 36].map((at) => bytes.readUInt32BE(at)) as [
    number,
    number,
    number,
  ];
  const tokens: Token[] = [];
  for (let at = structure; at < structure + structureBytes; at = (at + 3) & ~3) {
    const token = bytes.readUInt32BE(at);
    const its: Token = { token, name: '', value: new Uint8Array() };
    at += 4;
    if (token === BEGIN_NODE) {
      its.name = text(at);
      at += its.name.length + 1;
    } else if (token === PROPERTY) {
      const length = bytes.readUInt32BE(at);
      its.name = text(strings + bytes.readUInt32BE(at + 4));
      its.value = new Uint8Array(bytes.subarray(at + 8, at + 8 + length));
      at += 8 + length;
    }
    tokens.push(its);
  }
  return tokens;
}

/** The blob of tokens, whatever they are. */
export function treeOf(tokens: readonly Token[]): Uint8Array {
  const structure: Uint8Array[] = [];
  const strings: Uint8Array[] = [];
  let stringsBytes = 0;
  for (const { token, name, value } of tokens) {
    const named = Buffer.from(`${name}\0`, 'latin1');
    structure.push(words(token));
    if (token === BEGIN_NODE) structure.push(padded(named));
    if (token !== PROPERTY) continue;
    structure.push(words(value.length, stringsBytes), padded(value));
    strings.push(named);
    stringsBytes += named.length;
  }
  const body = Buffer.concat(structure);
  const stringsAt = HEADER_BYTES + RESERVATION_BYTES + body.length;
  const total = stringsAt + stringsBytes;
  const structureAt = HEADER_BYTES + RESERVATION_BYTES;
  const header = words(MAGIC, total, structureAt, stringsAt, HEADER_BYTES, 17, 16, 0, stringsBytes, body.length);
  return new Uint8Array(Buffer.concat([header, new Uint8Array(RESERVATION_BYTES), body, ...strings]));
}

function words(...values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [n, value] of values.entries()) bytes.writeUInt32BE(value % 2 ** 32, 4 * n);
  return bytes;
}

const padded = (bytes: Uint8Array): Uint8Array => Buffer.concat([bytes, new Uint8Array(-bytes.length & 3)]);
