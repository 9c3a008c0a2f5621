/**
 * Rounding to a format: the last step of every operation with a floating-point result, and the flags OF, UF and NX.
 * Tininess is detected after rounding, as RISC-V requires. IEEE 754-2019, sections 4.3 and 7.
 * Relies on significands with their leading one in bit 63 and a jammed bit 0.
 */
import {
  fractionBits,
  infinity,
  maxExponent,
  NX,
  OF,
  raiseFlags,
  RDN,
  RMM,
  RNE,
  roundingMode,
  RUP,
  UF,
} from './format';
import { shiftRightJam } from './wide';

/** What rounding adds to a significand of which `dropped` bits go: 1 or 0 in units of the last place kept. */
// @ts-ignore: decorator
@inline
export function increment(significand: u64, dropped: u32, negative: bool): u64 {
  const half = <u64>1 << (dropped - 1);
  const rest = significand & ((half << 1) - 1);
  switch (roundingMode()) {
    case RNE:
      return u64(rest > half || (rest == half && (significand >> dropped) & 1));
    case RDN:
      return u64(negative && rest != 0);
    case RUP:
      return u64(!negative && rest != 0);
    case RMM:
      return u64(rest >= half);
    default:
      return 0;
  }
}

/** Bits of the number rounded to the format. */
export function roundPack(negative: bool, exponent: i32, significand: u64, format: u32): u64 {
  const width = fractionBits(format);
  const dropped: u32 = 63 - width;
  const sign = u64(negative) << (format == 1 ? 63 : 31);
  const top = maxExponent(format);
  const bottom = 1 - top;
  if (exponent < bottom) return sign | roundSubnormal(negative, exponent, significand, format);
  let kept = (significand >> dropped) + increment(significand, dropped, negative);
  if (kept >> (width + 1) != 0) {
    kept >>= 1;
    exponent++;
  }
  if (exponent > top) return sign | overflow(negative, format);
  if (significand & ((<u64>1 << dropped) - 1)) raiseFlags(NX);
  return sign | ((<u64>(exponent + top) << width) + (kept & ((<u64>1 << width) - 1)));
}

/** Magnitude of a number below the normal range; it may round up into it. */
function roundSubnormal(negative: bool, exponent: i32, significand: u64, format: u32): u64 {
  const width = fractionBits(format);
  const dropped: u32 = 63 - width;
  const bottom = 1 - maxExponent(format);
  // Not tiny when full precision and an unbounded exponent would carry it to the smallest normal number.
  const carries = ((significand >> dropped) + increment(significand, dropped, negative)) >> (width + 1) != 0;
  const tiny = exponent < bottom - 1 || !carries;
  const shifted = shiftRightJam(significand, <u32>(bottom - exponent));
  if (shifted & ((<u64>1 << dropped) - 1)) raiseFlags(tiny ? UF | NX : NX);
  // A carry into bit `width` is the exponent field's lowest bit: the smallest normal number.
  return (shifted >> dropped) + increment(shifted, dropped, negative);
}

/** Magnitude of a result beyond the largest number: ∞, or that number when rounding points back to it. */
function overflow(negative: bool, format: u32): u64 {
  raiseFlags(OF | NX);
  const mode = roundingMode();
  const away = mode == RNE || mode == RMM || (mode == RUP && !negative) || (mode == RDN && negative);
  return away ? infinity(format) : infinity(format) - 1;
}
