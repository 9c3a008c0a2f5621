import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readSymbols } from '../../machine/index.ts';
import { debugFile, IMAGES_FOLDER, RECIPES, SUBJECT_FOLDER } from '../../subject/images/recipes.ts';
import { type DebugInfo, readDebugInfo } from './index.ts';
import { le, makeElf, section, unit, zero } from './testing.ts';

const BASE = 0x80000000n;
const OPERANDS = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];
/** set_address BASE; line 11 at 0, line 12 at 4 and, by a special opcode, line 15 at 6; end at 10. */
const PROGRAM = [
  ...[0, 9, 2, ...le(8, BASE)],
  ...[3, 10, 5, 7, 1],
  ...[2, 4, 3, 1, 1],
  ...[13 + (3 + 5) + 14 * 2],
  ...[2, 4, 0, 1, 1],
];
const header = (version: number, tables: readonly number[]) => [
  ...[1, ...(version >= 4 ? [1] : []), 1, 256 - 5, 14, 13, ...OPERANDS],
  ...tables,
];
const version4 = (version: number, program: readonly number[]): number[] => {
  const rest = header(version, [...zero('lib'), 0, ...zero('a.c'), 0, 0, 0, ...zero('b.h'), 1, 0, 0, 0]);
  return unit(...le(2, version), ...le(4, rest.length), ...rest, ...program);
};
/** Folders by name in the header, files by offset in .debug_line_str, with an MD5 sum. */
const version5 = (program: readonly number[]): number[] => {
  const folders = [1, 1, 8, 2, ...zero('/src'), ...zero('lib')];
  const files = [
    3,
    1,
    0x1f,
    2,
    11,
    5,
    0x1e,
    2,
    ...le(4, 0),
    0,
    ...Array(16).fill(9),
    ...le(4, 4),
    1,
    ...Array(16).fill(9),
  ];
  const rest = header(5, [...folders, ...files]);
  return unit(...le(2, 5), 8, 0, ...le(4, rest.length), ...rest, ...program);
};
const STRINGS = section('.debug_line_str', [...zero('a.c'), ...zero('b.h')]);
const info = (...lines: number[][]): DebugInfo =>
  readDebugInfo(makeElf([section('.debug_line', lines.flat()), STRINGS]))!;
const at = (debug: DebugInfo, offset: number) => debug.lineAt(BASE + BigInt(offset));

describe('lines of a program', () => {
  it.each([2, 3, 4])('of version %i', (version) => {
    const debug = info(version4(version, PROGRAM));
    expect([0, 3, 4, 5, 6, 9].map((offset) => at(debug, offset)?.line)).toEqual([11, 11, 12, 12, 15, 15]);
    expect(at(debug, 0)).toEqual({ file: 'a.c', line: 11, column: 7 });
    expect([at(debug, -1), at(debug, 10)]).toEqual([undefined, undefined]);
    expect(debug.problems()).toEqual([]);
  });

  it('of version 5, files count from 0 and folders are joined', () => {
    const inHeader = [4, 1, ...PROGRAM];
    const debug = info(version5(inHeader));
    expect(at(debug, 4)).toEqual({ file: '/src/lib/b.h', line: 12, column: 7 });
    expect(at(info(version5([4, 0, ...PROGRAM])), 4)?.file).toBe('/src/a.c');
    expect(debug.problems()).toEqual([]);
  });

  it('of several pieces of code, each with registers of its own', () => {
    const second = [...[0, 9, 2, ...le(8, BASE + 0x100n)], 4, 2, 1, 2, 2, 0, 1, 1];
    const debug = info(version4(4, [...PROGRAM, ...second]));
    expect(at(debug, 0x100)).toEqual({ file: 'lib/b.h', line: 1, column: 0 });
    expect(at(debug, 6)?.line).toBe(15);
    expect(at(debug, 0x102)).toBeUndefined();
  });

  it('skips opcodes that it does not know by the number of their operands', () => {
    expect(at(info(version4(4, [12, 0x81, 1, 0, 3, 0x80, 1, 2, ...PROGRAM])), 4)?.line).toBe(12);
  });

  it('leaves out code that the linker dropped, and lines that no source has', () => {
    const dropped = [0, 9, 2, ...le(8, 0), 1, 2, 4, 0, 1, 1];
    const nowhere = [...[0, 9, 2, ...le(8, BASE)], 3, 0x7f, 1, 2, 4, 0, 1, 1];
    expect(info(version4(4, dropped)).lineAt(0n)).toBeUndefined();
    expect(at(info(version4(4, nowhere)), 0)).toBeUndefined();
  });

  it('of a section that is compressed', () => {
    const plain = Uint8Array.from(version4(4, PROGRAM));
    const compressed = (type: number, bytes: number) =>
      section('.debug_line', [...le(4, type), ...le(4, 0), ...le(8, bytes), ...le(8, 1), ...deflateSync(plain)], {
        flags: 0x800n,
      });
    const of = (type: number, bytes: number) => readDebugInfo(makeElf([compressed(type, bytes)]))!;
    expect(at(of(1, plain.length), 0)?.line).toBe(11);
    for (const [type, bytes, why] of [
      [2, plain.length, 'is not compressed with zlib: objcopy --decompress-debug-sections'],
      [1, 2 ** 40, 'claims to be 1099511627776 bytes'],
      [1, plain.length - 1, 'does not decompress to the size that it claims'],
      [1, plain.length + 1, 'does not decompress to the size that it claims'],
    ] as const) {
      const debug = of(type, bytes);
      expect(at(debug, 0)).toBeUndefined();
      expect(debug.problems()).toEqual([expect.stringContaining(`.debug_line ${why}`)]);
    }
  });
});

