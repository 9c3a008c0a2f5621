import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../base/errors.ts';
import { PLIC_SOURCES } from '../../devices/index.ts';
import { isaString } from '../../isa/index.ts';
import { codeImage, type TestElf, type TestSegment, testElf } from '../testing.ts';
import type { MachineConfig } from '../types.ts';
import { RAM_BASE } from './board.ts';
import { boardDeviceTree } from './device-tree.ts';
import { writeFdt } from './fdt.ts';
import { loadBoot } from './loader.ts';

const MIB = 1024 * 1024;
const config: MachineConfig = {
  harts: 2,
  ramBytes: 128 * MIB,
  quantum: { policy: 'fixed', ticks: 1000, seed: 0n },
  bios: codeImage([0x13]),
  append: 'steps=2 quiet',
};
const kernel = {
  name: 'k.elf',
  bytes: testElf({ entry: 0x80200000, segments: [{ paddr: 0x80200000, bytes: Uint8Array.of(0x13, 0, 0, 0) }] }),
};
/** A Linux Image of 4 KiB. */
function linux({ magic = 0x05435352, textOffset = 0x200000, memBytes = 0x1000, flags = 0 }) {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(8, BigInt(textOffset), true);
  view.setBigUint64(16, BigInt(memBytes), true);
  view.setUint32(24, flags, true);
  view.setUint32(56, magic, true);
  return { name: 'Image', bytes };
}
const cutOff = (length: number) => ({ name: 'Image', bytes: linux({}).bytes.slice(0, length) });
const begins = (...bytes: number[]) => ({ name: 'k', bytes: Uint8Array.from(bytes) });
const raw = (name: string, length: number) => ({ name, bytes: new Uint8Array(length).fill(0x13) });

/** An independent reader of the format: paths to raw property bytes. */
function readTree(blob: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  expect(view.getUint32(0)).toBe(0xd00dfeed);
  expect(view.getUint32(4)).toBe(blob.length);
  const text = (at: number) => new TextDecoder().decode(blob.subarray(at, blob.indexOf(0, at)));
  const found = new Map<string, Uint8Array>();
  const path: string[] = [];
  let at = view.getUint32(8);
  const strings = view.getUint32(12);
  for (;;) {
    const token = view.getUint32(at);
    at += 4;
    if (token === 1) {
      const name = text(at);
      path.push(name);
      at = (at + name.length + 4) & ~3;
    } else if (token === 2) path.pop();
    else if (token === 3) {
      const length = view.getUint32(at);
      found.set(`${path.join('/')}:${text(strings + view.getUint32(at + 4))}`, blob.slice(at + 8, at + 8 + length));
      at = (at + 8 + length + 3) & ~3;
    } else {
      expect(token).toBe(9);
      expect(path).toEqual([]);
      return found;
    }
  }
}
const cellsOf = (bytes: Uint8Array | undefined) => {
  const view = new DataView(bytes!.buffer);
  return Array.from({ length: bytes!.length / 4 }, (_, n) => view.getUint32(4 * n));
};
const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

