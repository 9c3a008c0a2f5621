/**
 * The committed images as files: found from the sources, and from dist/, where no images are. Relies on the layout of
 * the package.
 */
import { readFileSync } from 'node:fs';

const FOLDERS = ['.', '../../../../engine/subject/images'].map((folder) => new URL(`${folder}/`, import.meta.url));

/** The bytes of a file of this folder, such as `lazarus.elf`; undefined when it is missing. */
export function committedFile(name: string): Uint8Array | undefined {
  for (const folder of FOLDERS) {
    try {
      return new Uint8Array(readFileSync(new URL(name, folder)));
    } catch {
      // In the next one, or nowhere.
    }
  }
  return undefined;
}
