/**
 * The debug sections of an ELF file, by name, decompressed when they are asked for (gABI, Section Compression: zlib;
 * zstd and the old `.zdebug` sections are refused). Relies on the reader of section headers.
 */
import { inflateSync } from 'node:zlib';
import { type ElfSection, isElf, readSections } from '../../machine/index.ts';
import { type Bytes, Cursor, DwarfError } from './bytes.ts';

/** Part of an image's memory, by the addresses that it is linked for. */
interface Stretch {
  readonly from: bigint;
  readonly bytes: bigint;
}

export interface DebugSections {
  /** Whether there is debug information at all: lines, call frames or descriptions. */
  readonly isAny: boolean;
  /**
   * A section; undefined when the file has none of that name.
   * @throws DwarfError when it is compressed in a way that is not read, or damaged
   */
  section(name: string): Bytes | undefined;
  /**
   * Whether the image has memory at this address. Linkers leave the descriptions of what they dropped, at address 0.
   */
  isInImage(address: bigint): boolean;
}

const SHF_ALLOC = 2n;
const SHF_COMPRESSED = 0x800n;
const ELFCOMPRESS_ZLIB = 1;
/** As large as a Linux kernel's largest, twice. */
const MAX_SECTION_BYTES = 512 * 1024 * 1024;
/** zlib cannot do better than this. */
const MAX_RATIO = 1100;
const TELLING = ['.debug_line', '.debug_info', '.debug_frame', '.eh_frame'];

/** The debug sections of a file; none of what is no 64-bit ELF file. */
export function readDebugSections(file: Uint8Array): DebugSections {
  const sections = isElf(file) && file[4] === 2 && file[5] === 1 ? readSections(file) : [];
  const memory: readonly Stretch[] = sections
    .filter(({ flags, memBytes }) => (flags & SHF_ALLOC) !== 0n && memBytes > 0n)
    .map(({ address, memBytes }) => ({ from: address, bytes: memBytes }));
  const read = new Map<string, Bytes | undefined>();
  return {
    isAny: sections.some(({ name, bytes }) => bytes > 0 && TELLING.includes(name.replace('.zdebug', '.debug'))),
    section: (name) => {
      if (!read.has(name)) read.set(name, bytesOf(file, sections, name));
      return read.get(name);
    },
    isInImage: (address) => memory.some(({ from, bytes }) => address >= from && address - from < bytes),
  };
}

function bytesOf(file: Uint8Array, sections: readonly ElfSection[], name: string): Bytes | undefined {
  const found = sections.find((section) => section.name === name && section.bytes > 0);
  if (!found) {
    const old = name.replace('.debug', '.zdebug');
    if (!sections.some((section) => section.name === old && section.bytes > 0)) return undefined;
    throw new DwarfError(`${old} is compressed in the old GNU format: objcopy --decompress-debug-sections`);
  }
  const bytes = file.subarray(found.offset, found.offset + found.bytes);
  const plain = (found.flags & SHF_COMPRESSED) === 0n ? bytes : inflate({ section: name, bytes, address: 0n });
  return { section: name, bytes: plain, address: found.address };
}

/** Elf64_Chdr: type, reserved, size, alignment; then the stream. */
function inflate(compressed: Bytes): Uint8Array {
  const header = new Cursor(compressed);
  const type = header.u32();
  header.skip(4);
  const bytes = header.u64();
  header.skip(8);
  if (type !== ELFCOMPRESS_ZLIB) {
    throw header.wrong('is not compressed with zlib: objcopy --decompress-debug-sections');
  }
  const stream = compressed.bytes.subarray(header.at);
  if (bytes > BigInt(Math.min(MAX_SECTION_BYTES, stream.length * MAX_RATIO))) {
    throw header.wrong(`claims to be ${bytes} bytes`);
  }
  const plain = unzlib(stream, Number(bytes));
  if (plain?.length !== Number(bytes)) throw header.wrong('does not decompress to the size that it claims');
  return plain;
}

function unzlib(stream: Uint8Array, bytes: number): Uint8Array | undefined {
  try {
    return inflateSync(stream, { maxOutputLength: Math.max(1, bytes) });
  } catch {
    return undefined;
  }
}
