import { describe, expect, it } from 'vitest';
import { type FrameRules, readDebugInfo } from './index.ts';
import { le, makeElf, section, unit, zero } from './testing.ts';

const BASE = 0x80000000n;
const CIE_ID = [0xff, 0xff, 0xff, 0xff];
/** CFA is sp. */
const INITIAL = [0x0c, 2, 0];
/** Version 3: addresses by 1, offsets by -4, return address in ra. */
const cie = (rules: readonly number[] = INITIAL) => unit(...CIE_ID, 3, 0, 1, 0x7c, 1, ...rules);
const fde = (rules: readonly number[], low = BASE, bytes = 0x40, id = 0) =>
  unit(...le(4, id), ...le(8, low), ...le(8, bytes), ...rules);
/** sp -= 32 at 2; ra at CFA-8 at 4, s0 (x8) at CFA-16; CFA by s0 at 8; back at 0x20. */
const USUAL = [
  ...[0x42, 0x0e, 32],
  ...[0x42, 0x81, 2, 0x88, 4],
  ...[0x44, 0x0a, 0x0c, 8, 0],
  ...[0x02, 0x18, 0x0b, 0xc1, 0xc8, 0x0e, 0],
];
const frames = (...entries: number[][]) => readDebugInfo(makeElf([section('.debug_frame', entries.flat())]))!;
const registers = (rules: FrameRules | undefined) => [...(rules?.registers ?? [])];

describe('the rules of a frame', () => {
  it('are those in force before the instruction at the address', () => {
    const debug = frames(cie(), fde(USUAL));
    const at = (offset: number) => debug.frameAt(BASE + BigInt(offset));
    expect(at(0)).toEqual({
      low: BASE,
      high: BASE + 0x40n,
      cfa: { kind: 'register', register: 2, offset: 0 },
      returnRegister: 1,
      returnAddress: { kind: 'same' },
      registers: new Map(),
      isSignalFrame: false,
    });
    expect(at(2)).toMatchObject({ cfa: { offset: 32 }, returnAddress: { kind: 'same' } });
    expect(at(3)).toEqual(at(2));
    expect(at(4)?.returnAddress).toEqual({ kind: 'saved', offset: -8 });
    expect(registers(at(4))).toEqual([
      [1, { kind: 'saved', offset: -8 }],
      [8, { kind: 'saved', offset: -16 }],
    ]);
    expect(at(8)).toMatchObject({ cfa: { register: 8, offset: 0 }, returnAddress: { offset: -8 } });
    expect(at(0x1f)).toEqual(at(8));
    expect(at(0x20)).toEqual(at(0));
    expect([at(-1), at(0x40)]).toEqual([undefined, undefined]);
    expect(debug.problems()).toEqual([]);
  });

  it('of every kind', () => {
    const rules = [
      ...[0x07, 1, 0x08, 8, 0x09, 9, 10],
      ...[0x14, 18, 2, 0x15, 19, 0x7f, 0x11, 20, 0x7e, 0x05, 21, 3],
      ...[0x10, 22, 2, 0x72, 8, 0x16, 23, 1, 0x30],
      ...[0x2e, 5, 0x0f, 2, 0x72, 16],
    ];
    const at = frames(cie(), fde(rules)).frameAt(BASE);
    expect(at?.cfa).toEqual({ kind: 'expression', bytes: Uint8Array.of(0x72, 16) });
    expect(at?.returnAddress).toEqual({ kind: 'undefined' });
    expect(registers(at)).toEqual([
      [1, { kind: 'undefined' }],
      [8, { kind: 'same' }],
      [9, { kind: 'register', register: 10 }],
      [18, { kind: 'value', offset: -8 }],
      [19, { kind: 'value', offset: 4 }],
      [20, { kind: 'saved', offset: 8 }],
      [21, { kind: 'saved', offset: -12 }],
      [22, { kind: 'expression', isValue: false, bytes: Uint8Array.of(0x72, 8) }],
      [23, { kind: 'expression', isValue: true, bytes: Uint8Array.of(0x30) }],
    ]);
  });

  it('go back to those that all entries begin with', () => {
    const initial = [...INITIAL, 0x81, 1];
    const at = frames(cie(initial), fde([0x42, 0x07, 1, 0x42, 0xc1])).frameAt(BASE + 4n);
    expect(at?.returnAddress).toEqual({ kind: 'saved', offset: -4 });
  });

  it('come from the entry of their function, in whatever order entries are', () => {
    const second = cie([0x0c, 8, 16]);
    const debug = frames(
      cie(),
      fde([], BASE + 0x80n, 0x10),
      second,
      fde([], BASE, 0x10, cie().length + fde([]).length),
      fde([], 0n, 0x1000),
    );
    expect(debug.frameAt(BASE)?.cfa).toMatchObject({ register: 8, offset: 16 });
    expect(debug.frameAt(BASE + 0x8fn)?.cfa).toMatchObject({ register: 2, offset: 0 });
    expect(debug.frameAt(0n)).toBeUndefined();
  });

  it('of .eh_frame, whose addresses are relative to where they stand', () => {
    const address = BASE + 0x8000n;
    const common = unit(...le(4, 0), 1, ...zero('zRS'), 1, 0x7c, 1, 1, 0x1b, ...INITIAL);
    const place = address + BigInt(common.length + 8);
    const entry = unit(...le(4, common.length + 4), ...le(4, BASE - place), ...le(4, 0x40), 0, ...USUAL);
    const file = makeElf([section('.eh_frame', [...common, ...entry, ...le(4, 0)], { address, flags: 2n })]);
    const debug = readDebugInfo(file)!;
    expect(debug.frameAt(BASE + 8n)).toMatchObject({
      low: BASE,
      high: BASE + 0x40n,
      cfa: { register: 8 },
      returnAddress: { kind: 'saved', offset: -8 },
      isSignalFrame: true,
    });
    expect(debug.problems()).toEqual([]);
  });
});

describe('call-frame information that is damaged', () => {
  it.each([
    ['an instruction that is not known', [0x3f], 'has a call-frame instruction that is not known: 0x3f'],
    ['a state that was not remembered', [0x0b], 'restores a state that was not remembered'],
    ['states without end', Array(100).fill(0x0a), 'remembers too many states'],
    ['a register that no machine has', [0x07, 0xff, 0xff, 0x7f], 'has a rule for register 2097151'],
    ['an offset from an expression', [0x0f, 0, 0x0e, 8], 'changes a frame address that is not a register'],
    ['an operand that is cut off', [0x05], 'is cut off or damaged'],
  ])('%s: no rules, and the reason', (_, rules, why) => {
    const debug = frames(cie(), fde(rules as number[]), fde([], BASE + 0x100n));
    expect(debug.frameAt(BASE)).toBeUndefined();
    expect(debug.problems()).toEqual([expect.stringContaining(`.debug_frame ${why}`)]);
    expect(debug.frameAt(BASE + 0x100n)).toBeDefined();
  });

  it.each([
    ['no common entry', [fde([])], 'has an entry that refers to none that is common'],
    ['a common entry past the end', [cie(), fde([], BASE, 4, 9999)], 'begins past its end'],
    ['no frame address', [cie([]), fde([])], 'says nothing of the frame at 0x80000000'],
  ])('%s', (_, entries, why) => {
    const debug = frames(...entries);
    expect(debug.frameAt(BASE)).toBeUndefined();
    expect(debug.problems()).toEqual([expect.stringContaining(why)]);
  });
});
