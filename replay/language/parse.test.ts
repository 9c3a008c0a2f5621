import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../engine/index.ts';
import { anyText, expressions } from './language.fixtures.ts';
import { MAX_EXPRESSION, parseExpression } from './parse.ts';
import { printExpression } from './print.ts';

/** A tree without the places of its nodes. */
const shape = (tree: unknown): unknown =>
  JSON.parse(
    JSON.stringify(tree, (key, value) => (key === 'at' ? undefined : typeof value === 'bigint' ? `${value}` : value)),
  );

/** Printed with parentheses everywhere, as it was grouped. */
const reprinted = (text: string) => printExpression(parseExpression(text));

/** The lines of the mistake that a text is. */
function mistakeIn(text: string): string[] {
  try {
    parseExpression(text);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message.split('\n');
  }
  throw new Error(`'${text}' was taken`);
}

describe('the grammar', () => {
  it('reads back what it prints', () => {
    fc.assert(
      fc.property(expressions, (tree) => {
        const text = printExpression(tree);
        fc.pre(text.length <= MAX_EXPRESSION);
        expect(shape(parseExpression(text))).toEqual(shape(tree));
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['hart0.a0 + 1 == 0x2000 && ticks > 5', 'hart0.x10 + 1 == 0x2000 && ticks > 5'],
    ['(moment & 7) == 0', 'moment & 7 == 0'],
    ['moment & (7 == 0)', 'moment & (7 == 0)'],
    ['1 - (2 - 3) - 4', '1 - (2 - 3) - 4'],
    ['(1 + 2) * 3 << 4', '(1 + 2) * 3 << 4'],
    ['[spa:0x8021_5020]:8 != 0', '[spa:0x80215020]:8 != 0'],
    ['[heap_lock]', '[heap_lock]:8'],
    ['va:hart1.sp@hart1', 'va:hart1.x2@hart1'],
    ['vm2:(hart0.a1 & ~0xfff)', 'vm2:(hart0.x11 & ~4095)'],
    ['vm1:main+0x10', 'vm1:main + 16'],
    ['hart0.pc in lazarus:heap_alloc', 'hart0.pc in lazarus:heap_alloc'],
    ['hart0.pc in 0x80200000..0x80200000+64', 'hart0.pc in 0x80200000..0x80200000 + 64'],
    ['HS == hart1.mode || !(vm1.hart == none)', 'HS == hart1.mode || !(vm1.hart == none)'],
  ])('%s', (text, printed) => expect(reprinted(text)).toBe(printed));

  it('takes a name beside a mode or a state for one, and for a symbol anywhere else', () => {
    expect(parseExpression('vm2.state == running')).toMatchObject({ right: { kind: 'constant', name: 'running' } });
    expect(parseExpression('vm2.pc == running')).toMatchObject({ right: { kind: 'symbol', name: 'running' } });
  });

  it('knows where each node stands', () => {
    const tree = parseExpression(' hart0.a0 == [spa:0x10]:4 ');
    expect(tree).toMatchObject({ at: { start: 1, end: 25 }, right: { at: { start: 13, end: 25 } } });
  });
});

describe('a mistake', () => {
  it('is marked where it is', () => {
    expect(mistakeIn('vm2.state == running &&')).toEqual([
      'expected a number or a place, got the end',
      '  vm2.state == running &&',
      '                         ^',
    ]);
    expect(mistakeIn('hart0.mod == HS')).toEqual([
      "a hart has no register 'mod' (did you mean mode?)",
      '  hart0.mod == HS',
      '  ^~~~~~~~~',
    ]);
  });

  it.each([
    ['', 'expected a number or a place, got the end'],
    ['1 2', "expected an operator or the end, got '2'"],
    ['(1', "expected ')' behind what is in parentheses, got the end"],
    ['[1', "expected ']' behind the address, got the end"],
    ['[1]:3', 'expected a size of 1, 2, 4 or 8 bytes'],
    ['0xzz', "'0xzz' is no number: expected one such as 4096, 0x1000 or 0x8020_1000"],
    ['0x10000000000000000', 'this number has more than 64 bits'],
    ['moment = 5', "'=' means nothing here: '==' compares"],
    ['1 < 2 < 3', "comparisons do not chain: join two with '&&'"],
    ['hart1.mode == S', "there is no mode 'S' (did you mean one of HS, VS?): expected one of M, HS, U, VS, VU"],
    ['hart1.mode + 1', "'hart1.mode' is a name: compare it with == or !=, as with HS"],
    ['hart1.mode == 3', "'hart1.mode' is a name"],
    ['vm1.stat', "there is no field of a VM 'stat' (did you mean state?): expected one of state, hart, pc, hgatp"],
    ['hart8.pc', 'there is no such hart: a machine has harts 0 to 7'],
    ['vm99999.state', 'a VMID is at most 16383'],
    ['hart0', "'hart0' has no value of its own: say what of it, as hart0.pc"],
    ['spb:0x80000000', "expected a symbol behind 'spb:' (did you mean spa?); addresses follow spa:, va: and vmN:"],
    ['va:0@vm1', "expected a hart behind '@', as va:0x80000000@hart1"],
    ['hart0.pc in 5', "expected a symbol or LOW..HIGH behind 'in'"],
    [`1 ${'+ 1'.repeat(MAX_EXPRESSION)}`, 'an expression has at most 1000 characters, this one has 3002'],
    ['('.repeat(400), 'more than 50 levels inside each other'],
    ['~'.repeat(400), 'more than 50 levels inside each other'],
    ['1 \u202e', "'\\u202e' means nothing here"],
  ])('%.40s: %s', (text, problem) => expect(mistakeIn(text)[0]).toBe(problem));

  it('is all that any text can be', () => {
    const pieces = fc.constantFrom(
      ...[
        'hart0',
        'vm1',
        '.',
        ':',
        '[',
        ']',
        '(',
        ')',
        '..',
        '==',
        '&&',
        '&',
        'in',
        'va',
        'spa',
        '@',
        '-',
        '~',
        '\u001b',
      ],
      ...['0x', '12', 'mode', 'state', 'pc', 'HS', 'running', 'heap_lock', ' '],
    );
    const hostile = fc.oneof(
      anyText,
      fc.array(pieces, { maxLength: 40 }).map((its) => its.join('')),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        try {
          expect(shape(parseExpression(reprinted(text)))).toEqual(shape(parseExpression(text)));
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          expect((error as Error).message).not.toMatch(/[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|(?!\n)\p{Cc}/u);
        }
      }),
      { numRuns: 500 },
    );
  });
});
