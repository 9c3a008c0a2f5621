import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { createSymbolTable, type ElfSymbol } from './symbols.ts';

const symbol = (
  name: string,
  address: bigint,
  size = 0n,
  type: ElfSymbol['type'] = 'function',
  absolute = false,
): ElfSymbol => ({
  name,
  address,
  size,
  type,
  absolute,
});

describe('a symbol table', () => {
  const table = createSymbolTable('lazarus', [
    symbol('trap_entry', 0x80200000n, 0x40n),
    symbol('hypercall', 0x80200040n, 0x100n),
    symbol('.Lloop', 0x80200050n),
    symbol('$x', 0x80200060n),
    symbol('kernel.c', 0n, 0n, 'file', true),
    symbol('heap_lock', 0x80210000n, 8n, 'object'),
    symbol('secondary_entry', 0x80220000n, 0n, 'none'),
    symbol('_end', 0x80230000n, 0n, 'none'),
    symbol('layout.domain.vmid', 8n, 0n, 'none', true),
    symbol('layout.domain.next', 0n, 0n, 'none', true),
  ]);

  it('names addresses inside symbols', () => {
    expect(table.describe(0x80200000n)).toBe('trap_entry');
    expect(table.describe(0x80200056n)).toBe('hypercall+0x16');
    expect(table.describe(0x80210007n)).toBe('heap_lock+0x7');
  });

  it('names nothing behind a symbol that has a size', () => {
    expect(table.describe(0x80200140n)).toBeUndefined();
    expect(table.describe(0x80210008n)).toBeUndefined();
    expect(table.describe(0x7fffffffn)).toBeUndefined();
  });

  it('lets a label without a size reach a page, not the rest of memory', () => {
    expect(table.describe(0x80220ff0n)).toBe('secondary_entry+0xff0');
    expect(table.describe(0x80221000n)).toBeUndefined();
    expect(table.describe(0x80230000n)).toBe('_end');
    expect(table.describe(0x80230001n)).toBeUndefined();
  });

  it('finds addresses and absolute values by name, and never mistakes values for addresses', () => {
    expect(table.address('heap_lock')).toBe(0x80210000n);
    expect(table.address('nothing')).toBeUndefined();
    expect([...table.absolutes('layout.domain.')]).toEqual([
      ['vmid', 8n],
      ['next', 0n],
    ]);
    expect(table.describe(8n)).toBeUndefined();
  });
});

describe('the place of a symbol', () => {
  const table = createSymbolTable('x', [
    symbol('sized', 0x1000n, 0x40n),
    symbol('label', 0x1040n),
    symbol('next', 0x1060n),
    symbol('last', 0x5000n),
    symbol('last', 0x6000n),
    symbol('image_end', 0x9000n),
    symbol('value', 8n, 0n, 'none', true),
    symbol('file.c', 0n, 0n, 'file', true),
  ]);

  it('has its size, or reaches to the next place, or a page', () => {
    expect(table.place('sized')).toEqual({ address: 0x1000n, bytes: 0x40n });
    expect(table.place('label')).toEqual({ address: 0x1040n, bytes: 0x20n });
    expect(table.place('last')).toEqual({ address: 0x5000n, bytes: 0x1000n });
    expect(table.place('image_end')).toEqual({ address: 0x9000n, bytes: 1n });
  });

  it('is none for values, files and names that are not there', () => {
    for (const name of ['value', 'file.c', 'nothing']) expect(table.place(name), name).toBeUndefined();
    expect([...table.absolutes('').keys()]).toEqual(['value']);
  });
});

const disjoint = fc
  .array(fc.record({ gap: fc.bigInt(0n, 64n), size: fc.bigInt(1n, 64n) }), { minLength: 1, maxLength: 40 })
  .map((parts) => {
    let at = 0x1000n;
    return parts.map(({ gap, size }, n) => {
      const placed = symbol(`s${n}`, at + gap, size);
      at += gap + size;
      return placed;
    });
  });

test.prop([disjoint, fc.bigInt(0xf00n, 0x3000n)])(
  'the symbol found is the one that covers the address, whatever the order',
  (symbols, address) => {
    const covering = symbols.find((s) => address >= s.address && address < s.address + s.size);
    const hit = createSymbolTable('x', symbols.toReversed()).lookup(address);
    expect(hit).toEqual(covering && { name: covering.name, offset: address - covering.address });
  },
);
