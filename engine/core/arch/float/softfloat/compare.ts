/** Comparisons, minimum, maximum and class. IEEE 754-2019, sections 5.11 and 9.6; Volume I, chapter "F". */
import {
  canonicalNan,
  fractionBits,
  infinity,
  isNan,
  isNegative,
  isSignalling,
  isZero,
  magnitude,
  NV,
  raiseFlags,
} from './format';

/** funct3 of the comparisons. */
export const LESS_OR_EQUAL: u32 = 0;
export const LESS: u32 = 1;
export const EQUAL: u32 = 2;

/** 1 when the relation holds, 0 when not. Equality is quiet: only signalling NaNs are invalid. */
export function compareFloats(a: u64, b: u64, relation: u32, format: u32): u64 {
  if (isNan(a, format) || isNan(b, format)) {
    if (relation != EQUAL || isSignalling(a, format) || isSignalling(b, format)) raiseFlags(NV);
    return 0;
  }
  const equal = a == b || (isZero(a, format) && isZero(b, format));
  if (relation == EQUAL) return u64(equal);
  if (equal) return u64(relation == LESS_OR_EQUAL);
  return u64(isBelow(a, b, format));
}

/** minimumNumber or maximumNumber: a NaN gives way to a number, -0 lies below +0. */
export function pickFloat(a: u64, b: u64, maximum: bool, format: u32): u64 {
  if (isSignalling(a, format) || isSignalling(b, format)) raiseFlags(NV);
  if (isNan(a, format)) return isNan(b, format) ? canonicalNan(format) : b;
  if (isNan(b, format)) return a;
  return isBelow(a, b, format) != maximum ? a : b;
}

/** The order of numbers, -0 before +0; no NaNs. */
function isBelow(a: u64, b: u64, format: u32): bool {
  const negative = isNegative(a, format);
  if (negative != isNegative(b, format)) return negative;
  const less = magnitude(a, format);
  const more = magnitude(b, format);
  return negative ? more < less : less < more;
}

/** FCLASS's one-hot mask. */
export function classOf(bits: u64, format: u32): u64 {
  if (isNan(bits, format)) return isSignalling(bits, format) ? 1 << 8 : 1 << 9;
  const size = magnitude(bits, format);
  // 0 infinite, 1 normal, 2 subnormal, 3 zero: negative ones count up from bit 0, positive ones down from bit 7.
  const kind: u32 = size == infinity(format) ? 0 : size >> fractionBits(format) != 0 ? 1 : size != 0 ? 2 : 3;
  return <u64>1 << (isNegative(bits, format) ? kind : 7 - kind);
}
