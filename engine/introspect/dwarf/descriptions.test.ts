import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSymbols } from '../../machine/index.ts';
import { debugFile, IMAGES_FOLDER, RECIPES } from '../../subject/images/recipes.ts';
import { readDebugInfo } from './index.ts';
import { le, makeElf, section, unit, zero } from './testing.ts';

const BASE = 0x80000000n;
const DATA = BASE + 0x100n;
const F = {
  addr: 1,
  data1: 0x0b,
  string: 8,
  ref4: 0x13,
  exprloc: 0x18,
  block1: 0x0a,
  flag: 0x19,
  udata: 0x0f,
} as const;

/** An abbreviation: number, tag, whether there are children, names and forms of attributes. */
const kind = (code: number, tag: number, children: boolean, ...attributes: number[]) => [
  ...[code, tag, children ? 1 : 0],
  ...attributes,
  ...[0, 0],
];
const ABBREVIATIONS = [
  ...kind(1, 0x11, true, 0x03, F.string, 0x11, F.addr, 0x12, F.data1),
  ...kind(2, 0x24, false, 0x03, F.string, 0x0b, F.data1),
  ...kind(3, 0x13, true, 0x03, F.string, 0x0b, F.data1),
  ...kind(4, 0x0d, false, 0x03, F.string, 0x49, F.ref4, 0x38, F.data1),
  ...kind(5, 0x01, true, 0x49, F.ref4),
  ...kind(6, 0x21, false, 0x2f, F.data1),
  ...kind(7, 0x34, false, 0x03, F.string, 0x49, F.ref4, 0x02, F.exprloc),
  ...kind(8, 0x2e, true, 0x03, F.string, 0x49, F.ref4, 0x11, F.addr, 0x12, F.data1),
  ...kind(9, 0x05, false, 0x03, F.string, 0x49, F.ref4),
  ...kind(10, 0x1d, false, 0x31, F.ref4, 0x11, F.addr, 0x12, F.data1),
  ...kind(11, 0x2e, false, 0x03, F.string),
  ...kind(12, 0x0f, false, 0x49, F.ref4),
  ...kind(13, 0x26, false, 0x49, F.ref4),
  ...kind(14, 0x17, true, 0x0b, F.data1),
  ...kind(15, 0x0d, false, 0x49, F.ref4, 0x38, F.data1),
  ...kind(16, 0x0d, false, 0x03, F.string, 0x49, F.ref4, 0x6b, F.data1, 0x0d, F.data1),
  ...kind(17, 0x0d, false, 0x03, F.string, 0x49, F.ref4),
  0,
];
const HEADER = { 4: 11, 5: 12 } as const;

/** Entries whose references are by name: the offset of an entry is known once those before it are written. */
function unitOf(version: 4 | 5): number[] {
  const bytes: number[] = [];
  const places = new Map<string, number>();
  const holes: { readonly at: number; readonly name: string }[] = [];
  const put = (...parts: (number | readonly number[] | { readonly ref: string })[]) => {
    for (const part of parts) {
      if (typeof part === 'number') bytes.push(part);
      else if ('ref' in part) {
        holes.push({ at: bytes.length, name: part.ref });
        bytes.push(0, 0, 0, 0);
      } else bytes.push(...part);
    }
  };
  const here = (name: string) => places.set(name, HEADER[version] + bytes.length);
  const ref = (name: string) => ({ ref: name });
  const at = (address: bigint) => [9, 3, ...le(8, address)];
  put(1, zero('a.c'), le(8, BASE), 0x80);
  here('u32');
  put(2, zero('u32'), 4);
  here('u8');
  put(2, zero('u8'), 1);
  here('vcpu');
  put(3, zero('vcpu'), 16);
  put(4, zero('id'), ref('u32'), 0);
  put(15, ref('either'), 4);
  put(16, zero('low'), ref('u32'), 64, 12);
  put(16, zero('high'), ref('u32'), 76, 20, 0);
  here('either');
  put(14, 4, 17, zero('word'), ref('u32'), 17, zero('byte'), ref('u8'), 0);
  here('rows');
  put(5, ref('vcpu'), 6, 1, 6, 2, 0);
  here('constant');
  put(13, ref('u32'));
  here('pointer');
  put(12, ref('constant'));
  put(7, zero('table'), ref('rows'), at(DATA));
  put(7, zero('other'), ref('u32'), at(DATA + 0x80n));
  here('inner');
  put(11, zero('inner'));
  put(8, zero('work'), ref('u32'), le(8, BASE + 0x10n), 0x20);
  put(9, zero('who'), ref('pointer'), 9, zero('n'), ref('u32'));
  put(10, ref('inner'), le(8, BASE + 0x18n), 8, 0);
  put(0);
  for (const { at: hole, name } of holes) bytes.splice(hole, 4, ...le(4, places.get(name)!));
  const head = version === 5 ? [...le(2, 5), 1, 8, ...le(4, 0)] : [...le(2, 4), ...le(4, 0), 8];
  return unit(...head, ...bytes);
}
const debugOf = (info: readonly number[], abbreviations: readonly number[] = ABBREVIATIONS) =>
  readDebugInfo(makeElf([section('.debug_info', info), section('.debug_abbrev', abbreviations)]))!;

