import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.ts';
import { readElf, readSymbols } from './elf.ts';
import { testElf } from './testing.ts';

const bytes = Uint8Array.of(1, 2, 3, 4);
const good = testElf({ entry: 0x80000002, segments: [{ paddr: 0x80000000, bytes, memBytes: 64 }] });
const image = (content: Uint8Array) => ({ name: 'x.elf', bytes: content });

describe('readElf', () => {
  it('gives segments and entry', () => {
    const elf = readElf(image(good), 'bios');
    expect(elf.entry).toBe(0x80000002);
    expect(elf.segments).toEqual([{ paddr: 0x80000000, bytes, memBytes: 64 }]);
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
    ['an object file', testElf({ type: 1 }), /link it first/],
    ['an executable without segments', testElf({}), /nothing to load/],
    ['a header cut short', good.slice(0, 30), /truncated: 30 bytes/],
    ['program headers cut off', good.slice(0, 100), /program headers lie past the end/],
    ['a segment cut off', good.slice(0, 122), /segment 0 ends at byte 124, the file has 122/],
    ['file size above memory size', testElf({ segments: [{ paddr: 0, bytes, memBytes: 2 }] }), /larger in the file/],
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
});
