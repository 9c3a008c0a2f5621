/** The encoder, run by V8: constants, structure and imports arrive as they were written. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeModule, FunctionBody, type FunctionType } from './encoder.ts';

const memory = new WebAssembly.Memory({ initial: 1 });

/** Compiles one body and gives its function. */
function compile<F>(type: FunctionType, emit: (code: FunctionBody) => void, imports: WebAssembly.Imports = {}): F {
  const code = new FunctionBody(type);
  emit(code);
  const imported = Object.keys(imports.m ?? {}).map((name) => ({
    module: 'm',
    name,
    type: { parameters: ['i64'], result: 'i64' } as const,
  }));
  const module = new WebAssembly.Module(encodeModule(imported, [{ name: 'f', body: code }]));
  return new WebAssembly.Instance(module, { env: { memory }, ...imports }).exports.f as F;
}

describe('function bodies', () => {
  test('constants of any size', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        fc.nat(63),
        (wide, narrow, shift) => {
          const shifted = wide >> BigInt(shift);
          expect(compile<() => bigint>({ parameters: [], result: 'i64' }, (c) => c.i64(shifted))()).toBe(shifted);
          expect(compile<() => number>({ parameters: [], result: 'i32' }, (c) => c.i32(narrow))()).toBe(narrow);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('branches reach their labels from any depth; a table picks or falls back', () => {
    const pick = compile<(n: number) => number>({ parameters: ['i32'], result: 'i32' }, (code) => {
      const fallback = code.begin('block');
      const two = code.begin('block');
      const one = code.begin('block');
      const zero = code.begin('block');
      code.get(0).brTable([zero, one, two], fallback);
      for (const value of [10, 11, 12]) code.end().i32(value).op('return');
      code.end().i32(99);
    });
    expect([0, 1, 2, 3, -1].map(pick)).toEqual([10, 11, 12, 99, 99]);
  });

  test('loops, locals and memory', () => {
    const sum = compile<(n: number) => bigint>({ parameters: ['i32'], result: 'i64' }, (code) => {
      const total = code.local('i64');
      const done = code.begin('block');
      const again = code.begin('loop');
      code.get(0).op('i32.eqz').brIf(done);
      code.get(total).get(0).op('i64.extend_i32_u', 'i64.add').set(total);
      code.get(0).i32(1).op('i32.sub').set(0).br(again);
      code.end().end();
      code.i32(64).get(total).memory('i64.store', 0x4000).i32(64).memory('i64.load', 0x4000);
    });
    expect(sum(1000)).toBe(500500n);
    expect(new DataView(memory.buffer).getBigUint64(0x4040, true)).toBe(500500n);
  });

  test('imported functions come first in the index space', () => {
    const imports = { m: { a: (x: bigint) => x + 1n, b: (x: bigint) => x * 10n } };
    const both = compile<(x: bigint) => bigint>(
      { parameters: ['i64'], result: 'i64' },
      (code) => code.get(0).call(0).call(1),
      imports,
    );
    expect(both(4n)).toBe(50n);
  });

  test('locals by the hundred, of both types in turns and in runs', () => {
    for (const [runLength, count] of [
      [1, 130],
      [100, 400],
      [200, 600],
      [20_000, 40_000],
    ] as const) {
      const sum = compile<(x: bigint) => bigint>({ parameters: ['i64'], result: 'i64' }, (code) => {
        const types = Array.from({ length: count }, (_, n) => (Math.floor(n / runLength) % 2 === 0 ? 'i64' : 'i32'));
        const locals = types.map((type) => ({ type, index: code.local(type) }));
        expect(locals.map(({ index }) => index)).toEqual(locals.map((_, n) => n + 1));
        // Validation fails where a local has the other type.
        const wide = locals.filter(({ type }) => type === 'i64').slice(-150);
        const narrow = locals.filter(({ type }) => type === 'i32').slice(-150);
        for (const { index } of wide) code.get(0).set(index);
        for (const { index } of narrow) code.i32(1).set(index);
        code.i64(0n);
        for (const { index } of wide) code.get(index).op('i64.add');
        for (const { index } of narrow) code.get(index).op('i64.extend_i32_u', 'i64.add');
      });
      expect(sum(1000n)).toBe(1001n * BigInt(Math.min(150, count / 2)));
    }
  });

  test('a function may be longer, and reach more imports, than fits in a byte', () => {
    const imports = {
      m: Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`f${n}`, (x: bigint) => x + BigInt(n)])),
    };
    const last = compile<(x: bigint) => bigint>(
      { parameters: ['i64'], result: 'i64' },
      (code) => {
        code.get(0);
        for (let n = 0; n < 100_000; n++) code.i64(1n).op('i64.add');
        code.call(299);
      },
      imports,
    );
    expect(last(5n)).toBe(100_304n);
  });

  test('an open block is refused', () => {
    expect(() => compile({ parameters: [] }, (code) => code.begin('block'))).toThrow('1 blocks left open');
  });
});

describe('the imported table', () => {
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 300 });
  const step = { parameters: ['i32', 'i64'], result: 'i64' } as const;
  const other = { parameters: ['i64'], result: 'i64' } as const;
  /** A module of its own for each function: they meet in the table only. */
  const install = (slot: number, type: FunctionType, emit: (code: FunctionBody) => void) => {
    const code = new FunctionBody(type);
    emit(code);
    const module = new WebAssembly.Module(encodeModule([], [{ name: 'f', body: code }], { hasTable: true }));
    const { f } = new WebAssembly.Instance(module, { env: { memory, table } }).exports;
    table.set(slot, f);
    return f as (...args: unknown[]) => unknown;
  };

  test('calls go to the function at the index, of the type that was named', () => {
    install(200, other, (code) => code.get(0).i64(3n).op('i64.mul'));
    const caller = install(0, step, (code) => code.get(1).get(0).callIndirect(other).i64(1n).op('i64.add'));
    expect(caller(200, 5n)).toBe(16n);
    expect(() => caller(0, 5n)).toThrow(WebAssembly.RuntimeError);
    expect(() => caller(299, 5n)).toThrow(WebAssembly.RuntimeError);
  });

  test('tail calls through it return what the last of them does and use no stack', () => {
    const countTo = (next: number) => (code: FunctionBody) => {
      const more = code.begin('block');
      code.get(0).brIf(more).get(1).op('return').end();
      code.get(0).i32(1).op('i32.sub').get(1).i64(2n).op('i64.add').i32(next).returnCallIndirect(step);
    };
    install(1, step, countTo(2));
    install(2, step, countTo(1));
    expect((table.get(1) as (n: number, sum: bigint) => bigint)(3_000_000, 7n)).toBe(6_000_007n);
  });

  test('tail calls to functions of the module, and calls of both kinds in one body', () => {
    const first = new FunctionBody(step);
    const second = new FunctionBody(step);
    const done = first.begin('block');
    first.get(0).op('i32.eqz').brIf(done);
    first.get(0).i32(1).op('i32.sub').get(1).i64(1n).op('i64.add').returnCall(1).end().get(1);
    second.get(0).get(1).i32(200).callIndirect(other).returnCall(0);
    install(200, other, (code) => code.get(0).i64(1n).op('i64.add'));
    const module = new WebAssembly.Module(
      encodeModule(
        [],
        [
          { name: 'first', body: first },
          { name: 'second', body: second },
        ],
        { hasTable: true },
      ),
    );
    const exports = new WebAssembly.Instance(module, { env: { memory, table } }).exports;
    expect((exports.first as (n: number, sum: bigint) => bigint)(1_000_000, 0n)).toBe(2_000_000n);
  });
});
