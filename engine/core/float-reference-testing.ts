/**
 * What every floating-point operation means, in exact rational arithmetic on BigInt: values are fractions, rounding
 * looks for the neighbours on the format's grid. Slow and obvious on purpose, and sharing nothing with soft-float,
 * which it judges. IEEE 754-2019; Volume I, chapters "F" and "D". Used by tests only.
 */

export type FormatName = 's' | 'd';
/** Bits of the result in its format (or an integer, sign-extended to 64 bits), and fflags. */
export interface Outcome {
  readonly bits: bigint;
  readonly flags: number;
}
const RNE = 0;
const RDN = 2;
const RUP = 3;
const RMM = 4;
const NX = 1;
const UF = 2;
const OF = 4;
const DZ = 8;
const NV = 16;

interface Format {
  readonly precision: bigint;
  readonly top: bigint;
  readonly width: bigint;
  readonly nan: bigint;
}
const FORMATS: Readonly<Record<FormatName, Format>> = {
  s: { precision: 24n, top: 127n, width: 32n, nan: 0x7fc00000n },
  d: { precision: 53n, top: 1023n, width: 64n, nan: 0x7ff80000_00000000n },
};

/** A fraction with a positive denominator. */
interface Fraction {
  readonly n: bigint;
  readonly d: bigint;
}
type Value =
  | { readonly kind: 'nan'; readonly signalling: boolean }
  | { readonly kind: 'infinite'; readonly negative: boolean }
  | { readonly kind: 'finite'; readonly negative: boolean; readonly value: Fraction };

/** What the bits mean. */
export function meaning(bits: bigint, name: FormatName): Value {
  const { precision, top, width } = FORMATS[name];
  const fractionBits = precision - 1n;
  const negative = bits >> (width - 1n) === 1n;
  const field = (bits >> fractionBits) & (2n * top + 1n);
  const fraction = bits & ((1n << fractionBits) - 1n);
  if (field === 2n * top + 1n) {
    if (fraction === 0n) return { kind: 'infinite', negative };
    return { kind: 'nan', signalling: fraction >> (fractionBits - 1n) === 0n };
  }
  const whole = field === 0n ? fraction : fraction + (1n << fractionBits);
  const exponent = (field === 0n ? 1n : field) - top - fractionBits;
  const size = exponent >= 0n ? { n: whole << exponent, d: 1n } : { n: whole, d: 1n << -exponent };
  return { kind: 'finite', negative, value: { n: negative ? -size.n : size.n, d: size.d } };
}

const powerOfTwo = (e: bigint): Fraction => (e >= 0n ? { n: 1n << e, d: 1n } : { n: 1n, d: 1n << -e });
const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d });
const plus = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });
const isBelow = (a: Fraction, b: Fraction) => a.n * b.d < b.n * a.d;

/** The integer that a fraction not below zero rounds to. */
function roundToInteger({ n, d }: Fraction, negative: boolean, mode: number): { whole: bigint; exact: boolean } {
  const floor = n / d;
  const rest = n - floor * d;
  if (rest === 0n) return { whole: floor, exact: true };
  const nearest = 2n * rest > d || (2n * rest === d && (mode === RMM || floor % 2n === 1n));
  const up = [nearest, false, negative, !negative, nearest][mode];
  return { whole: up ? floor + 1n : floor, exact: false };
}

/** floor(log2(v)) of a positive fraction. */
function exponentOf(v: Fraction): bigint {
  let e = BigInt(v.n.toString(2).length - v.d.toString(2).length);
  if (isBelow(v, powerOfTwo(e))) e--;
  return e;
}

/** Rounds a fraction other than zero to the format. */
function round(v: Fraction, name: FormatName, mode: number): Outcome {
  const { precision, top, width } = FORMATS[name];
  const negative = v.n < 0n;
  const sign = negative ? 1n << (width - 1n) : 0n;
  const size = { n: negative ? -v.n : v.n, d: v.d };
  const bottom = 1n - top;
  const e = exponentOf(size);
  const onGrid = (quantum: bigint) => roundToInteger(times(size, powerOfTwo(-quantum)), negative, mode);
  // Tiny after rounding: as if the exponent had no bound.
  const unbounded = times({ n: onGrid(e - precision + 1n).whole, d: 1n }, powerOfTwo(e - precision + 1n));
  const tiny = isBelow(unbounded, powerOfTwo(bottom));
  const quantum = (e < bottom ? bottom : e) - precision + 1n;
  const { whole, exact } = onGrid(quantum);
  const rounded = times({ n: whole, d: 1n }, powerOfTwo(quantum));
  if (!isBelow(rounded, powerOfTwo(top + 1n))) {
    const away = mode === RNE || mode === RMM || (mode === RUP && !negative) || (mode === RDN && negative);
    const infinity = (2n * top + 1n) << (precision - 1n);
    return { bits: sign | (away ? infinity : infinity - 1n), flags: OF | NX };
  }
  const flags = exact ? 0 : tiny ? UF | NX : NX;
  if (isBelow(rounded, powerOfTwo(bottom))) return { bits: sign | whole, flags };
  const final = exponentOf(rounded);
  const fraction = times(rounded, powerOfTwo(precision - 1n - final));
  const field = (final + top) << (precision - 1n);
  return { bits: sign | (field + fraction.n / fraction.d - (1n << (precision - 1n))), flags };
}

