import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../base/errors.ts';
import { type TestSegment, testElf } from '../testing.ts';
import { readElf, readMoved, readSymbols } from './elf.ts';

const bytes = Uint8Array.of(1, 2, 3, 4);
const good = testElf({ entry: 0x80000002, segments: [{ paddr: 0x80000000, bytes, memBytes: 64 }] });
/** The same file with something else written over it. */
const changed = (write: (view: DataView) => void, file = good): Uint8Array => {
  const copy = file.slice();
  write(new DataView(copy.buffer));
  return copy;
};
const image = (content: Uint8Array) => ({ name: 'x.elf', bytes: content });

describe('readElf', () => {
  it('gives segments and entry', () => {
    const elf = readElf(image(good), 'bios');
    expect(elf.entry).toBe(0x80000002);
    expect(elf.segments).toEqual([{ paddr: 0x80000000, bytes, memBytes: 64, executable: true, idleBytes: 0 }]);
  });

  it('loads a segment of a single byte', () => {
    const content = testElf({ segments: [{ paddr: 0x80000000, bytes: Uint8Array.of(7) }] });
    expect(readElf(image(content), 'bios').segments).toMatchObject([{ bytes: Uint8Array.of(7), memBytes: 1 }]);
  });

  it('takes an executable that may lie anywhere', () => {
    const read = readElf(image(testElf({ type: 3, segments: [{ paddr: 0x80000000, bytes }] })), 'bios');
    expect(read.segments.map(({ paddr }) => paddr)).toEqual([0x80000000]);
  });

  it('gives physical addresses of what is linked elsewhere, the entry point included', () => {
    const high = 0xffffffff80000000n;
    const segments = [
      { paddr: 0x80200000, vaddr: high, bytes },
      { paddr: 0x80210000, vaddr: 0x1000n, bytes, memBytes: 0x100, flags: 6 },
    ];
    const read = (entry: bigint) => readElf(image(testElf({ entry, segments })), 'kernel').entry;
    const elf = readElf(image(testElf({ entry: high, segments })), 'kernel');
    expect(elf.segments.map(({ paddr, executable }) => [paddr, executable])).toEqual([
      [0x80200000, true],
      [0x80210000, false],
    ]);
    expect([high, high + 3n, high + 4n, 0x10ffn, 0x1100n, 0x80200000n].map(read)).toEqual([
      ...[0x80200000, 0x80200003, undefined, 0x802100ff, undefined, undefined],
    ]);
  });

  it('loads what is packed to be copied elsewhere without the memory that it takes there', () => {
    const segments = [
      { paddr: 0x80000000, bytes, memBytes: 0x1000 },
      { paddr: 0x80000004, vaddr: 0x80100000n, bytes, memBytes: 0x1000 },
      { paddr: 0x80000008, vaddr: 0x80200000n, bytes, memBytes: 0x1000 },
    ];
    const sizes = readElf(image(testElf({ segments })), 'bios').segments.map(({ memBytes }) => memBytes);
    expect(sizes).toEqual([4, 4, 0x1000]);
  });

  it('knows which leading bytes are headers, notes and the gaps between them', () => {
    const note = { at: 0x200, bytes: Uint8Array.of(1, 1, 1, 1), paddr: 0x10200 };
    const idle = (segment: Partial<TestSegment>) => {
      const load = { paddr: 0x80000000, bytes, at: 0x1000, headBytes: 0x1000, ...segment };
      return readElf(image(testElf({ segments: [{ ...note, type: 4 }, load] })), 'bios').segments[0]!.idleBytes;
    };
    expect(idle({})).toBe(0x1000);
    expect(idle({ at: 0x200, headBytes: 0x200, bytes: note.bytes })).toBe(0x204);
    expect(idle({ headBytes: 0xe00 })).toBe(0xe00);
    // Zeros alone, or behind other bytes, may be somebody's.
    expect(idle({ headBytes: 0x400 })).toBe(0);
    expect(idle({ headBytes: 0 })).toBe(0);
    expect(idle({ at: 0x1ff, headBytes: 0x1ff, bytes: Uint8Array.of(9) })).toBe(0x1ff);
  });

  it.each([
    [
      'text',
      new TextEncoder().encode('#!/bin/sh\n'),
      /bios image 'x\.elf' is not an ELF file: expected a 64-bit RISC-V/,
    ],
    ['an x86-64 file', testElf({ machine: 62 }), /is for x86-64/],
    ['an unknown machine', testElf({ machine: 4711 }), /is for ELF machine 4711/],
    ['a 32-bit file', testElf({ elfClass: 1 }), /32-bit RISC-V/],
    ['a big-endian file', changed((view) => view.setUint8(5, 2)), /is big-endian/],
    ['an object file', testElf({ type: 1 }), /link it first/],
    ['a core dump', testElf({ type: 4 }), /link it first/],
    ['other program headers', changed((view) => view.setUint16(54, 32, true)), /program headers of 32 bytes/],
    [
      'program headers that lie nowhere',
      changed((view) => view.setBigUint64(32, 2n ** 60n, true)),
      /is damaged: a header field has the value 0x1000000000000000/,
    ],
    ['a header and nothing else', testElf({}).slice(0, 64), /nothing to load/],
    [
      'a segment without memory',
      testElf({ segments: [{ paddr: 0x80000000, bytes: new Uint8Array(), memBytes: 0 }] }),
      /nothing to load/,
    ],
    ['an executable without segments', testElf({}), /nothing to load/],
    ['hundreds of segments', testElf({ segments: Array(257).fill({ paddr: 0, bytes }) }), /257 program headers/],
    ['a header cut short', good.slice(0, 30), /truncated: 30 bytes/],
    ['program headers cut off', good.slice(0, 100), /program headers lie past the end/],
    ['a segment cut off', good.slice(0, 122), /segment 0 ends at byte 124, the file has 122/],
    ['file size above memory size', testElf({ segments: [{ paddr: 0, bytes, memBytes: 2 }] }), /larger in the file/],
    [
      'physical addresses that no machine has',
      testElf({ segments: [{ paddr: 2 ** 60, bytes }] }),
      /is to be loaded at 0x1000000000000000, where there is no RAM: its segments need physical addresses of their own/,
    ],
  ])('refuses %s and says why', (_what, content, why) => {
    expect(() => readElf(image(content), 'bios')).toThrow(UserError);
    expect(() => readElf(image(content), 'bios')).toThrow(why);
  });

  it('never throws anything but a UserError, whatever the bytes', () => {
    const overwrites = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 12 });
    fc.assert(
      fc.property(overwrites, fc.nat(good.length), (changes, length) => {
        const damaged = good.slice();
        for (const [at, value] of changes) damaged[at] = value;
        readSymbols(damaged.subarray(0, length));
        readMoved(damaged.subarray(0, length));
        try {
          for (const its of readElf(image(damaged.subarray(0, length)), 'bios').segments) {
            expect(its.memBytes).toBeGreaterThanOrEqual(its.bytes.length);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('readSymbols', () => {
  it('gives names, addresses and which values are constants', () => {
    const file = testElf({
      segments: [{ paddr: 0x80000000, bytes }],
      symbols: [
        { name: 'main', value: 0x80000010n },
        { name: 'layout.vcpu.pc', value: 264n, absolute: true },
      ],
    });
    expect(readSymbols(file)).toEqual([
      { name: 'main', address: 0x80000010n, size: 4n, type: 'function', absolute: false },
      { name: 'layout.vcpu.pc', address: 264n, size: 4n, type: 'function', absolute: true },
    ]);
  });

  it('gives none for what is not an ELF file', () => {
    expect(readSymbols(Uint8Array.of(1, 2, 3))).toEqual([]);
  });

  it('gives none of a table that lies outside of the file, or that has no names', () => {
    const file = testElf({ symbols: [{ name: 'main', value: 8n }] });
    const sectionsAt = file.length - 3 * 64;
    const symbolsOf = (write: (view: DataView) => void) => readSymbols(changed(write, file));
    expect(symbolsOf(() => {})).toHaveLength(1);
    expect(symbolsOf((view) => view.setBigUint64(sectionsAt + 64 + 24, BigInt(file.length - 47), true))).toEqual([]);
    expect(symbolsOf((view) => view.setUint32(sectionsAt + 64 + 40, 3, true))).toEqual([]);
    expect(symbolsOf((view) => view.setUint16(58, 40, true))).toEqual([]);
    expect(symbolsOf((view) => view.setUint16(60, 4, true))).toEqual([]);
  });

  it('gives the type of each, and leaves out what is defined elsewhere', () => {
    const types = [0, 1, 2, 3, 4, 10];
    const file = testElf({ symbols: [...types, 2].map((_, n) => ({ name: `s${n}`, value: BigInt(n) })) });
    const read = changed((view) => {
      for (const [n, type] of types.entries()) view.setUint8(64 + 24 * (n + 1) + 4, 0x10 | type);
      view.setUint16(64 + 24 * (types.length + 1) + 6, 0, true);
    }, file);
    expect(readSymbols(read).map(({ name, type }) => `${name} ${type}`)).toEqual([
      ...['s0 none', 's1 object', 's2 function', 's3 section', 's4 file', 's5 other'],
    ]);
  });
});

describe('readMoved', () => {
  const segments = [
    { paddr: 0x80200000, vaddr: 0xffffffff80000000n, bytes, memBytes: 0x1000 },
    { paddr: 0x80300000, bytes },
    { paddr: 0x80400000, vaddr: 0x1000n, bytes: new Uint8Array(), memBytes: 0 },
    { paddr: 0x80500000, vaddr: 0x2000n, bytes, type: 4 },
  ];

  it('gives what is to be loaded elsewhere than it is linked', () => {
    expect(readMoved(testElf({ segments }))).toEqual([
      { vaddr: 0xffffffff80000000n, paddr: 0x80200000n, bytes: 0x1000n },
    ]);
  });

  it('gives nothing of another or a damaged file', () => {
    expect(readMoved(Uint8Array.of(1, 2, 3))).toEqual([]);
    expect(readMoved(testElf({ segments, elfClass: 1 }))).toEqual([]);
    // One byte of the last program header is missing; none is.
    const headersEnd = 64 + 56 * segments.length;
    expect(readMoved(testElf({ segments }).slice(0, headersEnd - 1))).toEqual([]);
    expect(readMoved(testElf({ segments }).slice(0, headersEnd))).toHaveLength(1);
  });
});

it('reads names of symbols that overlap at a cost that the file is worth', () => {
  // Each symbol's name is the rest of the last one's: without a bound they would come to 200 MB.
  const count = 2000;
  const bytes = testElf({
    symbols: Array.from({ length: count }, (_, n) => ({ name: n + 1 < count ? '' : 'x'.repeat(100_000), value: 8n })),
  });
  const view = new DataView(bytes.buffer);
  for (let n = 1; n <= count; n++) view.setUint32(64 + 24 * n, count + n, true);
  const names = readSymbols(bytes).map(({ name }) => name);
  expect(names).toHaveLength(count);
  expect(new Set(names.map((name) => name.length))).toEqual(new Set([4096]));
});
