/**
 * The smallest ELF executable that the loader takes, for tests that bring their own machine code.
 * Relies on nothing; writes one segment.
 */

const HEADER_BYTES = 64 + 56;
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;

/** What a test may want besides. */
interface Linked {
  /** Where the code is linked to run; at its address unless given. */
  readonly vaddr?: bigint;
  readonly symbols?: ReadonlyMap<string, bigint>;
}

/** An RV64 executable with one segment at `address`, where it starts. */
export function executable(address: number, code: Uint8Array, { vaddr, symbols }: Linked = {}): Uint8Array {
  const tables = symbols ? symbolTables(symbols, HEADER_BYTES + code.length) : new Uint8Array();
  const file = new Uint8Array(HEADER_BYTES + code.length + tables.length);
  const view = new DataView(file.buffer);
  const u64 = (at: number, value: number | bigint) => view.setBigUint64(at, BigInt(value), true);
  // Magic, 64-bit, little-endian, version 1; executable (2) for RISC-V (243).
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  u64(24, vaddr ?? address);
  u64(32, 64);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  // PT_LOAD, readable, writable, executable.
  view.setUint32(64, 1, true);
  view.setUint32(68, 7, true);
  u64(72, HEADER_BYTES);
  u64(80, vaddr ?? address);
  u64(88, address);
  u64(96, code.length);
  u64(104, code.length);
  u64(112, 4096);
  file.set(code, HEADER_BYTES);
  file.set(tables, HEADER_BYTES + code.length);
  if (symbols) {
    // Behind the segment: the section table, first of all.
    u64(40, HEADER_BYTES + code.length);
    view.setUint16(58, SECTION_BYTES, true);
    view.setUint16(60, 3, true);
  }
  return file;
}

/** Section table (none, symbols, strings), symbols and strings, to lie at `at` of the file. */
function symbolTables(symbols: ReadonlyMap<string, bigint>, at: number): Uint8Array {
  const strings = new TextEncoder().encode(`\0${[...symbols.keys()].map((name) => `${name}\0`).join('')}`);
  const symbolsAt = 3 * SECTION_BYTES;
  const stringsAt = symbolsAt + SYMBOL_BYTES * symbols.size;
  const bytes = new Uint8Array(stringsAt + strings.length);
  const view = new DataView(bytes.buffer);
  const section = (n: number, type: number, offset: number, length: number, link: number) => {
    view.setUint32(n * SECTION_BYTES + 4, type, true);
    view.setBigUint64(n * SECTION_BYTES + 24, BigInt(at + offset), true);
    view.setBigUint64(n * SECTION_BYTES + 32, BigInt(length), true);
    view.setUint32(n * SECTION_BYTES + 40, link, true);
  };
  // SHT_SYMTAB and SHT_STRTAB.
  section(1, 2, symbolsAt, SYMBOL_BYTES * symbols.size, 2);
  section(2, 3, stringsAt, strings.length, 0);
  let name = 1;
  for (const [n, [text, value]] of [...symbols].entries()) {
    const its = symbolsAt + n * SYMBOL_BYTES;
    view.setUint32(its, name, true);
    // A function of the first section.
    view.setUint8(its + 4, 2);
    view.setUint16(its + 6, 1, true);
    view.setBigUint64(its + 8, value, true);
    name += text.length + 1;
  }
  bytes.set(strings, stringsAt);
  return bytes;
}
