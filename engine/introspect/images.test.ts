import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readMachineSymbols } from './images.ts';
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

  it('are none for a file that is no ELF', () => {
    const raw = { name: 'blob.bin', bytes: Uint8Array.of(1, 2, 3, 4, 5) };
    const none = readMachineSymbols({ bios: raw });
    expect([none.firmware.image, none.firmware.size, none.hypervisor]).toEqual(['blob', 0, undefined]);
  });
});
