import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readDebugSections } from '../../introspect/dwarf/sections.ts';
import { type Manifest, manifestProblems, readManifest } from './manifest.ts';
import { debugFile, IMAGES_FOLDER, notesHeader, RECIPES } from './recipes.ts';

describe('the committed images', () => {
  it('are those of the manifest, made from the present sources', () => {
    expect(manifestProblems()).toEqual([]);
  });

  it('hold no path of the host that built them', () => {
    const paths = /\/tmp\/|\/home\/|\/root\/|\/work\/|\/usr\//;
    for (const { name } of RECIPES) {
      expect(readFileSync(`${IMAGES_FOLDER}${name}.elf`).toString('latin1'), name).not.toMatch(paths);
      const debug = readDebugSections(readFileSync(IMAGES_FOLDER + debugFile(name)));
      for (const section of ['.debug_str', '.debug_line_str', '.debug_line', '.debug_info']) {
        expect(Buffer.from(debug.section(section)!.bytes).toString('latin1'), name).not.toMatch(paths);
      }
    }
  });
});

describe('the manifest check finds', () => {
  const committed = readManifest();
  const change = (change: Partial<Manifest['images'][number]>): Manifest => ({
    ...committed,
    images: committed.images.map((image) => (image.file === 'lazarus.elf' ? { ...image, ...change } : image)),
  });

  it('an image with other bytes', () => {
    expect(manifestProblems(change({ sha256: '0'.repeat(64) }))).toEqual([
      expect.stringContaining('lazarus.elf is not the file that the manifest names'),
    ]);
  });

  it('sources that changed since', () => {
    expect(manifestProblems(change({ sources: '0'.repeat(64) }))).toEqual([
      expect.stringContaining('lazarus.elf is older than its sources'),
    ]);
  });

  it('an image that is not listed', () => {
    const without = { ...committed, images: committed.images.filter((image) => image.file !== 'firmware.elf') };
    expect(manifestProblems(without)).toEqual([expect.stringContaining('firmware.elf is not in the manifest')]);
  });
});

it('the notes header declares every note once', () => {
  const names = [...notesHeader().matchAll(/#define (NOTE_\w+) 0x[0-9a-f]+/g)].map((match) => match[1]);
  expect(names).toContain('NOTE_RESUMED');
  expect(notesHeader()).toContain('#define FIXUPS(each) each(locks, 0) each(irq, 1) ');
  expect(notesHeader()).toContain('#define FIXUPS_ALL 0x1fffful');
  expect(notesHeader()).toContain('#define CHECKS(each) each(code, 0) each(copies, 1) ');
  expect(notesHeader()).toContain('#define CHECKS_ALL 0x7fful');
  expect(new Set(names).size).toBe(names.length);
});