const signBit = (name: FormatName) => 1n << (FORMATS[name].width - 1n);
const zero = (negative: boolean, name: FormatName): Outcome => ({ bits: negative ? signBit(name) : 0n, flags: 0 });
const infinite = (negative: boolean, name: FormatName, flags = 0): Outcome => {
  const { precision, top } = FORMATS[name];
  return { bits: ((2n * top + 1n) << (precision - 1n)) | (negative ? signBit(name) : 0n), flags };
};
const nan = (name: FormatName, flags = 0): Outcome => ({ bits: FORMATS[name].nan, flags });
const isZero = (v: Value) => v.kind === 'finite' && v.value.n === 0n;
const signals = (...values: Value[]) => (values.some((v) => v.kind === 'nan' && v.signalling) ? NV : 0);
const isNegative = (v: Value) => v.kind !== 'nan' && v.negative;

/** a * b + c; `negate` bit 0 flips the product, bit 1 the addend. */
export function multiplyAdd(a: bigint, b: bigint, c: bigint, negate: number, name: FormatName, mode: number): Outcome {
  const flipped = (bits: bigint, flip: number) => (flip ? bits ^ signBit(name) : bits);
  const [x, y, z] = [meaning(flipped(a, negate & 1), name), meaning(b, name), meaning(flipped(c, negate & 2), name)];
  const meaningless = (x.kind === 'infinite' && isZero(y)) || (y.kind === 'infinite' && isZero(x));
  if (x.kind === 'nan' || y.kind === 'nan' || z.kind === 'nan' || meaningless) {
    return nan(name, meaningless ? NV : signals(x, y, z));
  }
  const negative = isNegative(x) !== isNegative(y);
  if (x.kind === 'infinite' || y.kind === 'infinite') {
    return z.kind === 'infinite' && z.negative !== negative ? nan(name, NV) : infinite(negative, name);
  }
  if (z.kind === 'infinite') return infinite(z.negative, name);
  const product = times(x.value, y.value);
  const sum = plus(product, z.value);
  if (sum.n !== 0n) return round(sum, name, mode);
  // Both zero with one sign keep it; any other zero sum is +0, or -0 rounding down.
  if (product.n === 0n && negative === z.negative) return zero(negative, name);
  return zero(mode === RDN, name);
}

export function addition(a: bigint, b: bigint, name: FormatName, mode: number): Outcome {
  const { precision, top } = FORMATS[name];
  const one = top << (precision - 1n);
  return multiplyAdd(a, one, b, 0, name, mode);
}

export function multiplication(a: bigint, b: bigint, name: FormatName, mode: number): Outcome {
  const [x, y] = [meaning(a, name), meaning(b, name)];
  // Adding a zero of the product's own sign changes no product.
  const negative = a >> (FORMATS[name].width - 1n) !== b >> (FORMATS[name].width - 1n);
  if (x.kind === 'nan' || y.kind === 'nan') return nan(name, signals(x, y));
  return multiplyAdd(a, b, negative ? signBit(name) : 0n, 0, name, mode);
}

export function division(a: bigint, b: bigint, name: FormatName, mode: number): Outcome {
  const [x, y] = [meaning(a, name), meaning(b, name)];
  if (x.kind === 'nan' || y.kind === 'nan') return nan(name, signals(x, y));
  const negative = x.negative !== y.negative;
  if (x.kind === 'infinite') return y.kind === 'infinite' ? nan(name, NV) : infinite(negative, name);
  if (y.kind === 'infinite') return zero(negative, name);
  if (isZero(y)) return isZero(x) ? nan(name, NV) : infinite(negative, name, DZ);
  if (isZero(x)) return zero(negative, name);
  const sign = y.value.n < 0n ? -1n : 1n;
  return round({ n: x.value.n * y.value.d * sign, d: x.value.d * y.value.n * sign }, name, mode);
}

/** No denominator is larger than 2^1074, so the radicand is an integer; half as many bits of its root are plenty. */
const ROOT_SHIFT = 2400n;

