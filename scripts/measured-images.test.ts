/**
 * Documents with measured figures say which images they were measured on, and whether those are still the
 * committed ones; that the notice is the present one: docs.test.ts.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readManifest } from '../engine/subject/images/manifest.ts';
import { MEASURED_DOCUMENTS, withMeasuredImages } from './measured-images.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (document: string) => readFileSync(root + document, 'utf8');
const { images } = readManifest();

describe.each(MEASURED_DOCUMENTS)('%s', (document) => {
  const text = read(document);

  it('notices an image that changes', () => {
    const clean = withMeasuredImages(text, images, true);
    expect(clean).toContain('These are the committed images.');
    const [first, ...rest] = images;
    const changed = withMeasuredImages(clean, [{ ...first!, sha256: 'f'.repeat(64) }, ...rest]);
    expect(changed).not.toBe(clean);
    expect(changed).toContain(`**Not the committed images: \`${first!.file}\` changed`);
    expect(withMeasuredImages(clean, rest)).toContain(`\`${first!.file}\` changed`);
    expect(withMeasuredImages(clean, [...images, { file: 'new.elf', sha256: '0' }])).toContain('`new.elf` changed');
  });

  it('keeps the hashes that it was measured on until it is measured anew', () => {
    const clean = withMeasuredImages(text, images, true);
    const others = images.map(({ file }) => ({ file, sha256: 'e'.repeat(64) }));
    expect(withMeasuredImages(withMeasuredImages(clean, others), images)).toBe(clean);
  });
});

it('a document without the block is refused', () => {
  expect(() => withMeasuredImages('# Title\n', images)).toThrow('has no lines');
});
