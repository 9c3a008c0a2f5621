/** Files with symbols that are named besides the images, and for what they speak. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { testElf } from '../machine/testing.ts';
import { readMachineSymbols } from './images.ts';
import { checkSymbolFile, type SymbolFile } from './named.ts';

const image = (name: string, as = name) => ({
  name: as,
  bytes: new Uint8Array(readFileSync(new URL(`../subject/images/${name}`, import.meta.url))),
});
const IMAGES = { bios: image('firmware.elf'), kernel: image('lazarus.elf'), initrd: image('guest-compute.elf') };
/** What strip leaves: the section headers, but no table of symbols. */
function stripped(name: string) {
  const { bytes } = image(name);
  const view = new DataView(bytes.buffer);
  const at = Number(view.getBigUint64(40, true));
  for (let n = 0; n < view.getUint16(60, true); n++) {
    if (view.getUint32(at + 64 * n + 4, true) === 2) view.setUint32(at + 64 * n + 4, 0x7000_0000, true);
  }
  return { name: 'any.elf', bytes };
}
const read = (files: SymbolFile[], images: Parameters<typeof readMachineSymbols>[0] = IMAGES) =>
  readMachineSymbols(images, { files });
const heap = readMachineSymbols(IMAGES).hypervisor!.address('heap_alloc')!;
const main = readMachineSymbols(IMAGES).guest!.address('guest_main')!;

describe('a file that is named besides', () => {
  it('speaks for the image that is the same build, which may have lost its symbols', () => {
    const unknown = { ...stripped('lazarus.elf') };
    // Another build as far as the manifest knows: a byte of its read-only data is another one.
    const other = (of: { name: string; bytes: Uint8Array }) => {
      of.bytes[0x9390 + 8]! ^= 1;
      return of;
    };
    const kernel = other(unknown);
    expect(read([], { ...IMAGES, kernel }).hypervisor?.size).toBe(0);
    const symbols = read([{ image: other(image('lazarus.elf', 'mine.elf')) }], { ...IMAGES, kernel });
    expect([symbols.named, symbols.hypervisor?.address('heap_alloc')]).toEqual([[], heap]);
    expect(symbols.hypervisor?.image).toBe('any');
    // A debug file has no bytes to compare, and is of the build whose sections lie where its own do.
    const debug = read([{ image: image('lazarus.debug') }], { ...IMAGES, kernel });
    expect(debug.codeAt('HS', heap)).toEqual({ symbol: 'heap_alloc', source: expect.stringMatching(/heap\.c:\d+$/) });
    expect(debug.named).toEqual([]);
    expect(read([{ image: image('lazarus.elf') }], { ...IMAGES, kernel }).named).toHaveLength(1);
  });

  it('is not needed for an embedded image that is stripped', () => {
    const symbols = read([], { ...IMAGES, kernel: stripped('lazarus.elf') });
    expect(symbols.codeAt('HS', heap)).toEqual({ symbol: 'heap_alloc', source: expect.stringMatching(/heap\.c:\d+$/) });
  });

  it('names what no image does, when nobody says where it runs', () => {
    const symbols = read([{ image: image('privvm.debug') }], { bios: IMAGES.bios, kernel: IMAGES.kernel });
    const start = symbols.named[0]!.table.address('guest_main')!;
    expect(symbols.codeAt('VS', start, 7).symbol).toBe('guest_main');
    expect(symbols.codeAt('VS', start, 7).source).toMatch(/\.c:\d+$/);
    expect(symbols.describe('M', start)).toBe(readMachineSymbols(IMAGES).describe('M', start));
    expect(read([{ image: image('privvm.debug') }]).codeAt('VS', main)).toEqual(
      readMachineSymbols(IMAGES).codeAt('VS', main),
    );
  });

  it('comes before the images where somebody says that it runs', () => {
    const at = 0x8600_0000n;
    const moved = read([{ image: image('lazarus.debug'), at }]);
    const there = heap - 0x8020_0000n + at;
    expect(moved.codeAt('HS', there)).toEqual({
      symbol: 'heap_alloc',
      source: expect.stringMatching(/heap\.c:\d+$/),
    });
    expect(moved.describe('VS', there)).toBeUndefined();
    expect(moved.describePhysical(Number(there))).toBe('lazarus heap_alloc');
    const inVm = read([{ image: image('guest-idle.debug'), vmid: 2 }]);
    const start = inVm.named[0]!.table.address('guest_main')!;
    expect(inVm.describe('VS', start, 2)).toBe('guest_main');
    expect(inVm.describe('VS', start, 1)).toBe(readMachineSymbols(IMAGES).describe('VS', start, 1));
    expect(inVm.describe('M', start)).toBe(readMachineSymbols(IMAGES).describe('M', start));
  });

  it('tells damaged debug information when it is come upon, in a line each', () => {
    const damaged = image('lazarus.debug');
    const at = Buffer.from(damaged.bytes).indexOf('\x78\x9c', 0x1000, 'latin1');
    damaged.bytes.fill(0xff, at + 2, at + 200);
    const lines: string[] = [];
    const symbols = readMachineSymbols(IMAGES, { files: [{ image: damaged }], onProblem: (line) => lines.push(line) });
    expect(lines).toEqual([]);
    expect([symbols.codeAt('HS', heap), symbols.codeAt('HS', heap + 2n).source]).toEqual([
      { symbol: 'heap_alloc' },
      undefined,
    ]);
    expect(lines).toEqual([expect.stringMatching(/^lazarus: \.debug_line\w* does not decompress to the size/)]);
  });
});

describe('a file is refused', () => {
  const refusal = (bytes: Uint8Array, at?: bigint) => () =>
    checkSymbolFile({ image: { name: 'x.elf', bytes }, ...(at !== undefined && { at }) }, '--symbols');
  const code = { segments: [{ paddr: 0x8000_0000, bytes: Uint8Array.of(1, 2) }] };
  const named = { ...code, symbols: [{ name: 'f', value: 16n }] };

  it.each([
    ['that is no ELF file', Uint8Array.of(1, 2, 3), /^--symbols image 'x\.elf' is not an ELF file: expected a 64-bit/],
    ['for another machine', testElf({ ...named, machine: 62 }), /is for x86-64: expected a 64-bit RISC-V/],
    ['that is an object file', testElf({ ...named, type: 1 }), /is not an executable \(ELF type 1\): link it first/],
    ['that is stripped', testElf(code), /is stripped: it has neither symbols nor debug information; take/],
    [
      'that runs anywhere',
      testElf({ ...named, type: 3 }),
      /is position-independent: say where it runs, as FILE@0x8020/,
    ],
  ])('%s', (_, bytes, why) => {
    expect(refusal(bytes)).toThrow(why);
  });

  it('but not when it says where', () => {
    expect(refusal(testElf(named))).not.toThrow();
    expect(refusal(testElf({ ...named, type: 3 }), 0x9000_0000n)).not.toThrow();
    const file = { image: { name: 'x.elf', bytes: testElf({ ...named, type: 3 }) }, at: 0x9000_0000n };
    expect(read([file]).describe('HS', 0x9000_0000n)).toBe('f');
  });
});
