/**
 * Which images a document's figures were measured on. Each such document has a block that names them by their hashes
 * and says, below, which of them are others by now: written by `npm run docs`, compared by a test. After measuring
 * anew: `node scripts/measured-images.ts docs/recovery.md` takes the committed images for the measured ones.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readManifest } from '../engine/subject/images/manifest.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Documents whose figures depend on what the images do. */
export const MEASURED_DOCUMENTS = ['docs/recovery.md', 'docs/recovery-memory.md'] as const;

const BEGIN = '<!-- measured images: written by `npm run docs`; the hashes stay until measured anew -->';
const END = '<!-- end of measured images -->';
/** Enough of a SHA-256 to tell images apart. */
const SHOWN_DIGITS = 16;

export interface ImageHash {
  readonly file: string;
  readonly sha256: string;
}

/**
 * The document with its block written anew. `measured`: its figures are of the committed images. @throws Error when it
 * has no block
 */
export function withMeasuredImages(text: string, committed: readonly ImageHash[], measured = false): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the document has no lines '${BEGIN}' and '${END}'`);
  const old = text.slice(begin, end);
  const named = [...old.matchAll(/^\| `([^`]+)` \| `([0-9a-f]+)`/gm)].map(([, file = '', sha256 = '']) => ({
    file,
    sha256,
  }));
  const images = measured ? committed.map(({ file, sha256 }) => ({ file, sha256: short(sha256) })) : named;
  return text.slice(0, begin) + blockOf(images, committed) + text.slice(end);
}

const short = (sha256: string) => sha256.slice(0, SHOWN_DIGITS);

/** In lines as wide as documents may be. */
const filled = (text: string): string => text.replace(/(.{1,120})( |$)/g, '$1\n').trimEnd();

function blockOf(images: readonly ImageHash[], committed: readonly ImageHash[]): string {
  const now = new Map(committed.map(({ file, sha256 }) => [file, short(sha256)]));
  const others = images.filter(({ file, sha256 }) => now.get(file) !== sha256).map(({ file }) => `\`${file}\``);
  const missing = committed.filter(({ file }) => !images.some((image) => image.file === file));
  const changed = [...others, ...missing.map(({ file }) => `\`${file}\``)];
  const notice =
    changed.length === 0
      ? 'These are the committed images.'
      : filled(`**Not the committed images: ${changed.join(', ')} changed since these figures were measured.**`);
  const rows = images.map(({ file, sha256 }) => `| \`${file}\` | \`${sha256}\` |`);
  return [BEGIN, '', '| measured on | SHA-256 begins with |', '|---|---|', ...rows, '', notice, '', ''].join('\n');
}

if (import.meta.main) {
  for (const document of process.argv.slice(2)) {
    const text = readFileSync(root + document, 'utf8');
    writeFileSync(root + document, withMeasuredImages(text, readManifest().images, true));
  }
}
