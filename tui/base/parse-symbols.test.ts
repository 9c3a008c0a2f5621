import { describe, expect, it } from 'vitest';
import { parseSymbols } from './parse-symbols.ts';

describe('--symbols', () => {
  it.each([
    ['x.elf', { path: 'x.elf' }],
    ['x@0x8020_0000', { path: 'x', at: 0x80200000n }],
    ['x@0xffffffff80000000', { path: 'x', at: 0xffffffff80000000n }],
    ['a/b.elf@vm12', { path: 'a/b.elf', vmid: 12 }],
    ['b.elf@vm1:0x80000000', { path: 'b.elf', vmid: 1, at: 0x80000000n }],
    ['me@home/b.elf', { path: 'me@home/b.elf' }],
    ['a@b.elf@0x10', { path: 'a@b.elf', at: 16n }],
  ])('%s', (text, value) => {
    expect(parseSymbols(text)).toEqual(value);
  });

  it.each(['', '@0x10', 'x@', 'x@80200000', 'x@0x', 'x@vm', 'x@vm1:', 'x@:0x10', 'x@vm10x20', 'x@lazarus', 'x@vm1:f'])(
    "'%s' is refused",
    (text) => {
      expect(() => parseSymbols(text)).toThrow(
        `expected FILE, FILE@0x80200000, FILE@vm1 or FILE@vm1:0x80000000, got '${text}'`,
      );
    },
  );

  it('numbers that are too large are refused', () => {
    expect(() => parseSymbols(`x@0x1${'0'.repeat(16)}`)).toThrow('an address has 64 bits');
    expect(() => parseSymbols('x@vm16384')).toThrow('a VMID is at most 16383');
  });
});
