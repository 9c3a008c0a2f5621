import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readElf } from '../../machine/board/elf.ts';
import { makeBundle, readBundle } from './bundle.ts';
import { BUNDLE_FILE, BUNDLED, IMAGES_FOLDER, SUBJECT_FOLDER } from './recipes.ts';

describe('a bundle', () => {
  const entries = [
    { name: 'privvm', bytes: Uint8Array.from({ length: 5000 }, (_, n) => n) },
    { name: 'fifteen-letters', bytes: new Uint8Array(0) },
    { name: 'idle', bytes: Uint8Array.of(1, 2, 3) },
  ];

  it('gives back what was put in, each image at a page boundary', () => {
    const bundle = makeBundle(entries);
    const read = readBundle(bundle)!;
    expect(read.map(({ name, bytes }) => ({ name, bytes: Uint8Array.from(bytes) }))).toEqual(entries);
    expect(read.map(({ bytes }) => bytes.byteOffset % 4096)).toEqual([0, 0, 0]);
    expect(bundle.length).toBe(4096 + 8192 + 4096);
  });

  it('is laid out as the header for C declares', () => {
    const header = readFileSync(`${SUBJECT_FOLDER}lazarus/bundle.h`, 'utf8');
    const constant = (name: string) => BigInt(new RegExp(`#define ${name} (0x[0-9a-f]+|\\d+)`).exec(header)?.[1] ?? -1);
    const bundle = makeBundle(entries);
    expect(new DataView(bundle.buffer).getBigUint64(0, true)).toBe(constant('BUNDLE_MAGIC'));
    const most = Number(constant('BUNDLE_ENTRIES'));
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ name: `n${n}`, bytes: new Uint8Array(1) }));
    expect(readBundle(makeBundle(many(most)))).toHaveLength(most);
    expect(() => makeBundle(many(most + 1))).toThrow(/holds 15 images/);
  });

  it('is not read when it is cut off or something else', () => {
    const bundle = makeBundle(entries);
    expect(readBundle(bundle.subarray(0, bundle.length - 4096))).toBeUndefined();
    expect(readBundle(bundle.subarray(0, 100))).toBeUndefined();
    expect(readBundle(new Uint8Array(8192))).toBeUndefined();
  });

  it('refuses names that C would cut off', () => {
    expect(() => makeBundle([{ name: 'sixteen-letters!', bytes: new Uint8Array(1) }])).toThrow(/no name/);
  });
});

describe('the committed bundle', () => {
  const read = readBundle(readFileSync(IMAGES_FOLDER + BUNDLE_FILE))!;

  it('holds the PrivVM and every guest', () => {
    expect(read.map(({ name }) => name)).toEqual(BUNDLED.map(({ name }) => name));
    expect(read.map(({ name }) => name)).toContain('privvm');
  });

  it('holds the same programs as the ELF files beside it, without symbols', () => {
    for (const [n, { recipe }] of BUNDLED.entries()) {
      const whole = readElf({ name: recipe.name, bytes: readFileSync(`${IMAGES_FOLDER}${recipe.name}.elf`) }, 'image');
      const bundled = readElf({ name: recipe.name, bytes: read[n]!.bytes }, 'image');
      expect(bundled.entry, recipe.name).toBe(whole.entry);
      expect(bundled.segments, recipe.name).toEqual(whole.segments);
    }
  });
});
