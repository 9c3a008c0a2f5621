/** Multiplication, division and square root. IEEE 754-2019, section 5.4.1. */
import { propagate, signedInfinity } from './add';
import {
  DZ,
  invalid,
  isInfinite,
  isNan,
  isNegative,
  isZero,
  raiseFlags,
  signBit,
  unpack,
  unpackedExponent,
  unpackedSignificand,
} from './format';
import { roundPack } from './round';
import { divideWide, low, multiplyWide } from './wide';

/** a * b. */
export function multiplyFloat(a: u64, b: u64, format: u32): u64 {
  if (isNan(a, format) || isNan(b, format)) return propagate(a, b, format);
  const negative = isNegative(a, format) != isNegative(b, format);
  if (isInfinite(a, format) || isInfinite(b, format)) {
    return isZero(a, format) || isZero(b, format) ? invalid(format) : signedInfinity(negative, format);
  }
  if (isZero(a, format) || isZero(b, format)) return negative ? signBit(format) : 0;
  unpack(a, format);
  let exponent = unpackedExponent;
  const significand = unpackedSignificand;
  unpack(b, format);
  exponent += unpackedExponent;
  const high = multiplyWide(significand, unpackedSignificand);
  const jam = u64(low != 0);
  if (high >> 63 != 0) return roundPack(negative, exponent + 1, high | jam, format);
  // Both significands end in zeros, so the bit that moves up from the low half is zero.
  return roundPack(negative, exponent, (high << 1) | jam, format);
}

/** a / b. */
export function divideFloat(a: u64, b: u64, format: u32): u64 {
  if (isNan(a, format) || isNan(b, format)) return propagate(a, b, format);
  const negative = isNegative(a, format) != isNegative(b, format);
  if (isInfinite(a, format)) return isInfinite(b, format) ? invalid(format) : signedInfinity(negative, format);
  if (isInfinite(b, format)) return negative ? signBit(format) : 0;
  if (isZero(b, format)) {
    if (isZero(a, format)) return invalid(format);
    raiseFlags(DZ);
    return signedInfinity(negative, format);
  }
  if (isZero(a, format)) return negative ? signBit(format) : 0;
  unpack(a, format);
  const exponent = unpackedExponent;
  const significand = unpackedSignificand;
  unpack(b, format);
  // Halved, the dividend lies below the divisor: the quotient has 63 or 64 bits.
  const quotient = divideWide(significand >> 1, unpackedSignificand);
  const shift = clz(quotient);
  return roundPack(negative, exponent - unpackedExponent - <i32>shift, quotient << shift, format);
}

/** Bits of the root that are computed: those of a double, a rounding bit, and some to spare. */
const ROOT_BITS: u32 = 57;

/** √a, digit by digit as on paper: two bits of the radicand for each bit of the root. */
export function squareRootFloat(a: u64, format: u32): u64 {
  if (isNan(a, format)) return propagate(a, a, format);
  if (isZero(a, format)) return a;
  if (isNegative(a, format)) return invalid(format);
  if (isInfinite(a, format)) return a;
  unpack(a, format);
  // An even exponent, so that it can be halved; the radicand then lies in [1, 4).
  let radicand = unpackedExponent & 1 ? unpackedSignificand : unpackedSignificand >> 1;
  let root: u64 = 0;
  let rest: u64 = 0;
  for (let i: u32 = 0; i < ROOT_BITS; i++) {
    rest = (rest << 2) | (radicand >> 62);
    radicand <<= 2;
    const trial = (root << 2) | 1;
    root <<= 1;
    if (rest >= trial) {
      rest -= trial;
      root |= 1;
    }
  }
  return roundPack(false, unpackedExponent >> 1, (root << (64 - ROOT_BITS)) | u64(rest != 0), format);
}
