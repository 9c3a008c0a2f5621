/**
 * The debug file of an embedded image. What tells two builds of one apart are the bytes that are loaded of it: names
 * do not count, nor do symbols, so an image that lost them is still known, and another build never is.
 * Relies on the ELF reader and on the manifest.
 */
import { createHash } from 'node:crypto';
import { UserError } from '../../base/index.ts';
import { isElf, readElf } from '../../machine/index.ts';
import { committedFile } from './files.ts';
import type { Manifest } from './manifest.ts';

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

/** Debug files by the hash of what is loaded; read once. */
let known: ReadonlyMap<string, string> | undefined;

/**
 * The debug file that belongs to these bytes of an image: an ELF file with debug sections and symbols. undefined when
 * they are no embedded image of this build.
 */
export function debugFileOf(image: Uint8Array): Uint8Array | undefined {
  known ??= readKnown();
  const hash = loadedHash(image);
  const file = hash === '' ? undefined : known.get(hash);
  return file === undefined ? undefined : committedFile(file);
}

function readKnown(): ReadonlyMap<string, string> {
  const text = committedFile('manifest.json');
  const { images } = text ? (JSON.parse(Buffer.from(text).toString()) as Manifest) : { images: [] };
  return new Map(images.flatMap(({ loaded, debug }) => (loaded && debug ? [[loaded, debug.file]] : [])));
}
