import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { committedFile } from '../subject/index.ts';
import { readMachineSymbols } from './images.ts';
import { codeText } from './places.ts';
import { readPublishedLayout } from './published.ts';

const image = (name: string) => ({ name, bytes: readFileSync(new URL(`../subject/images/${name}`, import.meta.url)) });

describe('the symbols of the embedded images', () => {
  const symbols = readMachineSymbols({
    bios: image('firmware.elf'),
    kernel: image('lazarus.elf'),
    initrd: image('guest-compute.elf'),
  });

  it('are chosen by mode: guests and hypervisor use the same addresses for different things', () => {
    const start = symbols.guest!.address('guest_main')!;
    expect(symbols.describe('VS', start)).toBe('guest_main');
    expect(symbols.describe('M', start)).not.toBe('guest_main');
    expect(symbols.describe('HS', symbols.hypervisor!.address('domain_list')!)).toBe('domain_list');
    expect(symbols.describePhysical(Number(symbols.hypervisor!.address('domain_list')!))).toBe('lazarus domain_list');
    expect(symbols.describe('M', symbols.firmware.address('trap_entry')!)).toBe('trap_entry');
  });

  it('publish all of the layout that listing VMs needs', () => {
    const layout = readPublishedLayout(symbols.hypervisor!);
    expect(layout).not.toBeTypeOf('string');
    expect(layout).toMatchObject({ domain: { next: 8 }, vcpu: { x: 0, pc: 256 } });
    if (typeof layout !== 'string') expect([...layout.vcpuStates.values()].sort()).toContain('running');
  });

  it('come with source lines, of the image of the mode', () => {
    const { hypervisor, guest, firmware } = symbols;
    expect(symbols.codeAt('HS', hypervisor!.address('heap_alloc')!)).toEqual({
      symbol: 'heap_alloc',
      source: expect.stringMatching(/^lazarus\/heap\.c:\d+$/),
    });
    const start = guest!.address('guest_main')!;
    expect(symbols.codeAt('VS', start, 1).source).toMatch(/^guests\/kernel\.c:\d+$|^guests\/compute\.c:\d+$/);
    expect(symbols.codeAt('M', start).source).toMatch(/^firmware\//);
    expect(codeText(symbols.codeAt('M', firmware.address('trap_entry')! + 4n))).toMatch(
      /^trap_entry\+0x4 \(entry\.S:\d+\)$/,
    );
    expect(symbols.codeAt('HS', 0x10n)).toEqual({});
  });

  it('come with call frames, at the address that the image is linked for', () => {
    const address = symbols.hypervisor!.address('heap_alloc')!;
    const at = symbols.debugAt('HS', address);
    expect(at?.address).toBe(address);
    expect(at?.debug.frameAt(address)).toMatchObject({ low: address, cfa: { register: 2, offset: 0 } });
  });

  it('have source lines whatever the file is called, and none when it is another build', () => {
    const known = image('lazarus.elf');
    const address = symbols.hypervisor!.address('heap_alloc')!;
    const source = (bytes: Uint8Array, name = 'x.bin') =>
      readMachineSymbols({ kernel: { name, bytes } }).codeAt('HS', address).source;
    expect(source(known.bytes)).toMatch(/heap\.c:/);
    // One bit of its code, its name as before.
    const other = Uint8Array.from(known.bytes);
    const code = Buffer.from(other).indexOf(known.bytes.subarray(0x1000 + 0x400, 0x1000 + 0x440));
    other[code]! ^= 1;
    expect(source(other, known.name)).toBeUndefined();
    // Debug information of its own comes first.
    const debug = committedFile('lazarus.debug')!;
    expect(source(debug)).toMatch(/heap\.c:/);
  });

  it('are none for a file that is no ELF', () => {
    const raw = { name: 'blob.bin', bytes: Uint8Array.of(1, 2, 3, 4, 5) };
    const none = readMachineSymbols({ bios: raw });
    expect([none.firmware.image, none.firmware.size, none.hypervisor]).toEqual(['blob', 0, undefined]);
  });
});
