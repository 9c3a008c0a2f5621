/**
 * `node scripts/bundle.ts OUT NAME=FILE…` writes a bundle of images, which Lazarus takes as `-initrd`: `kernel` and
 * `initrd` make an unmodified guest (engine/subject/lazarus/README.md). Exit: 0 written; 2 wrong usage, or a file that
 * cannot be read.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { makeBundle } from '../engine/index.ts';

const USAGE =
  'usage: node scripts/bundle.ts OUT NAME=FILE…   (for example linux.bundle kernel=Image initrd=initramfs.cpio)';

function main([out, ...rest]: readonly string[]): void {
  const named = rest.map((text) => /^([\x21-\x3c\x3e-\x7e]{1,15})=(.+)$/.exec(text));
  if (!out || out.includes('=') || named.length === 0 || named.some((match) => match === null)) throw new Error(USAGE);
  const entries = named.map((match) => ({ name: match?.[1] ?? '', bytes: readFileSync(match?.[2] ?? '') }));
  if (new Set(entries.map(({ name }) => name)).size < entries.length) throw new Error('two images have the same name');
  const bundle = makeBundle(entries);
  writeFileSync(out, bundle);
  console.log(`${out}: ${entries.length} images, ${bundle.length} bytes`);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