describe('the device tree', () => {
  it('writes nested nodes, strings, lists, cells and empty properties', () => {
    const tree = readTree(
      writeFdt({
        name: '',
        properties: { a: 'x', list: ['p', 'qr'], cells: [1, 0xffffffff], empty: true },
        children: [{ name: 'n@1', properties: { a: 'longer than four' } }],
      }),
    );
    expect(textOf(tree.get(':a'))).toBe('x\0');
    expect(textOf(tree.get(':list'))).toBe('p\0qr\0');
    expect(cellsOf(tree.get(':cells'))).toEqual([1, 0xffffffff]);
    expect(tree.get(':empty')).toEqual(new Uint8Array(0));
    expect(textOf(tree.get('/n@1:a'))).toBe('longer than four\0');
  });

  it('describes the board as QEMU virt does', () => {
    const tree = readTree(
      boardDeviceTree({
        harts: 2,
        ramBytes: 128 * MIB,
        bootArgs: 'hello',
        seed: 5n,
        initrd: { start: 0x84200000, end: 0x84201388 },
      }),
    );
    expect(cellsOf(tree.get('/memory@80000000:reg'))).toEqual([0, 0x80000000, 0, 0x8000000]);
    expect(cellsOf(tree.get('/cpus:timebase-frequency'))).toEqual([10_000_000]);
    expect(textOf(tree.get('/cpus/cpu@1:riscv,isa'))).toBe(`${isaString()}\0`);
    expect(cellsOf(tree.get('/cpus/cpu@0:riscv,cboz-block-size'))).toEqual([64]);
    expect(textOf(tree.get('/cpus/cpu@0:mmu-type'))).toBe('riscv,sv48\0');
    expect(textOf(tree.get('/chosen:bootargs'))).toBe('hello\0');
    expect(textOf(tree.get('/chosen:stdout-path'))).toBe('/soc/serial@10000000\0');
    expect(cellsOf(tree.get('/chosen:linux,initrd-end'))).toEqual([0x84201388]);
    expect(cellsOf(tree.get('/soc/plic@c000000:reg'))).toEqual([0, 0xc000000, 0, 0x600000]);
    expect(cellsOf(tree.get('/soc/plic@c000000:riscv,ndev'))).toEqual([PLIC_SOURCES]);
    expect(cellsOf(tree.get('/soc/serial@10000000:interrupts'))).toEqual([10]);
    expect(textOf(tree.get('/soc/rtc@101000:compatible'))).toBe('google,goldfish-rtc\0');
    expect(cellsOf(tree.get('/soc/rtc@101000:interrupts'))).toEqual([11]);
    const virtio = [...tree.keys()].filter((path) => /virtio.*:interrupts$/.test(path));
    expect(virtio.map((path) => [path.slice(5, -11), ...cellsOf(tree.get(path))])).toEqual(
      [8, 7, 6, 5, 4, 3, 2, 1].map((n) => [`virtio_mmio@1000${n}000`, n]),
    );
    expect(cellsOf(tree.get('/soc/virtio_mmio@10008000:reg'))).toEqual([0, 0x10008000, 0, 0x1000]);
    expect(textOf(tree.get('/soc/virtio_mmio@10001000:compatible'))).toBe('virtio,mmio\0');
    expect(textOf(tree.get('/soc/test@100000:compatible'))).toBe('sifive,test1\0sifive,test0\0syscon\0');
    expect(cellsOf(tree.get('/poweroff:value'))).toEqual([0x5555]);
    expect(cellsOf(tree.get('/reboot:value'))).toEqual([0x7777]);
  });

  it('wires every hart to the interrupt controllers, by phandles that exist', () => {
    const tree = readTree(boardDeviceTree({ harts: 3, ramBytes: 128 * MIB, bootArgs: '', seed: 0n }));
    const intc = [0, 1, 2].map((n) => cellsOf(tree.get(`/cpus/cpu@${n}/interrupt-controller:phandle`))[0]);
    expect(cellsOf(tree.get('/soc/plic@c000000:interrupts-extended'))).toEqual(
      intc.flatMap((its) => [its, 11, its, 9]),
    );
    expect(cellsOf(tree.get('/soc/clint@2000000:interrupts-extended'))).toEqual(
      intc.flatMap((its) => [its, 3, its, 7]),
    );
    expect(tree.get('/soc/serial@10000000:interrupt-parent')).toEqual(tree.get('/soc/plic@c000000:phandle'));
    expect(tree.get('/poweroff:regmap')).toEqual(tree.get('/soc/test@100000:phandle'));
    const phandles = [...tree].filter(([path]) => path.endsWith(':phandle')).map(([, bytes]) => cellsOf(bytes)[0]);
    expect(new Set(phandles).size).toBe(phandles.length);
    expect(tree.has('/chosen:linux,initrd-start')).toBe(false);
  });

  it('seeds the kernel with 32 bytes that depend on nothing but the seed', () => {
    const seedOf = (seed: bigint) =>
      readTree(boardDeviceTree({ harts: 1, ramBytes: 128 * MIB, bootArgs: '', seed })).get('/chosen:rng-seed');
    // The first output of splitmix64 from 0 (its reference implementation).
    expect(cellsOf(seedOf(0n)).slice(0, 2)).toEqual([0xe220a839, 0x7b1dcdaf]);
    expect(seedOf(0n)).toHaveLength(32);
    expect(seedOf(1n)).not.toEqual(seedOf(0n));
  });
});

