/**
 * ELF64 for RISC-V (System V ABI chapters 4 and 5): load segments and symbols. Images are loaded by physical address
 * and may be linked for another one, as kernels that run in the higher half are. Every offset is checked against the
 * file, because images are the user's. Does not relocate; sections are read in sections.ts.
 * @see QEMU include/hw/elf_ops.h
 */
import { UserError } from '../../base/index.ts';
import type { Image } from '../types.ts';
import { readSections, stringIn } from './sections.ts';

/** A part of the image and where it goes; `memBytes` beyond `bytes` are zero. */
export interface Segment {
  /** Physical address. */
  readonly paddr: number;
  readonly bytes: Uint8Array;
  readonly memBytes: number;
}

/** A segment as its file has it. */
export interface ElfSegment extends Segment {
  readonly executable: boolean;
  /** Leading bytes that software does not miss: the file's own headers, its notes, and the zeros between them. */
  readonly idleBytes: number;
}

export interface Elf {
  /** Physical address of the entry point; undefined when it lies in no segment. */
  readonly entry: number | undefined;
  readonly segments: readonly ElfSegment[];
}

/** A segment whose code expects it elsewhere than it is loaded. */
export interface MovedRange {
  readonly vaddr: bigint;
  readonly paddr: bigint;
  readonly bytes: bigint;
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
/** Each is compared with all others. Linkers write a handful. */
const MAX_PROGRAM_HEADERS = 256;
const SYMBOL_BYTES = 24;
const PT_LOAD = 1;
const PT_NOTE = 4;
const PF_X = 1;
const SHT_SYMTAB = 2;
const SHN_UNDEF = 0;
const SHN_ABS = 0xfff1;
const EM_RISCV = 243;
const ET_DYN = 3;
const EXECUTABLE_TYPES: readonly number[] = [2, ET_DYN];
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
  if (count > MAX_PROGRAM_HEADERS) throw wrong(`has ${count} program headers: expected at most ${MAX_PROGRAM_HEADERS}`);
  if (at + count * size > bytes.length) throw wrong('is truncated: its program headers lie past the end of the file');
  const headers = Array.from({ length: count }, (_, n) => programHeader(view, at + n * size));
  const loads = headers.flatMap((header, n) =>
    header.type === PT_LOAD && header.memBytes > 0n ? [{ header, n }] : [],
  );
  if (loads.length === 0) throw wrong('has nothing to load: no PT_LOAD segment (is it an unlinked object file?)');
  for (const { header, n } of loads) checkLoad(header, n, bytes.length, wrong);
  const idle: readonly FileRange[] = [
    { from: 0, to: HEADER_BYTES },
    { from: at, to: at + count * size },
    ...headers.flatMap(({ type, offset, fileBytes }) =>
      type === PT_NOTE ? [{ from: Number(offset), to: Number(offset + fileBytes) }] : [],
    ),
  ];
  const entry = view.getBigUint64(24, true);
  const around = loads.find(({ header }) => entry >= header.vaddr && entry - header.vaddr < header.memBytes)?.header;
  return {
    entry: around && Number(entry - around.vaddr + around.paddr),
    segments: loads.map(({ header }) => {
      const [from, to] = [Number(header.offset), Number(header.offset + header.fileBytes)];
      return {
        paddr: Number(header.paddr),
        bytes: bytes.subarray(from, to),
        memBytes: Number(runsIntoAnother(header, loads) ? header.fileBytes : header.memBytes),
        executable: (header.flags & PF_X) !== 0,
        idleBytes: idleBytes(bytes, { from, to }, idle),
      };
    }),
  };
}

/**
 * Whether an executable runs where it is linked for, or anywhere (ET_DYN).
 * @throws UserError as `readElf` does: it is no 64-bit little-endian RISC-V executable
 */
export function readElfKind({ name, bytes }: Image, role: string): 'fixed' | 'anywhere' {
  const view = checkHeader(bytes, (why) => new UserError(`${role} image '${name}' ${why}`));
  return view.getUint16(16, true) === ET_DYN ? 'anywhere' : 'fixed';
}

interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: bigint;
  readonly vaddr: bigint;
  readonly paddr: bigint;
  readonly fileBytes: bigint;
  readonly memBytes: bigint;
}