describe.each([4, 5] as const)('descriptions of version %i', (version) => {
  const debug = debugOf(unitOf(version));
  const part = (offset: number) => {
    const found = debug.variableAt(DATA + BigInt(offset));
    return found && `${found.name}: ${found.type} +${found.offset}`;
  };

  it('name the part of a variable that has a byte', () => {
    expect(part(0)).toBe('table[0][0].id: u32 +0');
    // Two rows of three, 16 bytes each: [1][2] is the last.
    expect(part(16 * 5 + 2)).toBe('table[1][2].id: u32 +2');
    expect(part(16 * 3 + 5)).toBe('table[1][0].word: u32 +1');
    expect([part(8), part(10), part(11)]).toEqual([
      'table[0][0].low: u32 +0',
      'table[0][0].high: u32 +1',
      'table[0][0].high: u32 +2',
    ]);
    expect(debug.variableAt(DATA)?.variable).toEqual({ name: 'table', address: DATA, bytes: 96 });
    expect(part(0x80 + 3)).toBe('other: u32 +3');
    expect([part(-1), part(96), part(0x84)]).toEqual([undefined, undefined, undefined]);
  });

  it('name the function of an address, what it takes, and what is inlined there', () => {
    expect(debug.functionAt(BASE + 0x10n)).toEqual({
      name: 'work',
      low: BASE + 0x10n,
      high: BASE + 0x30n,
      parameters: [
        { name: 'who', type: 'const u32 *' },
        { name: 'n', type: 'u32' },
      ],
      returns: 'u32',
      inlined: [],
    });
    expect(debug.functionAt(BASE + 0x18n)?.inlined).toEqual(['inner']);
    expect(debug.functionAt(BASE + 0x20n)?.inlined).toEqual([]);
    expect([debug.functionAt(BASE), debug.functionAt(BASE + 0x30n)]).toEqual([undefined, undefined]);
    expect(debug.problems()).toEqual([]);
  });
});

describe('descriptions that are damaged', () => {
  it.each([
    ['of a version that is not known', unit(...le(2, 9), 1, 2, 3), 'has a unit of version 9: 2 to 5 are read'],
    ['for 32-bit addresses', unit(...le(2, 5), 1, 4, ...le(4, 0), 0), 'is not for 64-bit addresses'],
    [
      'with an entry that is not declared',
      unit(...le(2, 5), 1, 8, ...le(4, 0), 99),
      'of a kind that is not declared: 99',
    ],
    ['with declarations past the end', unit(...le(2, 5), 1, 8, ...le(4, 9999), 1), '.debug_abbrev begins past its end'],
  ])('%s: say so, and other units are read', (_, bytes, why) => {
    const debug = debugOf([...bytes, ...unitOf(5)]);
    expect(debug.functionAt(BASE + 0x10n)?.name).toBe('work');
    expect(debug.problems()).toEqual([expect.stringContaining(why)]);
  });

  it('a type that is part of itself ends', () => {
    // struct s { struct s inner; }, without a size.
    const abbreviations = [
      ...kind(1, 0x11, true),
      ...kind(2, 0x13, true, 0x03, F.string, 0x0b, F.data1),
      ...kind(3, 0x0d, false, 0x03, F.string, 0x49, F.ref4),
      ...kind(4, 0x34, false, 0x03, F.string, 0x49, F.ref4, 0x02, F.exprloc),
      ...kind(5, 0x26, false, 0x49, F.ref4),
      0,
    ];
    const struct = [2, ...zero('s'), 8, 3, ...zero('i'), ...le(4, 13), 0];
    const loop = [5, ...le(4, 13 + struct.length)];
    const variables = [
      ...[4, ...zero('v'), ...le(4, 13), 9, 3, ...le(8, DATA)],
      ...[4, ...zero('w'), ...le(4, 13 + struct.length), 9, 3, ...le(8, DATA + 8n)],
    ];
    const info = unit(...le(2, 5), 1, 8, ...le(4, 0), 1, ...struct, ...loop, ...variables, 0);
    const debug = debugOf(info, abbreviations);
    expect(debug.variableAt(DATA)?.name).toMatch(/^v(\.i){32}$/);
    expect(debug.variableAt(DATA + 8n)).toBeUndefined();
  });
});

describe('the committed images', () => {
  it.each(RECIPES)('$name: every function and variable of C is what its symbol says', ({ name }) => {
    const debug = readDebugInfo(readFileSync(IMAGES_FOLDER + debugFile(name)))!;
    const symbols = readSymbols(readFileSync(`${IMAGES_FOLDER}${name}.elf`));
    const base = (symbol: string) => symbol.replace(/\..*/, '');
    const sized = (type: string) =>
      symbols.filter((symbol) => symbol.type === type && symbol.size > 0n && !symbol.absolute);
    const functions = sized('function').filter(({ address }) => debug.frameAt(address));
    expect(functions.length).toBeGreaterThan(10);
    for (const symbol of functions) {
      const found = debug.functionAt(symbol.address + symbol.size - 2n);
      expect(found).toMatchObject({ name: base(symbol.name), low: symbol.address, high: symbol.address + symbol.size });
    }
    const objects = sized('object');
    expect(objects.length).toBeGreaterThan(3);
    for (const { name: symbol, address, size } of objects) {
      const found = debug.variableAt(address + size - 1n);
      expect(found?.variable).toEqual({ name: base(symbol), address, bytes: Number(size) });
    }
    expect(debug.problems()).toEqual([]);
  });
});
