/**
 * Carry-less multiplication (Zbc): products of polynomials over GF(2). Pure functions of their operands, in time that
 * depends on the number of ones in `b` alone. @see Volume I, "Zbc: Carry-less multiplication"
 */

/** CLMUL: low half of the 127-bit product. */
export function clmul(hart: u32, a: u64, b: u64): u64 {
  let product: u64 = 0;
  for (let rest = b; rest != 0; rest &= rest - 1) product ^= a << ctz(rest);
  return product;
}

/** CLMULH: high half of the product. */
export function clmulh(hart: u32, a: u64, b: u64): u64 {
  let product: u64 = 0;
  // Bit 0 of b adds nothing here, and a shift by 64 would be one by 0.
  for (let rest = b & ~1; rest != 0; rest &= rest - 1) product ^= a >> (64 - ctz(rest));
  return product;
}
