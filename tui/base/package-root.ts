/**
 * Where the package lies, seen from the sources and from `dist/` alike: the nearest folder above with a package.json.
 * Relies on the published layout; reads nothing but that file.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Absolute path of a file of this package, e.g. `engine/subject/images/firmware.elf`. */
export function packageFile(relative: string): string {
  let folder = new URL('.//', import.meta.url);
  while (!existsSync(new URL('package.json', folder))) {
    const above = new URL('..', folder);
    if (above.href === folder.href) throw new Error(`no package.json above ${fileURLToPath(import.meta.url)}`);
    folder = above;
  }
  return fileURLToPath(new URL(relative, folder));
}

/** The version in package.json. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version;
}
