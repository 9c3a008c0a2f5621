/**
 * A cursor over the bytes of a debug section, little-endian. Every read is checked against its end, so damaged sections
 * end in a `DwarfError` and never in a value that is not there.
 * Numbers: whatever is an offset or a count must be a safe integer; addresses are 64-bit values.
 */

/** Debug information that cannot be read: one line that says where and why. */
export class DwarfError extends Error {
  override readonly name = 'DwarfError';
}

/** A section's bytes, and what it is called in messages. */
export interface Bytes {
  readonly section: string;
  readonly bytes: Uint8Array;
  /** Where the image has it; 0 when it is not part of the image's memory. */
  readonly address: bigint;
}

/** Longest string that is read. Strings may overlap: each name could be the rest of its section. */
const MAX_STRING_BYTES = 4096;
/** How far the end of one is looked for. */
const MAX_SCANNED_BYTES = 65_536;
/** A 64-bit number in LEB128. Longer ones are padded, as linkers do; past this they are damage. */
const MAX_LEB_BYTES = 16;
/** So many bytes of it fit a safe integer. */
const EXACT_LEB_BYTES = 7;

const decoder = new TextDecoder();

export class Cursor {
  readonly of: Bytes;
  at: number;
  readonly end: number;
  readonly #view: DataView;

  /** Reads from `at` up to `end`, which is cut to the section's. */
  constructor(of: Bytes, at = 0, end = of.bytes.length) {
    this.of = of;
    this.at = at;
    this.end = Math.min(end, of.bytes.length);
    this.#view = new DataView(of.bytes.buffer, of.bytes.byteOffset, of.bytes.byteLength);
    if (!(at >= 0 && at <= this.end)) throw this.wrong('begins past its end');
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  /** The error that something at the present position is wrong. */
  wrong(why: string): DwarfError {
    return new DwarfError(`${this.of.section} ${why} (at byte 0x${this.at.toString(16)})`);
  }

  /** Makes sure of `count` more bytes, goes behind them, and says where they begin. */
  skip(count: number): number {
    const at = this.at;
    if (!(count >= 0 && count <= this.end - at)) throw this.wrong('is cut off or damaged');
    this.at = at + count;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.skip(1));
  }

  i8(): number {
    return this.#view.getInt8(this.skip(1));
  }

  u16(): number {
    return this.#view.getUint16(this.skip(2), true);
  }

  i16(): number {
    return this.#view.getInt16(this.skip(2), true);
  }

  u24(): number {
    const at = this.skip(3);
    return this.#view.getUint16(at, true) | (this.#view.getUint8(at + 2) << 16);
  }

  u32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.skip(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.skip(8), true);
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes. */
  unsigned(bytes: number): bigint {
    if (bytes === 8) return this.u64();
    if (bytes === 4) return BigInt(this.u32());
    if (bytes === 2) return BigInt(this.u16());
    if (bytes === 1) return BigInt(this.u8());
    throw this.wrong(`has numbers of ${bytes} bytes`);
  }

  /** An offset or a count of 4 or, in the 64-bit format, 8 bytes (DWARF 5, 7.4). */
  offset(is64: boolean): number {
    return is64 ? this.#count(this.u64()) : this.u32();
  }

  /** Unsigned LEB128 as a count. */
  uleb(): number {
    const from = this.at;
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.u8();
      if (this.at - from > MAX_LEB_BYTES) throw this.wrong('has a number without end');
      const part = byte & 0x7f;
      if (part !== 0) value += part * factor;
      if (value > Number.MAX_SAFE_INTEGER) throw this.wrong('has a count that is too large');
      if (byte < 0x80) return value;
    }
  }

  /** Unsigned LEB128 as a 64-bit value. */
  uleb64(): bigint {
    return BigInt.asUintN(64, this.#leb().value);
  }

  /** Signed LEB128 as a 64-bit value. */
  sleb64(): bigint {
    const { value, bits } = this.#leb();
    return BigInt.asIntN(64, BigInt.asIntN(bits, value));
  }

  /** Signed LEB128 as a number. */
  sleb(): number {
    const from = this.at;
    let value = 0;
    for (let factor = 1; this.at - from < EXACT_LEB_BYTES; factor *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return (byte & 0x40) === 0 ? value : value - factor * 128;
    }
    this.at = from;
    const large = Number(this.sleb64());
    if (!Number.isSafeInteger(large)) throw this.wrong('has a number that is too large');
    return large;
  }

  /** A string that ends in a zero, within 64 KiB; cut at 4096 bytes. */
  text(): string {
    const from = this.at;
    const found = this.of.bytes.subarray(from, Math.min(this.end, from + MAX_SCANNED_BYTES)).indexOf(0);
    if (found < 0) throw this.wrong('has a string without end');
    this.at = from + found + 1;
    return decoder.decode(this.of.bytes.subarray(from, from + Math.min(found, MAX_STRING_BYTES)));
  }

  /**
   * The length that begins a unit, and which format it is in (DWARF 5, 7.4): a cursor over the rest of the unit; this
   * one goes behind it.
   */
  unit(): { readonly body: Cursor; readonly is64: boolean } {
    const first = this.u32();
    if (first >= 0xfffffff0 && first !== 0xffffffff) throw this.wrong('has a unit of a length that is reserved');
    const is64 = first === 0xffffffff;
    const length = is64 ? this.#count(this.u64()) : first;
    const at = this.skip(length);
    return { body: new Cursor(this.of, at, at + length), is64 };
  }

  #count(value: bigint): number {
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.wrong('has an offset that is too large');
    return Number(value);
  }

  #leb(): { readonly value: bigint; readonly bits: number } {
    const from = this.at;
    let value = 0n;
    let small = 0;
    for (let bits = 0; ; bits += 7) {
      const byte = this.u8();
      if (this.at - from > MAX_LEB_BYTES) throw this.wrong('has a number without end');
      // Nearly all fit 28 bits, and numbers are faster than big ones.
      if (bits < 28) small |= (byte & 0x7f) << bits;
      else value |= BigInt(byte & 0x7f) << BigInt(bits);
      if (byte < 0x80) return { value: value | BigInt(small), bits: bits + 7 };
    }
  }
}
