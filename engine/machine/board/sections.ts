/**
 * The section headers of an ELF64 file (System V ABI chapter 4, Sections): where a section lies in the file and at
 * which address the image has it. Every offset is checked against the file. Does not decompress, and does not say what
 * a section holds.
 */

export interface ElfSection {
  /** Empty when the table of names is damaged. */
  readonly name: string;
  /** sh_type: 2 is a symbol table, 8 has no bytes in the file. */
  readonly type: number;
  readonly flags: bigint;
  readonly address: bigint;
  /** Bytes in memory; more than `bytes` of a section that the file does not hold. */
  readonly memBytes: bigint;
  /** Offset in the file, and bytes there; both 0 of a section that lies outside of the file. */
  readonly offset: number;
  readonly bytes: number;
  /** sh_link: index of another section. */
  readonly link: number;
}

const ELF_HEADER_BYTES = 64;
const SECTION_HEADER_BYTES = 64;
const SHT_NOBITS = 8;
/** Names may overlap: each section, each symbol could have the whole table for its name. */
const MAX_NAME_BYTES = 4096;
const MAX_SECTION_NAME_BYTES = 64;

/** Sections of a 64-bit little-endian ELF file by index; none when the file has none, or its table is damaged. */
export function readSections(file: Uint8Array): ElfSection[] {
  if (file.length < ELF_HEADER_BYTES) return [];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const at = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  const isTable = view.getUint16(58, true) === SECTION_HEADER_BYTES;
  if (!isTable || at + count * SECTION_HEADER_BYTES > file.length) return [];
  const names = Array.from({ length: count }, (_, n) => view.getUint32(at + n * SECTION_HEADER_BYTES, true));
  const sections = names.map((_, n) => sectionAt(view, at + n * SECTION_HEADER_BYTES));
  const strings = sections[view.getUint16(62, true)];
  return sections.map((section, n) => ({
    ...section,
    name: strings ? stringIn(file, strings, names[n]!, MAX_SECTION_NAME_BYTES) : '',
  }));
}

function sectionAt(view: DataView, at: number): Omit<ElfSection, 'name'> {
  const type = view.getUint32(at + 4, true);
  const offset = Number(view.getBigUint64(at + 24, true));
  const memBytes = view.getBigUint64(at + 32, true);
  const bytes = type === SHT_NOBITS ? 0 : Number(memBytes);
  const inside = offset + bytes <= view.byteLength;
  return {
    type,
    flags: view.getBigUint64(at + 8, true),
    address: view.getBigUint64(at + 16, true),
    memBytes,
    offset: inside ? offset : 0,
    bytes: inside ? bytes : 0,
    link: view.getUint32(at + 40, true),
  };
}

const decoder = new TextDecoder();

/** The string at `index` of a string table, cut at so many bytes; empty outside of it. */
export function stringIn(
  file: Uint8Array,
  table: Pick<ElfSection, 'offset' | 'bytes'>,
  index: number,
  most = MAX_NAME_BYTES,
): string {
  const start = table.offset + index;
  const limit = Math.min(table.offset + table.bytes, start + most);
  if (start >= limit) return '';
  const name = file.subarray(start, limit);
  const end = name.indexOf(0);
  return decoder.decode(end < 0 ? name : name.subarray(0, end));
}
