/**
 * 128-bit integers for exact products and quotients, and shifts that remember what they lost: "jam" means that bit 0 of
 * the result is one when any bit shifted out was. The high half of a 128-bit result is returned, the rest is left in
 * the globals named here, which mean nothing between two calls.
 */

/** Low half of the last wide result. */
export let low: u64 = 0;

/** High half of the unsigned product; the low half in `low`. */
export function multiplyWide(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  const middle2 = aLow * bHigh + (middle & 0xffffffff);
  low = a * b;
  return aHigh * bHigh + (middle >> 32) + (middle2 >> 32);
}

/**
 * Quotient of high:0 and a divisor whose bit 63 is set, high below it; bit 0 is jammed with the remainder. School
 * division in base 2^32: an estimated digit is at most two too large (Knuth, The Art of Computer Programming, 4.3.1).
 */
export function divideWide(high: u64, divisor: u64): u64 {
  const upper = digit(high, divisor);
  const rest = (high << 32) - upper * divisor;
  const lower = digit(rest, divisor);
  const remainder = (rest << 32) - lower * divisor;
  return (upper << 32) | lower | u64(remainder != 0);
}

/** floor(rest * 2^32 / divisor), rest below the divisor. */
function digit(rest: u64, divisor: u64): u64 {
  const dHigh = divisor >> 32;
  const dLow = divisor & 0xffffffff;
  let q = rest / dHigh;
  let r = rest % dHigh;
  while (q >> 32 != 0 || q * dLow > r << 32) {
    q--;
    r += dHigh;
    if (r >> 32 != 0) break;
  }
  return q;
}

/** value >> count, jammed; any count. */
// @ts-ignore: decorator
@inline
export function shiftRightJam(value: u64, count: u32): u64 {
  if (count == 0) return value;
  if (count > 63) return u64(value != 0);
  return (value >> count) | u64(value << (64 - count) != 0);
}

/** high:lowHalf >> count, jammed; any count. The low half in `low`. */
export function shiftRightJamWide(high: u64, lowHalf: u64, count: u32): u64 {
  if (count == 0) {
    low = lowHalf;
    return high;
  }
  if (count < 64) {
    low = (high << (64 - count)) | (lowHalf >> count) | u64(lowHalf << (64 - count) != 0);
    return high >> count;
  }
  low = shiftRightJam(high, count - 64) | u64(lowHalf != 0);
  return 0;
}
