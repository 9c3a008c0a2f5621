import { expect, it } from 'vitest';
import { type Language, mutationsOf } from './operators.ts';
import { parseAll } from './parse.ts';

/** What each mutation makes of a text, as `operator: what stands there`. */
function mutants(text: string, language: Language = 'typescript'): string[] {
  const [tree] = parseAll(new Map([['a.ts', text]])).values();
  return mutationsOf(tree!, language).map(
    ({ start, end, replacement, operator }) => `${operator}: ${text.slice(0, start)}${replacement}${text.slice(end)}`,
  );
}

it('comparisons, arithmetic, bits and integers are changed', () => {
  expect(mutants('x = a < 0x0f;')).toEqual([
    'statement dropped: {}',
    'comparison: x = a <= 0x0f;',
    'comparison: x = a >= 0x0f;',
    'off by one: x = a < 0x10;',
    'off by one: x = a < 0xe;',
  ]);
  expect(mutants('const x = (a + b) & ~c;')).toEqual([
    'arithmetic: const x = (a - b) & ~c;',
    'bits: const x = (a + b) | ~c;',
    'unary: const x = (a + b) & c;',
  ]);
  expect(mutants('const x = 0n;')).toEqual(['off by one: const x = 1n;']);
  expect(mutants('const x = a.some(Math.max);')).toEqual(['call exchanged: const x = a.every(Math.max);']);
  expect(mutants('const x = a.toString();')).toEqual([]);
  expect(mutants('x >>>= y;')).toEqual(['statement dropped: {}', 'assignment: x >>= y;']);
});

it('conditions are decided, negated and lose parts; a loop is not made endless', () => {
  expect(mutants('if (a && b < c) {}', 'assemblyscript')).toEqual([
    'part of a condition: if (true && b < c) {}',
    'condition decided: if (true) {}',
    'condition decided: if (false) {}',
    'condition negated: if (!(a && b < c)) {}',
    'logic: if (a || b < c) {}',
    'part of a condition: if (a && true) {}',
    'comparison: if (a && b <= c) {}',
    'comparison: if (a && b >= c) {}',
  ]);
  expect(mutants('while (!a) {}', 'assemblyscript')).toEqual([
    'condition decided: while (false) {}',
    'unary: while (a) {}',
  ]);
  expect(mutants('for (; a == b; ) {}').join()).not.toContain('true');
  // What follows stays reachable for the type checker.
  expect(mutants('if (a) throw e;')).toContain('condition decided: if ((true as boolean)) throw e;');
});

it('calls, assignments, early returns and throws are dropped; what ends a function is not', () => {
  expect(mutants('function f() { if (a) return 1n; g(); return 2n; }').filter((text) => text.startsWith('s'))).toEqual([
    'statement dropped: function f() { if (a) {} g(); return 2n; }',
    'statement dropped: function f() { if (a) return 1n; {} return 2n; }',
  ]);
  expect(mutants('await g();')).toEqual(['statement dropped: {}']);
  expect(mutants('i++;')).toEqual(['assignment: i--;', 'statement dropped: {}']);
});

it('types, imports, texts, assertions and what errors say stay', () => {
  expect(mutants("import { a } from 'b';\nexport type A = 1 | 2;\nconst x: 3 = y;")).toEqual([]);
  expect(mutants("const x = 'a' + b + 'c';")).toEqual([]);
  expect(mutants("invariant(a < 1, 'never');")).toEqual([]);
  expect(mutants('throw new Error(f(1 + 2));')).toEqual(['statement dropped: {}']);
});

it('AssemblyScript is read; integer types of casts and memory are changed there alone', () => {
  const text = '@inline\nfunction f(p: usize): u64 { return load<i8>(p) ^ <u64>g; }';
  expect(mutants(text, 'assemblyscript')).toEqual([
    `integer type: ${text.replace('<i8>', '<u8>')}`,
    `bits: ${text.replace('^', '|')}`,
    `integer type: ${text.replace('<u64>', '<u32>')}`,
  ]);
  expect(mutants(text)).toEqual([`bits: ${text.replace('^', '|')}`]);
});

it('a mutation knows the function around it, as V8 names it', () => {
  const text = `
    const a = 1;
    function f() { return [2].map(() => 3); }
    const g = () => 4;
    class C { x = 5; constructor() { g(6); } m() { return 7; } get p() { return 8; } #q() { return 9; } }`;
  const [tree] = parseAll(new Map([['a.ts', text]])).values();
  const within = mutationsOf(tree!, 'typescript')
    .filter(
      ({ operator, start, end, replacement }) =>
        operator === 'off by one' && Number(replacement) > Number(text.slice(start, end)),
    )
    .map((mutation) => mutation.within);
  expect(within).toEqual(['', 'f', 'f', 'g', '', 'C', 'm', 'get p', '#q']);
});

it('a text that does not parse is an error with its path', () => {
  expect(() => parseAll(new Map([['b.ts', 'if (']]))).toThrow(/^b\.ts: /);
});