describe('placing images', () => {
  it('puts kernel, initrd and device tree where QEMU puts them', () => {
    const boot = loadBoot({ ...config, kernel, initrd: raw('i', 5000) });
    const addresses = boot.segments.map((segment) => segment.paddr);
    expect(addresses).toEqual([0x80000000, 0x80200000, 0x84200000, 0x87e00000]);
    const rom = new DataView(boot.rom.buffer);
    expect(rom.getBigUint64(24, true)).toBe(0x80000000n);
    expect(rom.getBigUint64(32, true)).toBe(0x87e00000n);
    const info = [0, 1, 2, 3, 4, 5].map((n) => rom.getBigUint64(40 + 8 * n, true));
    expect(info).toEqual([0x4942534fn, 2n, 0x80200000n, 1n, 0n, 0n]);
    const tree = readTree(boot.segments[3]!.bytes);
    expect(cellsOf(tree.get('/chosen:linux,initrd-start'))).toEqual([0x84200000]);
    expect(cellsOf(tree.get('/chosen:linux,initrd-end'))).toEqual([0x84200000 + 5000]);
  });

  it('puts a Linux Image where its header says, with room for what is not in the file', () => {
    const at = (textOffset: number) => {
      const [, kernelSegment] = loadBoot({ ...config, kernel: linux({ textOffset, memBytes: 3 * MIB }) }).segments;
      return [kernelSegment!.paddr, kernelSegment!.memBytes];
    };
    expect(at(0x200000)).toEqual([0x80200000, 3 * MIB]);
    expect(at(0x1000000)).toEqual([0x81000000, 3 * MIB]);
    expect(at(0)).toEqual([0x80200000, 3 * MIB]);
    // The header alone is one.
    expect(loadBoot({ ...config, kernel: cutOff(64) }).segments[1]!.paddr).toBe(0x80200000);
  });

  it('puts raw firmware, or a kernel without firmware, at the start of RAM', () => {
    const firmware = loadBoot({ ...config, bios: raw('fw.bin', 64), kernel });
    expect(firmware.segments.map(({ paddr }) => paddr)).toEqual([0x80000000, 0x80200000, 0x87e00000]);
    const { bios: _, ...bare } = config;
    expect(loadBoot({ ...bare, kernel: raw('k', 64) }).segments[0]!.paddr).toBe(0x80000000);
  });

  describe('ELF files that are not linked where they are loaded', () => {
    const bytes = Uint8Array.of(0x6f, 0, 0, 0);
    const elf = (its: TestElf, name = 'k.elf') => ({ name, bytes: testElf(its) });
    const next = (its: TestElf, change: Partial<MachineConfig> = {}) => {
      const boot = loadBoot({ ...config, kernel: elf(its), ...change });
      return {
        entry: Number(new DataView(boot.rom.buffer).getBigUint64(56, true)),
        addresses: boot.segments.map(({ paddr }) => paddr),
        kernel: boot.segments[1],
      };
    };
    const HIGH = 0xffffffff80000000n;

    it('are loaded by physical address and entered at the lowest one, which the initrd follows', () => {
      const segments = [
        { paddr: 0x80400000, vaddr: HIGH + 0x200000n, bytes },
        { paddr: 0x80200000, vaddr: HIGH, bytes },
      ];
      const { entry, addresses } = next({ entry: HIGH + 0x200000n, segments }, { initrd: raw('i', 100) });
      expect(entry).toBe(0x80200000);
      expect(addresses).toEqual([0x80000000, 0x80400000, 0x80200000, 0x84200000, 0x87e00000]);
      expect(next({ entry: 5n, segments }).entry).toBe(0x80200000);
    });

    it('are entered at their entry point where the lowest address is no code', () => {
      const code = { paddr: 0x80210000, vaddr: HIGH + 0x10000n, bytes };
      const constants = { paddr: 0x80200000, vaddr: HIGH, bytes, flags: 4 };
      const withHeader = { ...code, headBytes: 0x1000, at: 0x1000 };
      expect(next({ entry: HIGH + 0x10002n, segments: [constants, code] }).entry).toBe(0x80210002);
      expect(next({ entry: HIGH + 0x10002n, segments: [withHeader] }).entry).toBe(0x80210002);
      expect(() => next({ entry: 5n, segments: [withHeader] })).toThrow(/'k.elf' begins with no code, and its entry/);
    });

    it.each([
      ['headers in the same segment', [{ paddr: 0x80000000, bytes, at: 0x1000, headBytes: 0x1000 }], 0x80000000],
      ['headers and a note in one of their own', [{ paddr: 0x10200, bytes, at: 0x200, headBytes: 0x200 }], undefined],
    ])('may have %s below RAM', (_what, below, first) => {
      const note = { paddr: 0x10200, bytes, at: 0x200, type: 4 };
      const segments = [note, ...below, { paddr: first ? 0x80010000 : 0x80000000, bytes, at: 0x1800 }];
      for (const role of ['bios', 'kernel'] as const) {
        const { bios: _, ...bare } = config;
        const boot = loadBoot({ ...bare, [role]: elf({ segments }) });
        const loaded = boot.segments.filter(({ paddr }) => paddr < 0x80100000);
        expect(loaded.map(({ paddr }) => paddr)).toEqual(first ? [first, 0x80010000] : [0x80000000]);
        expect(loaded.map((its) => [...its.bytes])).toEqual(loaded.map(() => [...bytes]));
      }
    });

    it.each<[string, TestSegment[], RegExp]>([
      ['code below RAM', [{ paddr: 0x7fff0000, bytes }], /loads at 0x7fff0000, below RAM/],
      ['code behind headers below RAM', [{ paddr: 0x10200, bytes, at: 0x200, headBytes: 0x200 }], /at 0x10000, below/],
      ['zeroed memory below RAM', [{ paddr: 0x1000, bytes: new Uint8Array(), memBytes: 64 }], /at 0x1000, below RAM/],
      ['virtual addresses only', [{ paddr: Number(HIGH), bytes }], /at 0xffffffff80000000, where there is no RAM/],
      ['an address beyond RAM', [{ paddr: 2 ** 40, bytes }], /ends at 0x10000000004: it needs/],
    ])('are refused with %s', (_what, segments, why) => {
      expect(() => next({ segments: [{ paddr: 0x80200000, bytes }, ...segments] })).toThrow(why);
      expect(() => next({ segments })).toThrow(why);
    });

    it('are refused with headers alone', () => {
      const headers = { paddr: 0x1000, bytes, at: 60, headBytes: 60 };
      expect(next({ segments: [{ paddr: 0x80200000, bytes }, headers] }).addresses).toHaveLength(3);
      expect(() => next({ segments: [headers] })).toThrow(/at 0xfc4, below RAM/);
    });
  });

  it.each([
    ['longer than any', 'n'.repeat(256)],
    // 90,000 characters of two bytes each: more than a call may have arguments.
    ['much longer, and of other bytes', '\xe9'.repeat(90_000)],
    ['that a terminal would act upon', 'a\x1b[2J'],
  ])('refuses a device tree with a name %s, of a node or a property', (_, name) => {
    const node = writeFdt({ name: '', properties: {}, children: [{ name, properties: {} }] });
    const property = writeFdt({ name: '', properties: { [name]: true } });
    for (const bytes of [node, property]) {
      expect(() => loadBoot({ ...config, append: 'x', dtb: { name: 'd', bytes } })).toThrow(
        /^'d' is not a device tree, or damaged/,
      );
    }
  });

  it('keeps a property whatever its name means to JavaScript', () => {
    const properties = Object.fromEntries(['__proto__', 'constructor', 'toString'].map((name) => [name, 'kept']));
    const bytes = writeFdt({ name: '', properties, children: [{ name: 'chosen', properties }] });
    const { segments } = loadBoot({ ...config, append: 'x', dtb: { name: 'd', bytes } });
    const tree = readTree(segments.at(-1)!.bytes);
    for (const name of Object.keys(properties)) {
      for (const node of ['', '/chosen']) expect(textOf(tree.get(`${node}:${name}`)), name).toBe('kept\0');
    }
  });

  it("completes a user's device tree and gives it in place of the board's", () => {
    const own = writeFdt({
      name: '',
      properties: { model: 'mine' },
      children: [
        { name: 'soc', properties: { ranges: true }, children: [{ name: 'x@1', properties: { reg: [1, 2] } }] },
        { name: 'chosen', properties: { 'stdout-path': '/soc/x@1', bootargs: 'old' } },
      ],
    });
    const dtb = { name: 'own.dtb', bytes: own };
    const given = (change: Partial<MachineConfig>) => {
      const { segments } = loadBoot({ ...config, dtb, ...change });
      return readTree(segments.at(-1)!.bytes);
    };
    const tree = given({ kernel, initrd: raw('i', 100), append: 'new' });
    expect(textOf(tree.get('/chosen:bootargs'))).toBe('new\0');
    expect(textOf(tree.get('/chosen:stdout-path'))).toBe('/soc/x@1\0');
    expect(cellsOf(tree.get('/chosen:linux,initrd-end'))).toEqual([0x84200000 + 100]);
    expect(cellsOf(tree.get('/soc/x@1:reg'))).toEqual([1, 2]);
    expect(textOf(tree.get(':model'))).toBe('mine\0');
    expect(tree.has('/cpus:timebase-frequency')).toBe(false);
    expect(given({ append: '' })).toEqual(readTree(own));
  });

  it('refuses damaged device trees without falling over them', () => {
    const own = writeFdt({ name: '', properties: { a: 'bc' }, children: [{ name: 'n', properties: { d: [1] } }] });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(own.length - 1), fc.nat(255))), fc.nat(own.length), (changes, length) => {
        const bytes = own.slice(0, length);
        for (const [at, byte] of changes) if (at < length) bytes[at] = byte;
        try {
          loadBoot({ ...config, dtb: { name: 'd', bytes } });
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('puts a flat kernel behind the firmware, and the device tree below 3 GiB', () => {
    const boot = loadBoot({ ...config, ramBytes: 2048 * MIB, kernel: raw('Image', 4096), initrd: raw('i', 16) });
    expect(boot.segments.map((segment) => segment.paddr)).toEqual([0x80000000, 0x80200000, 0x88200000, 0xbfe00000]);
  });

  const bios = (paddr: number) => ({ name: 'b', bytes: testElf({ segments: [{ paddr, bytes: new Uint8Array(16) }] }) });
  it.each<[string, Partial<Record<keyof MachineConfig, unknown>>, RegExp]>([
    ['an empty bios', { bios: { name: 'b', bytes: new Uint8Array(0) } }, /bios image 'b' is empty/],
    [
      'a bios that is text',
      { bios: { name: 'b', bytes: new TextEncoder().encode('#!/bin/sh\n') } },
      /bios image 'b' is text/,
    ],
    ['nothing at all', { bios: undefined }, /neither firmware nor a kernel/],
    ['a kernel elsewhere without firmware', { bios: undefined, kernel }, /nothing at 0x80000000/],
    ['an arm64 kernel', { kernel: linux({ magic: 0x644d5241 }) }, /'Image' is a Linux kernel for arm64: give a 64-bit/],
    ['a kernel compressed with gzip', { kernel: begins(0x1f, 0x8b, 8, 0) }, /gunzip/],
    ['a kernel compressed with zstd', { kernel: begins(0x28, 0xb5, 0x2f, 0xfd) }, /unzstd/],
    ['a kernel compressed with xz', { kernel: begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0) }, /unxz/],
    ['a kernel cut off in its header', { kernel: cutOff(63) }, /cut off in its header/],
    ['a big-endian kernel', { kernel: linux({ flags: 1 }) }, /big endian/],
    ['a kernel whose bss reaches beyond RAM', { kernel: linux({ memBytes: 200 * MIB }) }, /needs 202 MiB of RAM/],
    ['an initrd over the kernel', { kernel: linux({ memBytes: 70 * MIB }), initrd: raw('i', 9) }, /would overwrite/],
    ['no device tree as one', { dtb: raw('d.dtb', 100) }, /'d.dtb' is not a device tree, or damaged/],
    ['a bios linked elsewhere', { bios: bios(0x80001000) }, /nothing at 0x80000000/],
    ['an empty initrd', { initrd: raw('i', 0) }, /initrd image 'i' is empty/],
    ['a script as kernel', { kernel: { name: 'k', bytes: new TextEncoder().encode('#!/bin/sh\n') } }, /is text/],
    [
      'a kernel beyond RAM',
      { kernel, ramBytes: MIB },
      /kernel image 'k\.elf' ends at 0x80200004: it needs 3 MiB of RAM, there are 1/,
    ],
    ['an initrd beyond RAM', { initrd: raw('i', 70 * MIB) }, /needs 134 MiB of RAM, there are 128/],
    [
      'a kernel over the firmware',
      { kernel: { name: 'k', bytes: testElf({ segments: [{ paddr: RAM_BASE + 2, bytes: new Uint8Array(4) }] }) } },
      /would overwrite bios/,
    ],
    [
      'a kernel below RAM',
      { kernel: { name: 'k', bytes: testElf({ segments: [{ paddr: 0x1000, bytes: new Uint8Array(4) }] }) } },
      /below RAM/,
    ],
    ['RAM too small for a device tree', { ramBytes: 4096 }, /device tree at 0x80000000 would overwrite bios/],
  ])('refuses %s', (_what, change, why) => {
    expect(() => loadBoot({ ...config, ...change } as MachineConfig)).toThrow(why);
  });
});