describe('a program that is damaged', () => {
  it.each([
    ['of a version that is not known', version4(9, PROGRAM), 'is of version 9: 2 to 5 are read'],
    ['that ends in a sequence', version4(4, PROGRAM.slice(0, -3)), 'has a sequence without end'],
    ['that ends in an operand', version4(4, [2, 0x80]), 'is cut off or damaged'],
    ['with a count past all bounds', version4(4, [2, ...Array(40).fill(0xff), 0]), 'has a count that is too large'],
    ['with a number without end', version4(4, [3, ...Array(40).fill(0x80), 0]), 'has a number without end'],
  ])('%s says so, and others are read', (_, bytes, why) => {
    const debug = info(bytes, version4(4, PROGRAM));
    expect(at(debug, 0)?.line).toBe(11);
    expect(debug.problems()).toEqual([expect.stringContaining(`.debug_line ${why}`)]);
  });

  it('in its length says so, and those before it are read', () => {
    const debug = info(version4(4, PROGRAM), [...le(4, 1000), 1, 2]);
    expect(at(debug, 0)?.line).toBe(11);
    expect(debug.problems()).toEqual([
      expect.stringMatching(/^\.debug_line is cut off or damaged \(at byte 0x[0-9a-f]+\)$/),
    ]);
  });
});

describe('the committed images', () => {
  it('have for nearly every C function a line near which the source names it', () => {
    for (const { name } of RECIPES) {
      const debug = readDebugInfo(readFileSync(IMAGES_FOLDER + debugFile(name)))!;
      const functions = readSymbols(readFileSync(`${IMAGES_FOLDER}${name}.elf`)).filter(
        (symbol) => symbol.type === 'function' && debug.frameAt(symbol.address) !== undefined,
      );
      expect(functions.length, name).toBeGreaterThan(10);
      let named = 0;
      for (const symbol of functions) {
        const near = new Set<string>();
        for (let offset = 0n; offset < symbol.size; offset += 2n) {
          const { file, line } = debug.lineAt(symbol.address + offset)!;
          const source = readFileSync(SUBJECT_FOLDER + file, 'utf8').split('\n');
          for (const text of source.slice(Math.max(0, line - 5), line)) near.add(text);
        }
        if ([...near].join('\n').includes(`${symbol.name.replace(/\..*/, '')}(`)) named++;
      }
      // Of a few all code comes from functions that were inlined.
      expect(named / functions.length, name).toBeGreaterThan(0.9);
      expect(debug.problems()).toEqual([]);
    }
  });

  it('have no debug information without their debug files', () => {
    expect(readDebugInfo(readFileSync(`${IMAGES_FOLDER}lazarus.elf`))).toBeUndefined();
    expect(readDebugInfo(Uint8Array.of(1, 2, 3))).toBeUndefined();
  });
});
