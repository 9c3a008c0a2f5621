/**
 * What tells two builds of an image apart: the bytes that are loaded of it. Symbols and debug sections do not count, so
 * an image that lost them is still known. Relies on the ELF reader.
 */
import { createHash } from 'node:crypto';
import { UserError } from '../../base/index.ts';
import { isElf, readElf } from '../../machine/index.ts';

/** SHA-256 over an ELF file's segments: where each goes, how large it is, its bytes; '' of other and damaged files. */
export function loadedHash(file: Uint8Array): string {
  if (!isElf(file)) return '';
  try {
    const hash = createHash('sha256');
    for (const { paddr, memBytes, bytes } of readElf({ name: '', bytes: file }, '').segments) {
      hash.update(`${paddr} ${memBytes} ${bytes.length}\n`).update(bytes);
    }
    return hash.digest('hex');
  } catch (error) {
    if (error instanceof UserError) return '';
    throw error;
  }
}
