/** Fused multiply-add: one rounding of the exact a * b + c. IEEE 754-2019, section 5.4.1; Volume I, chapter "F". */
import { exactZero, signedInfinity } from './add';
import {
  canonicalNan,
  invalid,
  isInfinite,
  isNan,
  isNegative,
  isSignalling,
  isZero,
  NV,
  raiseFlags,
  signBit,
  unpack,
  unpackedExponent,
  unpackedSignificand,
} from './format';
import { roundPack } from './round';
import { low, multiplyWide, shiftRightJamWide } from './wide';

/** a * b + c. */
export function fusedMultiplyAdd(a: u64, b: u64, c: u64, format: u32): u64 {
  const negative = isNegative(a, format) != isNegative(b, format);
  const cNegative = isNegative(c, format);
  if (isNan(a, format) || isNan(b, format) || isNan(c, format)) return propagateThree(a, b, c, format);
  if (isInfinite(a, format) || isInfinite(b, format)) {
    if (isZero(a, format) || isZero(b, format)) return invalid(format);
    if (isInfinite(c, format) && cNegative != negative) return invalid(format);
    return signedInfinity(negative, format);
  }
  if (isInfinite(c, format)) return c;
  if (isZero(a, format) || isZero(b, format)) {
    if (!isZero(c, format)) return c;
    return negative == cNegative ? c : exactZero(format);
  }
  return fuseFinite(a, b, c, negative, cNegative, format);
}

/** With a NaN among the operands. ∞ times zero is invalid even when a quiet NaN is added. */
function propagateThree(a: u64, b: u64, c: u64, format: u32): u64 {
  const meaningless =
    (isInfinite(a, format) && isZero(b, format)) || (isZero(a, format) && isInfinite(b, format));
  if (meaningless || isSignalling(a, format) || isSignalling(b, format) || isSignalling(c, format)) raiseFlags(NV);
  return canonicalNan(format);
}

/**
 * The product has at most 106 bits and the addend 53; both are placed with their leading one in bit 126 of 128, so that
 * a sum has room and what an alignment loses lies far below the last place of the result.
 */
function fuseFinite(a: u64, b: u64, c: u64, negative: bool, cNegative: bool, format: u32): u64 {
  unpack(a, format);
  let exponent = unpackedExponent;
  const significand = unpackedSignificand;
  unpack(b, format);
  exponent += unpackedExponent;
  let high = multiplyWide(significand, unpackedSignificand);
  let rest = low;
  if (high >> 63 != 0) {
    rest = (rest >> 1) | (high << 63);
    high >>= 1;
    exponent++;
  }
  if (isZero(c, format)) return roundWide(negative, exponent, high, rest, format);
  unpack(c, format);
  let cExponent = unpackedExponent;
  let cHigh = unpackedSignificand >> 1;
  let cRest: u64 = unpackedSignificand << 63;
  if (exponent >= cExponent) {
    cHigh = shiftRightJamWide(cHigh, cRest, <u32>(exponent - cExponent));
    cRest = low;
  } else {
    high = shiftRightJamWide(high, rest, <u32>(cExponent - exponent));
    rest = low;
    exponent = cExponent;
  }
  if (negative == cNegative) {
    const sum = rest + cRest;
    return roundWide(negative, exponent, high + cHigh + u64(sum < rest), sum, format);
  }
  if (high == cHigh && rest == cRest) return exactZero(format);
  if (high < cHigh || (high == cHigh && rest < cRest)) {
    return roundWide(cNegative, exponent, cHigh - high - u64(cRest < rest), cRest - rest, format);
  }
  return roundWide(negative, exponent, high - cHigh - u64(rest < cRest), rest - cRest, format);
}

/** Rounds high:rest, not zero, whose bit 126 has the given exponent. */
function roundWide(negative: bool, exponent: i32, high: u64, rest: u64, format: u32): u64 {
  if (high == 0) {
    const shift = clz(rest);
    return roundPack(negative, exponent - 63 - <i32>shift, rest << shift, format);
  }
  const shift = clz(high);
  const top = shift == 0 ? high : (high << shift) | (rest >> (64 - shift));
  const lost = rest << shift;
  return roundPack(negative, exponent + 1 - <i32>shift, top | u64(lost != 0), format);
}

/** A number with its sign flipped; a NaN stays one. */
export function negated(bits: u64, format: u32): u64 {
  return bits ^ signBit(format);
}
