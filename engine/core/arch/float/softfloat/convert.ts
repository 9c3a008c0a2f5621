/**
 * Conversions between formats, and between numbers and integers. IEEE 754-2019, sections 5.4.1 and 5.8; values out of
 * range as RISC-V defines them (Volume I, chapter "F": "Domains of float-to-integer conversions").
 */
import {
  canonicalNan,
  infinity,
  isInfinite,
  isNan,
  isNegative,
  isSignalling,
  isZero,
  NV,
  NX,
  raiseFlags,
  signBit,
  unpack,
  unpackedExponent,
  unpackedSignificand,
} from './format';
import { increment, roundPack } from './round';
import { shiftRightJam } from './wide';

/** Integer types as the rs2 field of FCVT encodes them: bit 0 unsigned, bit 1 64 bits wide. */
export const UNSIGNED: u32 = 1;
export const LONG: u32 = 2;

/** A number in another format. */
export function convertFormat(bits: u64, from: u32, to: u32): u64 {
  if (isNan(bits, from)) {
    if (isSignalling(bits, from)) raiseFlags(NV);
    return canonicalNan(to);
  }
  const negative = isNegative(bits, from);
  const sign: u64 = negative ? signBit(to) : 0;
  if (isInfinite(bits, from)) return sign | infinity(to);
  if (isZero(bits, from)) return sign;
  unpack(bits, from);
  return roundPack(negative, unpackedExponent, unpackedSignificand, to);
}

/** The integer in a register as a number. */
export function fromInteger(value: u64, type: u32, format: u32): u64 {
  if (!(type & LONG)) value = type & UNSIGNED ? value & 0xffffffff : <u64>(<i64>(<i32>value));
  if (value == 0) return 0;
  const negative = !(type & UNSIGNED) && <i64>value < 0;
  const size = negative ? 0 - value : value;
  const shift = clz(size);
  return roundPack(negative, 63 - <i32>shift, size << shift, format);
}

/** A number as an integer, sign-extended from the type's width; NV and the nearest bound when it does not fit. */
export function toInteger(bits: u64, type: u32, format: u32): u64 {
  const negative = isNegative(bits, format);
  if (isNan(bits, format)) return outOfRange(false, type);
  if (isInfinite(bits, format)) return outOfRange(negative, type);
  if (isZero(bits, format)) return 0;
  unpack(bits, format);
  if (unpackedExponent > 63) return outOfRange(negative, type);
  let size: u64;
  let inexact = false;
  if (unpackedExponent == 63) size = unpackedSignificand;
  else {
    // Two bits below the point decide the rounding: a half, and anything less.
    const fixed =
      unpackedExponent >= 61 ? unpackedSignificand : shiftRightJam(unpackedSignificand, <u32>(61 - unpackedExponent));
    const below: u32 = unpackedExponent >= 61 ? <u32>(63 - unpackedExponent) : 2;
    inexact = (fixed & ((<u64>1 << below) - 1)) != 0;
    size = (fixed >> below) + increment(fixed, below, negative);
  }
  if (!fits(size, negative, type)) return outOfRange(negative, type);
  if (inexact) raiseFlags(NX);
  const value = negative ? 0 - size : size;
  return type & LONG ? value : <u64>(<i64>(<i32>value));
}

function fits(size: u64, negative: bool, type: u32): bool {
  if (type & UNSIGNED) return negative ? size == 0 : type & LONG ? true : size >> 32 == 0;
  const bound = <u64>1 << (type & LONG ? 63 : 31);
  return negative ? size <= bound : size < bound;
}

function outOfRange(negative: bool, type: u32): u64 {
  raiseFlags(NV);
  if (type & UNSIGNED) return negative ? 0 : ~(<u64>0);
  const bound = <u64>1 << (type & LONG ? 63 : 31);
  return negative ? 0 - bound : bound - 1;
}
