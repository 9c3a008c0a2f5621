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

  test('an open block is refused', () => {
    expect(() => compile({ parameters: [] }, (code) => code.begin('block'))).toThrow('1 blocks left open');
  });
});
