/**
 * ELF64 for RISC-V (System V ABI chapters 4 and 5): load segments and symbols. Every offset is checked against the
 * file, because images are the user's. Does not relocate, and does not look at sections except symbol tables.
 */
import { UserError } from '../errors.ts';
import type { Image } from './types.ts';

/** A part of the image and where it goes; `memBytes` beyond `bytes` are zero. */
export interface Segment {
  /** Physical address. */
  readonly paddr: number;
  readonly bytes: Uint8Array;
  readonly memBytes: number;
}

export interface Elf {
  readonly entry: number;
  readonly segments: readonly Segment[];
}

export interface ElfSymbol {
  readonly name: string;
  readonly address: bigint;
  readonly size: bigint;
  readonly type: 'none' | 'object' | 'function' | 'section' | 'file' | 'other';
  /** Not an address: its value is a constant (SHN_ABS). */
  readonly absolute: boolean;
}

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const PT_LOAD = 1;
const SHT_SYMTAB = 2;
const SHN_UNDEF = 0;
const SHN_ABS = 0xfff1;
const EM_RISCV = 243;
const EXECUTABLE_TYPES: readonly number[] = [2, 3];
const SYMBOL_TYPES = ['none', 'object', 'function', 'section', 'file'] as const;
const MACHINES: Readonly<Record<number, string>> = {
  3: 'x86 (i386)',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC 64',
  22: 'S/390',
  40: 'Arm',
  62: 'x86-64',
  183: 'AArch64',
  258: 'LoongArch',
};

/** Whether the bytes begin like an ELF file; anything else is a raw image. */
export const isElf = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;

/**
 * Load segments and entry point of an executable. `role` names the image in messages (`bios`, `kernel`, …).
 * @throws UserError when it is no 64-bit little-endian RISC-V executable, or truncated.
 */
export function readElf(image: Image, role: string): Elf {
  const { bytes } = image;
  const wrong = (why: string) => new UserError(`${role} image '${image.name}' ${why}`);
  const view = checkHeader(bytes, wrong);
  const at = safe(view, 32, wrong);
  const size = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  if (count > 0 && size !== PROGRAM_HEADER_BYTES) throw wrong(`has program headers of ${size} bytes, expected 56`);
  if (at + count * size > bytes.length) throw wrong('is truncated: its program headers lie past the end of the file');
  const segments: Segment[] = [];
  for (let n = 0; n < count; n++) {
    const header = at + n * size;
    const memBytes = safe(view, header + 40, wrong);
    if (view.getUint32(header, true) !== PT_LOAD || memBytes === 0) continue;
    const offset = safe(view, header + 8, wrong);
    const fileBytes = safe(view, header + 32, wrong);
    if (fileBytes > memBytes) throw wrong(`is damaged: segment ${n} is larger in the file than in memory`);
    if (offset + fileBytes > bytes.length) {
      throw wrong(`is truncated: segment ${n} ends at byte ${offset + fileBytes}, the file has ${bytes.length}`);
    }
    const paddr = safe(view, header + 24, wrong);
    segments.push({ paddr, bytes: bytes.subarray(offset, offset + fileBytes), memBytes });
  }
  if (segments.length === 0) throw wrong('has nothing to load: no PT_LOAD segment (is it an unlinked object file?)');
  return { entry: safe(view, 24, wrong), segments };
}

/** Symbols of an ELF file in table order, undefined ones left out; empty for raw images and stripped or damaged files. */
export function readSymbols(bytes: Uint8Array): ElfSymbol[] {
  if (!isElf(bytes) || bytes.length < HEADER_BYTES || bytes[4] !== 2) return [];
  const view = viewOf(bytes);
  const sections = sectionTable(view);
  const table = sections.find((section) => section.type === SHT_SYMTAB);
  const strings = table && sections[table.link];
  if (!table || !strings) return [];
  const symbols: ElfSymbol[] = [];
  for (let at = table.offset; at + SYMBOL_BYTES <= table.offset + table.bytes; at += SYMBOL_BYTES) {
    const section = view.getUint16(at + 6, true);
    if (section === SHN_UNDEF) continue;
    symbols.push({
      name: stringAt(bytes, strings, view.getUint32(at, true)),
      address: view.getBigUint64(at + 8, true),
      size: view.getBigUint64(at + 16, true),
      type: SYMBOL_TYPES[view.getUint8(at + 4) & 15] ?? 'other',
      absolute: section === SHN_ABS,
    });
  }
  return symbols;
}

type Wrong = (why: string) => UserError;
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function checkHeader(bytes: Uint8Array, wrong: Wrong): DataView {
  if (!isElf(bytes)) throw wrong('is not an ELF file: expected a 64-bit RISC-V executable');
  if (bytes.length < HEADER_BYTES) throw wrong(`is truncated: ${bytes.length} bytes are less than an ELF header`);
  const view = viewOf(bytes);
  const type = view.getUint16(16, true);
  if (bytes[5] !== 1) throw wrong('is big-endian: expected a little-endian 64-bit RISC-V executable');
  const machine = view.getUint16(18, true);
  if (machine !== EM_RISCV) {
    throw wrong(`is for ${MACHINES[machine] ?? `ELF machine ${machine}`}: expected a 64-bit RISC-V executable`);
  }
  if (bytes[4] !== 2) throw wrong('is for 32-bit RISC-V: expected a 64-bit executable (build with -march=rv64…)');
  if (!EXECUTABLE_TYPES.includes(type)) throw wrong(`is not an executable (ELF type ${type}): link it first`);
  return view;
}

/** A 64-bit field that must be usable as a number. */
function safe(view: DataView, at: number, wrong: Wrong): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw wrong(`is damaged: a header field has the value 0x${value.toString(16)}`);
  return value;
}

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly bytes: number;
  readonly link: number;
}

/** Sections that lie inside the file; the others keep their index but are empty. */
function sectionTable(view: DataView): Section[] {
  const at = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  if (view.getUint16(58, true) !== SECTION_HEADER_BYTES || at + count * SECTION_HEADER_BYTES > view.byteLength)
    return [];
  return Array.from({ length: count }, (_, n) => {
    const header = at + n * SECTION_HEADER_BYTES;
    const offset = Number(view.getBigUint64(header + 24, true));
    const bytes = Number(view.getBigUint64(header + 32, true));
    const type = view.getUint32(header + 4, true);
    const inside = offset + bytes <= view.byteLength;
    return { type, offset: inside ? offset : 0, bytes: inside ? bytes : 0, link: view.getUint32(header + 40, true) };
  });
}

const decoder = new TextDecoder();

function stringAt(bytes: Uint8Array, table: Section, index: number): string {
  const start = table.offset + index;
  const limit = table.offset + table.bytes;
  if (start >= limit) return '';
  const end = bytes.indexOf(0, start);
  return decoder.decode(bytes.subarray(start, end < 0 || end > limit ? limit : end));
}
