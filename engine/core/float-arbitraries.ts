/** Operands for floating-point tests: they lean towards the values where rounding and flags change. */
import fc from 'fast-check';
import type { FormatName } from './float-reference-testing.ts';

/** Upper half of a register that holds a single. */
export const BOX = 0xffffffff_00000000n;
/** Register bits of a number; undefined: of an integer. */
export const boxed = (bits: bigint, f: FormatName | undefined): bigint => (f === 's' ? bits | BOX : bits);

/** Numbers of a format: random ones, special ones, and ones close to them or to powers of two. */
export function numbers(name: FormatName): fc.Arbitrary<bigint> {
  const [fraction, exponent, width] = name === 's' ? [23n, 8n, 32n] : [52n, 11n, 64n];
  const mask = (1n << width) - 1n;
  const top = (1n << exponent) - 1n;
  const special = [0n, 1n, (1n << fraction) - 1n, 1n << fraction, (1n << fraction) + 1n, top << fraction]
    .concat([(top << fraction) - 1n, (top << fraction) + 1n, (top << fraction) | (1n << (fraction - 1n)), mask >> 1n])
    .flatMap((bits) => [bits, bits | (1n << (width - 1n))]);
  const field = fc.oneof(
    fc.bigInt(0n, top),
    // Around 1, where sums cancel, integers end, and products meet.
    fc.integer({ min: -70, max: 70 }).map((e) => (top >> 1n) + BigInt(e)),
    fc.constantFrom(0n, 1n, 2n, top - 2n, top - 1n),
  );
  const tail = fc.oneof(
    fc.bigInt(0n, (1n << fraction) - 1n),
    fc.integer({ min: -3, max: 3 }).map((n) => BigInt.asUintN(Number(fraction), BigInt(n))),
    fc.nat(Number(fraction) - 1).map((n) => 1n << BigInt(n)),
    fc.nat(Number(fraction) - 1).map((n) => ((1n << BigInt(n)) - 1n) << (fraction - BigInt(n))),
  );
  const built = fc
    .tuple(fc.bigInt(0n, 1n), field, tail)
    .map(([s, e, f]) => ((s << (width - 1n)) | ((e & top) << fraction) | f) & mask);
  return fc.oneof({ weight: 1, arbitrary: fc.constantFrom(...special) }, { weight: 6, arbitrary: built });
}

/** Integers around powers of two, and of all sizes. */
export const integers: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc
    .tuple(fc.nat(63), fc.integer({ min: -2, max: 2 }))
    .map(([n, d]) => BigInt.asUintN(64, (1n << BigInt(n)) + BigInt(d))),
  fc.tuple(fc.nat(63), fc.bigInt(0n, 2n ** 64n - 1n)).map(([n, bits]) => bits >> BigInt(n)),
);