const programHeader = (view: DataView, at: number): ProgramHeader => ({
  type: view.getUint32(at, true),
  flags: view.getUint32(at + 4, true),
  offset: view.getBigUint64(at + 8, true),
  vaddr: view.getBigUint64(at + 16, true),
  paddr: view.getBigUint64(at + 24, true),
  fileBytes: view.getBigUint64(at + 32, true),
  memBytes: view.getBigUint64(at + 40, true),
});

const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);

/** A segment that can be had: its bytes are in the file, and its place is a number. */
function checkLoad(header: ProgramHeader, n: number, length: number, wrong: Wrong): void {
  const { offset, paddr, fileBytes, memBytes } = header;
  if (fileBytes > memBytes) throw wrong(`is damaged: segment ${n} is larger in the file than in memory`);
  if (offset + fileBytes > BigInt(length)) {
    throw wrong(`is truncated: segment ${n} ends at byte ${offset + fileBytes}, the file has ${length}`);
  }
  if (paddr + memBytes > LARGEST) {
    throw wrong(
      `is to be loaded at 0x${paddr.toString(16)}, where there is no RAM: its segments need physical addresses of their ` +
        'own (AT() in the linker script)',
    );
  }
}

/**
 * Whether the zeros behind a segment would lie over another one. Then it was packed to be copied from where it is
 * loaded to where it runs, and software clears its memory itself: as on QEMU, only what is in the file is loaded.
 */
const runsIntoAnother = (header: ProgramHeader, loads: readonly { readonly header: ProgramHeader }[]): boolean =>
  header.memBytes > header.fileBytes &&
  loads.some(
    ({ header: other }) =>
      other !== header && other.paddr >= header.paddr && other.paddr - header.paddr < header.memBytes,
  );

/** Bytes of the file. */
interface FileRange {
  readonly from: number;
  readonly to: number;
}

/** Linkers pad headers to a page, of which this is the largest in use. */
const MAX_IDLE_BYTES = 1 << 21;

/** How many bytes at the start of a range are in `idle`, or zeros behind such. */
function idleBytes(bytes: Uint8Array, range: FileRange, idle: readonly FileRange[]): number {
  const covering = (at: number) => idle.find(({ from, to }) => at >= from && at < to);
  const end = Math.min(range.to, range.from + MAX_IDLE_BYTES);
  let at = range.from;
  for (let inside = covering(at); inside; inside = covering(at)) {
    at = inside.to;
    while (at < end && bytes[at] === 0) at++;
  }
  return Math.min(at, end) - range.from;
}

/** The segments of an ELF file that are linked for another address than their own; none for other or damaged files. */
export function readMoved(bytes: Uint8Array): MovedRange[] {
  if (!isElf(bytes) || bytes.length < HEADER_BYTES || bytes[4] !== 2) return [];
  const view = viewOf(bytes);
  const at = Number(view.getBigUint64(32, true));
  const count = view.getUint16(56, true);
  if (at + count * PROGRAM_HEADER_BYTES > bytes.length) return [];
  return Array.from({ length: count }, (_, n) => programHeader(view, at + n * PROGRAM_HEADER_BYTES)).flatMap(
    ({ type, vaddr, paddr, memBytes }) =>
      type === PT_LOAD && vaddr !== paddr && memBytes > 0n ? [{ vaddr, paddr, bytes: memBytes }] : [],
  );
}

/**
 * Symbols of an ELF file in table order, undefined ones left out; empty for raw images and stripped or damaged files.
 */
export function readSymbols(bytes: Uint8Array): ElfSymbol[] {
  if (!isElf(bytes) || bytes.length < HEADER_BYTES || bytes[4] !== 2) return [];
  const view = viewOf(bytes);
  const sections = readSections(bytes);
  const table = sections.find((section) => section.type === SHT_SYMTAB);
  const strings = table && sections[table.link];
  if (!table || !strings) return [];
  const symbols: ElfSymbol[] = [];
  for (let at = table.offset; at + SYMBOL_BYTES <= table.offset + table.bytes; at += SYMBOL_BYTES) {
    const section = view.getUint16(at + 6, true);
    if (section === SHN_UNDEF) continue;
    symbols.push({
      name: stringIn(bytes, strings, view.getUint32(at, true)),
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
