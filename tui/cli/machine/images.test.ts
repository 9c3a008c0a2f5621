import { describe, expect, it } from 'vitest';
import { packageFile } from '../../base/package-root.ts';
import { BUILT_IN, loadImages } from './images.ts';

type Flags = Parameters<typeof loadImages>[0];
const NONE: Flags = { bios: undefined, kernel: undefined, initrd: undefined, dtb: undefined };
const names = (flags: Partial<Flags>) => {
  const { bios, kernel, initrd } = loadImages({ ...NONE, ...flags });
  return [bios?.name, kernel?.name, initrd?.name];
};
const file = packageFile('engine/subject/images/guests.bundle');

describe('the images of a machine', () => {
  it('are those of the package when none is named', () => {
    expect(names({})).toEqual(['firmware.elf', 'lazarus.elf', 'guest-compute.elf']);
  });

  it('are Lazarus with the guests of -initrd, when that is all that is named', () => {
    expect(names({ initrd: file })).toEqual(['firmware.elf', 'lazarus.elf', 'guests.bundle']);
  });

  it('hold nothing of ours beside a kernel of the user but firmware', () => {
    const kernel = packageFile(BUILT_IN.kernel);
    expect(names({ kernel })).toEqual(['firmware.elf', 'lazarus.elf', undefined]);
    expect(names({ bios: 'none', kernel, initrd: file })).toEqual([undefined, 'lazarus.elf', 'guests.bundle']);
    expect(names({ bios: kernel, initrd: file })).toEqual(['lazarus.elf', undefined, 'guests.bundle']);
  });

  it("have our firmware where -bios says 'default', and nothing else that was not named", () => {
    const kernel = packageFile(BUILT_IN.kernel);
    expect(names({ bios: 'default', kernel })).toEqual(['firmware.elf', 'lazarus.elf', undefined]);
    expect(names({ bios: 'default' })).toEqual(['firmware.elf', undefined, undefined]);
  });

  it('must be readable', () => {
    expect(() => loadImages({ ...NONE, initrd: '/nowhere' })).toThrow('-initrd /nowhere: no such file');
  });
});
