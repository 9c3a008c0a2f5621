/**
 * Binary formats and register bits: single (`SINGLE`) and double (`DOUBLE`) precision, NaN boxes, and the unpacked form
 * that the operations compute on. An unpacked number is sign, exponent and a significand whose leading one is bit 63:
 * value = significand / 2^63 * 2^exponent. IEEE 754-2019, section 3; Volume I, chapters "F" and "D".
 * Results that take more than one word are left in the globals named here: they mean nothing between two calls.
 */

export const SINGLE: u32 = 0;
export const DOUBLE: u32 = 1;

// Bits of fflags.
export const NX: u32 = 1;
export const UF: u32 = 2;
export const OF: u32 = 4;
export const DZ: u32 = 8;
export const NV: u32 = 16;

// Rounding modes as frm and rm encode them.
export const RNE: u32 = 0;
export const RTZ: u32 = 1;
export const RDN: u32 = 2;
export const RUP: u32 = 3;
export const RMM: u32 = 4;

/** Upper half of a register that holds a single. */
export const BOX: u64 = 0xffffffff00000000;
const SINGLE_NAN: u64 = 0x7fc00000;
const DOUBLE_NAN: u64 = 0x7ff8000000000000;

/** Flags that the running operation raises, and the mode in which it rounds. */
let raised: u32 = 0;
let rounding: u32 = 0;

/** Starts an operation: no flags, and this rounding mode. */
export function begin(mode: u32): void {
  raised = 0;
  rounding = mode;
}
// @ts-ignore: decorator
@inline
export function raiseFlags(flags: u32): void {
  raised |= flags;
}
/** Flags of the operation so far. */
export function flags(): u32 {
  return raised;
}
// @ts-ignore: decorator
@inline
export function roundingMode(): u32 {
  return rounding;
}

/** Bits of the fraction field. */
// @ts-ignore: decorator
@inline
export function fractionBits(format: u32): u32 {
  return format == DOUBLE ? 52 : 23;
}
/** Largest exponent of a finite number; the smallest normal one is 1 - this. */
// @ts-ignore: decorator
@inline
export function maxExponent(format: u32): i32 {
  return format == DOUBLE ? 1023 : 127;
}
// @ts-ignore: decorator
@inline
export function signBit(format: u32): u64 {
  return <u64>1 << (format == DOUBLE ? 63 : 31);
}
/** Bits of +∞. */
// @ts-ignore: decorator
@inline
export function infinity(format: u32): u64 {
  return format == DOUBLE ? 0x7ff0000000000000 : 0x7f800000;
}
// @ts-ignore: decorator
@inline
export function canonicalNan(format: u32): u64 {
  return format == DOUBLE ? DOUBLE_NAN : SINGLE_NAN;
}
/** The NaN of an invalid operation. */
export function invalid(format: u32): u64 {
  raised |= NV;
  return canonicalNan(format);
}

/** Operand bits of a register: a single that is not properly boxed counts as the canonical NaN. */
// @ts-ignore: decorator
@inline
export function fromRegister(register: u64, format: u32): u64 {
  if (format == DOUBLE) return register;
  return register >= BOX ? register & 0xffffffff : SINGLE_NAN;
}
/** Register bits of a result. */
// @ts-ignore: decorator
@inline
export function toRegister(bits: u64, format: u32): u64 {
  return format == DOUBLE ? bits : bits | BOX;
}

// @ts-ignore: decorator
@inline
export function isNegative(bits: u64, format: u32): bool {
  return (bits & signBit(format)) != 0;
}
/** Bits without the sign: magnitudes compare like them. */
// @ts-ignore: decorator
@inline
export function magnitude(bits: u64, format: u32): u64 {
  return bits & (signBit(format) - 1);
}
// @ts-ignore: decorator
@inline
export function isNan(bits: u64, format: u32): bool {
  return magnitude(bits, format) > infinity(format);
}
// @ts-ignore: decorator
@inline
export function isInfinite(bits: u64, format: u32): bool {
  return magnitude(bits, format) == infinity(format);
}
// @ts-ignore: decorator
@inline
export function isZero(bits: u64, format: u32): bool {
  return magnitude(bits, format) == 0;
}
export function isSignalling(bits: u64, format: u32): bool {
  return isNan(bits, format) && !(bits & (<u64>1 << (fractionBits(format) - 1)));
}

/** Exponent and significand of the last `unpack`. */
export let unpackedExponent: i32 = 0;
export let unpackedSignificand: u64 = 0;

/** Unpacks a finite number other than zero. */
export function unpack(bits: u64, format: u32): void {
  const width = fractionBits(format);
  const field = <i32>(magnitude(bits, format) >> width);
  const fraction = bits & ((<u64>1 << width) - 1);
  if (field != 0) {
    unpackedExponent = field - maxExponent(format);
    unpackedSignificand = (<u64>1 << 63) | (fraction << (63 - width));
    return;
  }
  const shift = clz(fraction);
  unpackedSignificand = fraction << shift;
  // A subnormal's leading bit would have the exponent 1 - bias if it stood just above the fraction.
  unpackedExponent = 1 - maxExponent(format) - (<i32>shift - (63 - <i32>width));
}
