/** Which sources the package ships: all but tests and what only they need. */
import { readFileSync } from 'node:fs';
import { matchesGlob } from 'node:path';

/** A predicate on paths from the root, from the exceptions in `files` of package.json. */
export function shipped(root: string): (path: string) => boolean {
  const { files } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { files: string[] };
  const left = files.filter((glob) => glob.startsWith('!dist/')).map((glob) => glob.slice('!dist/'.length));
  // An exception may name a folder.
  const isLeft = (path: string) => left.some((glob) => matchesGlob(path, glob));
  return (path) => path.split('/').every((_, i, parts) => !isLeft(parts.slice(0, i + 1).join('/')));
}
