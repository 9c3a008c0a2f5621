/**
 * ELF files made of sections, for tests. Relies on nothing of the engine.
 */

export interface MadeSection {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** SHF_ALLOC is 2, SHF_COMPRESSED 0x800. */
  readonly flags?: bigint;
  readonly address?: bigint;
}

/** 64 KiB of code at 0x80000000: what the image has in memory. */
export const TEXT: MadeSection = { name: '.text', bytes: new Uint8Array(65_536), flags: 6n, address: 0x80000000n };

/** A 64-bit little-endian ELF file with these sections, and `.text` before them. */
export function makeElf(sections: readonly MadeSection[]): Uint8Array {
  const all = [{ name: '', bytes: new Uint8Array() }, TEXT, ...sections] as readonly MadeSection[];
  const names = Uint8Array.from([...all, { name: '.shstrtab' }].flatMap(({ name }) => [...Buffer.from(`${name}\0`)]));
  const listed = [...all, { name: '.shstrtab', bytes: names }] as readonly MadeSection[];
  const bytes = 64 + listed.reduce((sum, section) => sum + section.bytes.length, 0);
  const file = new Uint8Array(bytes + 64 * listed.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setBigUint64(40, BigInt(bytes), true);
  view.setUint16(58, 64, true);
  view.setUint16(60, listed.length, true);
  view.setUint16(62, listed.length - 1, true);
  let [at, nameAt] = [64, 0];
  for (const [n, { name, bytes: content, flags = 0n, address = 0n }] of listed.entries()) {
    const header = bytes + 64 * n;
    file.set(content, at);
    view.setUint32(header, nameAt, true);
    view.setUint32(header + 4, n === 0 ? 0 : 1, true);
    view.setBigUint64(header + 8, flags, true);
    view.setBigUint64(header + 16, address, true);
    view.setBigUint64(header + 24, BigInt(at), true);
    view.setBigUint64(header + 32, BigInt(content.length), true);
    at += content.length;
    nameAt += name.length + 1;
  }
  return file;
}

/** Little-endian numbers of so many bytes: `le(4, 1)`. */
export const le = (bytes: number, value: number | bigint): number[] =>
  Array.from({ length: bytes }, (_, n) => Number((BigInt.asUintN(64, BigInt(value)) >> BigInt(8 * n)) & 0xffn));

/** A string with its end. */
export const zero = (text: string): number[] => [...Buffer.from(`${text}\0`)];

/** Bytes with their number before them, as units begin. */
export const unit = (...bytes: readonly number[]): number[] => [...le(4, bytes.length), ...bytes];

/** A section made of numbers. */
export const section = (name: string, bytes: readonly number[], more: Partial<MadeSection> = {}): MadeSection => ({
  name,
  bytes: Uint8Array.from(bytes),
  ...more,
});