export function squareRoot(a: bigint, name: FormatName, mode: number): Outcome {
  const x = meaning(a, name);
  if (x.kind === 'nan') return nan(name, signals(x));
  if (isZero(x)) return { bits: a, flags: 0 };
  if (x.negative) return nan(name, NV);
  if (x.kind === 'infinite') return infinite(false, name);
  const scaled = (x.value.n << ROOT_SHIFT) / x.value.d;
  const root = integerRoot(scaled);
  // What is left of the radicand decides like the rest of the root's digits.
  const rest = root * root === scaled ? 0n : 1n;
  return round({ n: 2n * root + rest, d: 1n << (ROOT_SHIFT / 2n + 1n) }, name, mode);
}

/** floor(√n), by Newton's method from above. */
function integerRoot(n: bigint): bigint {
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

/** relation: 0 a <= b, 1 a < b, 2 a = b. */
export function comparison(a: bigint, b: bigint, relation: number, name: FormatName): Outcome {
  const [x, y] = [meaning(a, name), meaning(b, name)];
  if (x.kind === 'nan' || y.kind === 'nan') return { bits: 0n, flags: relation === 2 ? signals(x, y) : NV };
  const order = compareValues(x, y);
  return { bits: BigInt([order <= 0, order < 0, order === 0][relation] ?? false), flags: 0 };
}

type Number = Exclude<Value, { kind: 'nan' }>;
/** Below, at or above zero as a lies to b; zeros are equal. */
function compareValues(a: Number, b: Number): number {
  const rank = (v: Number) => (v.kind === 'infinite' ? (v.negative ? -1 : 1) : 0);
  if (a.kind === 'finite' && b.kind === 'finite')
    return isBelow(a.value, b.value) ? -1 : isBelow(b.value, a.value) ? 1 : 0;
  return rank(a) - rank(b);
}

export function pick(a: bigint, b: bigint, maximum: boolean, name: FormatName): Outcome {
  const [x, y] = [meaning(a, name), meaning(b, name)];
  const flags = signals(x, y);
  if (x.kind === 'nan') return y.kind === 'nan' ? nan(name, flags) : { bits: b, flags };
  if (y.kind === 'nan') return { bits: a, flags };
  const order = compareValues(x, y) || (x.negative === y.negative ? 0 : x.negative ? -1 : 1);
  return { bits: order <= 0 !== maximum ? a : b, flags };
}

/** The bit of FCLASS's result. */
export function classification(a: bigint, name: FormatName): bigint {
  const x = meaning(a, name);
  if (x.kind === 'nan') return x.signalling ? 0x100n : 0x200n;
  if (x.kind === 'infinite') return x.negative ? 1n : 0x80n;
  if (isZero(x)) return x.negative ? 8n : 0x10n;
  const size = { n: x.negative ? -x.value.n : x.value.n, d: x.value.d };
  const subnormal = isBelow(size, powerOfTwo(1n - FORMATS[name].top));
  return x.negative ? (subnormal ? 4n : 2n) : subnormal ? 0x20n : 0x40n;
}

export function conversion(a: bigint, from: FormatName, to: FormatName, mode: number): Outcome {
  const x = meaning(a, from);
  if (x.kind === 'nan') return nan(to, signals(x));
  if (x.kind === 'infinite') return infinite(x.negative, to);
  return isZero(x) ? zero(x.negative, to) : round(x.value, to, mode);
}

const INTEGER_BITS = [32, 32, 64, 64] as const;
/** `type`: 0 int32, 1 uint32, 2 int64, 3 uint64. */
export function fromInteger(a: bigint, type: number, name: FormatName, mode: number): Outcome {
  const bits = INTEGER_BITS[type] ?? 64;
  const n = type & 1 ? BigInt.asUintN(bits, a) : BigInt.asIntN(bits, a);
  return n === 0n ? zero(false, name) : round({ n, d: 1n }, name, mode);
}

export function toInteger(a: bigint, type: number, name: FormatName, mode: number): Outcome {
  const x = meaning(a, name);
  const bits = INTEGER_BITS[type] ?? 64;
  const [low, high] =
    type & 1 ? [0n, (1n << BigInt(bits)) - 1n] : [-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n];
  const register = (n: bigint) => BigInt.asUintN(64, BigInt.asIntN(bits, n));
  if (x.kind === 'nan') return { bits: register(high), flags: NV };
  if (x.kind === 'infinite') return { bits: register(x.negative ? low : high), flags: NV };
  const size = { n: x.negative ? -x.value.n : x.value.n, d: x.value.d };
  const { whole, exact } = roundToInteger(size, x.negative, mode);
  const n = x.negative ? -whole : whole;
  if (n < low || n > high) return { bits: register(n < low ? low : high), flags: NV };
  return { bits: register(n), flags: exact ? 0 : NX };
}
