/**
 * Recognises kernel files by their first bytes: the RISC-V Linux `Image`
 * (Documentation/arch/riscv/boot-image-header.rst), and what cannot run on this board. An ELF file is elf.ts's
 * business; anything unknown is taken as machine code.
 */
import { UserError } from '../../base/index.ts';
import type { Image } from '../types.ts';

const HEADER_BYTES = 64;
const MAGIC_AT = 56;
const MAGIC_RISCV = 0x05435352;
const MAGIC_ARM64 = 0x644d5241;
/** "HdrS" of an x86 bzImage. */
const X86_MAGIC_AT = 0x202;
const X86_MAGIC = 0x53726448;
/** An arm zImage. */
const ARM_MAGIC_AT = 0x24;
const ARM_MAGIC = 0x016f2818;
const FLAG_BIG_ENDIAN = 1n;

export interface LinuxImage {
  /** Where it wants to lie, from the start of RAM; 0 when it does not care. */
  readonly textOffset: number;
  /** Memory that it takes, with what is not in the file. */
  readonly memBytes: number;
}

/**
 * The header of a Linux Image; undefined when it is none. @throws UserError when it is for another machine, or cut off
 */
export function readLinuxImage({ name, bytes }: Image): LinuxImage | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number) => (at + 4 <= bytes.length ? view.getUint32(at, true) : 0);
  const wrong = (what: string, mend: string) => new UserError(`kernel image '${name}' is ${what}: ${mend}`);
  const forRiscv = 'give a 64-bit RISC-V kernel';
  if (word(MAGIC_AT) === MAGIC_ARM64) throw wrong('a Linux kernel for arm64', forRiscv);
  if (word(X86_MAGIC_AT) === X86_MAGIC) throw wrong('a Linux kernel for x86', forRiscv);
  if (word(ARM_MAGIC_AT) === ARM_MAGIC) throw wrong('a Linux kernel for 32-bit arm', forRiscv);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw wrong('compressed with gzip', 'uncompress it with gunzip');
  if (word(0) === 0xfd2fb528) throw wrong('compressed with zstd', 'uncompress it with unzstd');
  if (word(0) === 0x587a37fd) throw wrong('compressed with xz', 'uncompress it with unxz');
  if (word(4) === 0x676d697a && word(0) === 0x00005a4d) {
    throw wrong('a compressed EFI program', 'give the uncompressed Image');
  }
  if (word(MAGIC_AT) !== MAGIC_RISCV) return undefined;
  if (bytes.length < HEADER_BYTES) throw wrong('cut off in its header', 'use another copy of the file');
  if (view.getBigUint64(24, true) & FLAG_BIG_ENDIAN) throw wrong('big endian', 'the harts are little endian');
  const textOffset = Number(view.getBigUint64(8, true));
  const memBytes = Number(view.getBigUint64(16, true));
  return { textOffset, memBytes: Math.max(memBytes, bytes.length) };
}
