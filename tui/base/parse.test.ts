/** Flag values: what is accepted, what is refused and how. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as unit } from 'vitest';
import { FLAGS } from '../cli/flags.ts';
import { normaliseArgv } from '../cli/qemu/command-line.ts';
import { parseConsoleInput, parseFaultPlan, parseMoment, parsePoke, parseSeed, parseSize } from './parse.ts';

const MIB = 1024 * 1024;

describe('sizes follow QEMU', () => {
  unit.each([
    ['128M', 128 * MIB],
    ['1G', 1024 * MIB],
    ['512', 512 * MIB],
    ['65536K', 64 * MIB],
    ['2g', 2048 * MIB],
  ])('%s', (text, bytes) => expect(parseSize(text)).toBe(bytes));
  unit.each(['', '0', '-1', '1T', '1.5G', 'M', '12 M'])("'%s' is refused", (text) => {
    expect(() => parseSize(text)).toThrow(`got '${text}'`);
  });
});

describe('moments', () => {
  unit.each([
    ['1500000', 1_500_000],
    ['1.5M', 1_500_000],
    ['1.1M', 1_100_000],
    ['20k', 20_000],
    ['2G', 2e9],
    ['12,345,678', 12_345_678],
    ['1_000', 1000],
  ])('%s', (text, moment) => expect(parseMoment(text)).toBe(moment));
  unit.each(['', 'x', '-5', '1.5', '0.0001k', '99999999999999999', '1e6'])("'%s' is refused", (text) => {
    expect(() => parseMoment(text)).toThrow('number of instructions');
  });
  test.prop([fc.nat(1e9), fc.constantFrom('', 'k', 'M')])('a whole number with a unit is exact', (n, unitName) => {
    expect(parseMoment(`${n}${unitName}`)).toBe(n * { '': 1, k: 1e3, M: 1e6 }[unitName]!);
  });
  test.prop([fc.nat(1e6), fc.nat(999)])('three decimals of k are exact', (whole, part) => {
    expect(parseMoment(`${whole}.${String(part).padStart(3, '0')}k`)).toBe(whole * 1000 + part);
  });
});

describe('faults', () => {
  unit('model and trigger are parted; engine and replay read them', () => {
    expect(parseFaultPlan('register=x10,bit=5@8M+3')).toEqual({ model: 'register=x10,bit=5', when: '8M+3' });
    expect(parseFaultPlan('failstop@5ms+f+0x1c#2')).toEqual({ model: 'failstop', when: '5ms+f+0x1c#2' });
  });
  unit('the hart may stand on either side', () => {
    const expected = { model: 'failstop,hart=1', when: '100+2' };
    expect(parseFaultPlan('failstop,hart=1@100+2')).toEqual(expected);
    expect(parseFaultPlan('failstop@100+2,hart=1')).toEqual(expected);
  });
  unit.each(['failstop', '@5', 'failstop@', 'failstop@1@2'])("'%s' is refused", (text) => {
    expect(() => parseFaultPlan(text)).toThrow();
  });
});

describe('console input and pokes', () => {
  unit('escapes become bytes, the rest is UTF-8', () => {
    const { trigger, event } = parseConsoleInput('2M:a:b\\n\\x03\\\\é');
    expect(trigger).toEqual({ kind: 'moment', moment: 2e6 });
    expect(event).toEqual({ kind: 'console', bytes: Uint8Array.from([97, 58, 98, 10, 3, 92, 0xc3, 0xa9]) });
  });
  unit.each(['hello', ':x', '5:\\q', '5:\\'])("'%s' is refused", (text) => {
    expect(() => parseConsoleInput(text)).toThrow();
  });
  unit('a poke has an address and bytes', () => {
    const { event } = parsePoke('5:0x80200000:00Ff');
    expect(event).toEqual({ kind: 'poke', paddr: 0x8020_0000, bytes: Uint8Array.from([0, 255]) });
  });
  unit.each(['5:0x80200000', '5:zz:00', '5:0x80200000:0', '5:0x80200000:', '5:0:00:00'])("'%s' is refused", (text) => {
    expect(() => parsePoke(text)).toThrow('MOMENT:PADDR:HEXBYTES');
  });
});

unit('seeds are 64 bits', () => {
  expect(parseSeed('0xffffffffffffffff')).toBe(2n ** 64n - 1n);
  expect(() => parseSeed(String(2n ** 64n))).toThrow('64-bit');
  expect(() => parseSeed('-1')).toThrow('64-bit');
});

describe("QEMU's one-dash flags", () => {
  unit('become long ones; values and what follows -- stay', () => {
    expect(normaliseArgv(['record', '-smp', '4', '-m', '1G', '-kernel=hv.elf', '--m', '64'])).toEqual([
      ...['record', '--smp', '4', '-m', '1G', '--kernel=hv.elf', '--memory', '64'],
    ]);
    expect(normaliseArgv(['record', '-append', '-smp', '-smp', '2', '--', '-bios'])).toEqual([
      ...['record', '--append', '-smp', '--smp', '2', '--', '-bios'],
    ]);
  });
});

describe('the size of a printed frame', () => {
  unit.each(['20x5', '80x24', '400x200'])('%s is taken as it is', (text) => {
    const { columns, rows } = FLAGS.size.parse(text);
    expect(`${columns}x${rows}`).toBe(text);
  });

  unit.each(['19x24', '80x4', '401x24', '80x201', '80', 'x', '80x24x2', '-80x24'])(
    '%s is refused, not bent',
    (text) => {
      expect(() => FLAGS.size.parse(text)).toThrow(/from 20x5 to 400x200, got/);
    },
  );
});
