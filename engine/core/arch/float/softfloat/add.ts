/** Addition and subtraction. IEEE 754-2019, section 5.4.1; signs of zeros: section 6.3. */
import {
  canonicalNan,
  infinity,
  invalid,
  isInfinite,
  isNan,
  isNegative,
  isSignalling,
  isZero,
  magnitude,
  NV,
  raiseFlags,
  RDN,
  roundingMode,
  signBit,
  unpack,
  unpackedExponent,
  unpackedSignificand,
} from './format';
import { roundPack } from './round';
import { shiftRightJam } from './wide';

/** a + b. Subtract by flipping b's sign, unless it is a NaN (whose sign does not matter). */
export function addFloat(a: u64, b: u64, format: u32): u64 {
  if (isNan(a, format) || isNan(b, format)) return propagate(a, b, format);
  const aNegative = isNegative(a, format);
  const bNegative = isNegative(b, format);
  if (isInfinite(a, format)) return isInfinite(b, format) && aNegative != bNegative ? invalid(format) : a;
  if (isInfinite(b, format)) return b;
  if (isZero(a, format)) return isZero(b, format) ? addZeros(a, b, format) : b;
  if (isZero(b, format)) return a;
  // The larger magnitude first: the difference then has its sign.
  if (magnitude(a, format) < magnitude(b, format)) return addOrdered(b, a, bNegative, aNegative != bNegative, format);
  return addOrdered(a, b, aNegative, aNegative != bNegative, format);
}

/** The result when an operand is a NaN: canonical, and NV when one signals. */
export function propagate(a: u64, b: u64, format: u32): u64 {
  if (isSignalling(a, format) || isSignalling(b, format)) raiseFlags(NV);
  return canonicalNan(format);
}

/** An exact sum of opposite numbers: +0, but -0 when rounding down. */
export function exactZero(format: u32): u64 {
  return roundingMode() == RDN ? signBit(format) : 0;
}

function addZeros(a: u64, b: u64, format: u32): u64 {
  return a == b ? a : exactZero(format);
}

function addOrdered(big: u64, small: u64, negative: bool, differ: bool, format: u32): u64 {
  unpack(big, format);
  let exponent = unpackedExponent;
  // One bit of headroom for the carry; at least ten bits below the last place keep guard, round and sticky bits.
  const a = unpackedSignificand >> 1;
  unpack(small, format);
  const b = shiftRightJam(unpackedSignificand >> 1, <u32>(exponent - unpackedExponent));
  const sum = differ ? a - b : a + b;
  if (sum == 0) return exactZero(format);
  const shift = clz(sum);
  exponent += 1 - <i32>shift;
  return roundPack(negative, exponent, sum << shift, format);
}

/** ∞ of a sign. */
export function signedInfinity(negative: bool, format: u32): u64 {
  return infinity(format) | (negative ? signBit(format) : 0);
}
