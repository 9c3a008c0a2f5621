/**
 * Floating-point instructions on the hart: legality, rounding mode, flags into fcsr, and dirty state around soft-float.
 * Parameters as HELPERS of the ISA table describes them. What writes no f register (comparisons, conversions to
 * integers) marks the state dirty when it raises a flag that was not set: fcsr is part of the state.
 */
import { HART_FCSR, HART_FLOAT_STATE, HART_RESYNC, RESYNC_PC } from '../layout.gen';
import { markFloatDirty } from '../state/float-state';
import { loadSlow } from '../access/memory';
import { addFloat } from './softfloat/add';
import { classOf, compareFloats, pickFloat } from './softfloat/compare';
import { convertFormat, fromInteger, toInteger } from './softfloat/convert';
import { negated, fusedMultiplyAdd } from './softfloat/fma';
import { begin, BOX, flags, fromRegister, RMM, RNE, toRegister } from './softfloat/format';
import { divideFloat, multiplyFloat, squareRootFloat } from './softfloat/multiply';
import { get, get32, set } from '../state/state';
import { raiseIllegal } from '../trap/trap';

const ON: u32 = 1;
const DIRTY: u32 = 2;
const DYN: u32 = 7;

export function floatAdd(hart: u32, a: u64, b: u64, format: u64, raw: u64): u64 {
  const f = <u32>format;
  if (!beginRounded(hart, raw)) return 0;
  return finish(hart, addFloat(fromRegister(a, f), fromRegister(b, f), f), f);
}

export function floatSubtract(hart: u32, a: u64, b: u64, format: u64, raw: u64): u64 {
  const f = <u32>format;
  if (!beginRounded(hart, raw)) return 0;
  return finish(hart, addFloat(fromRegister(a, f), negated(fromRegister(b, f), f), f), f);
}

export function floatMultiply(hart: u32, a: u64, b: u64, format: u64, raw: u64): u64 {
  const f = <u32>format;
  if (!beginRounded(hart, raw)) return 0;
  return finish(hart, multiplyFloat(fromRegister(a, f), fromRegister(b, f), f), f);
}

export function floatDivide(hart: u32, a: u64, b: u64, format: u64, raw: u64): u64 {
  const f = <u32>format;
  if (!beginRounded(hart, raw)) return 0;
  return finish(hart, divideFloat(fromRegister(a, f), fromRegister(b, f), f), f);
}

export function floatSquareRoot(hart: u32, a: u64, format: u64, raw: u64): u64 {
  const f = <u32>format;
  if (!beginRounded(hart, raw)) return 0;
  return finish(hart, squareRootFloat(fromRegister(a, f), f), f);
}

export function floatMultiplyAdd(hart: u32, a: u64, b: u64, c: u64, negate: u64, format: u64, raw: u64): u64 {
  const f = <u32>format;
  if (!beginRounded(hart, raw)) return 0;
  let factor = fromRegister(a, f);
  let addend = fromRegister(c, f);
  if (negate & 1) factor = negated(factor, f);
  if (negate & 2) addend = negated(addend, f);
  return finish(hart, fusedMultiplyAdd(factor, fromRegister(b, f), addend, f), f);
}

export function floatPick(hart: u32, a: u64, b: u64, maximum: u64, format: u64, raw: u64): u64 {
  const f = <u32>format;
  if (!beginExact(hart, raw)) return 0;
  return finish(hart, pickFloat(fromRegister(a, f), fromRegister(b, f), maximum != 0, f), f);
}

export function floatCompare(hart: u32, a: u64, b: u64, relation: u64, format: u64, raw: u64): u64 {
  const f = <u32>format;
  if (!beginExact(hart, raw)) return 0;
  const holds = compareFloats(fromRegister(a, f), fromRegister(b, f), <u32>relation, f);
  accrue(hart);
  return holds;
}

export function floatClass(hart: u32, a: u64, format: u64): u64 {
  const f = <u32>format;
  return classOf(fromRegister(a, f), f);
}

export function floatToInteger(hart: u32, a: u64, type: u64, format: u64, raw: u64): u64 {
  const f = <u32>format;
  if (!beginRounded(hart, raw)) return 0;
  const value = toInteger(fromRegister(a, f), <u32>type, f);
  accrue(hart);
  return value;
}

export function floatFromInteger(hart: u32, a: u64, type: u64, format: u64, raw: u64): u64 {
  const f = <u32>format;
  if (!beginRounded(hart, raw)) return 0;
  return finish(hart, fromInteger(a, <u32>type, f), f);
}

export function floatConvert(hart: u32, a: u64, from: u64, to: u64, raw: u64): u64 {
  if (!beginRounded(hart, raw)) return 0;
  return finish(hart, convertFormat(fromRegister(a, <u32>from), <u32>from, <u32>to), <u32>to);
}

/** A load whose f register becomes dirty only when it succeeds. */
export function floatLoad(hart: u32, address: u64, bytes: u64, raw: u64): u64 {
  if (!beginExact(hart, raw)) return 0;
  const value = loadSlow(hart, address, <u32>bytes);
  if (get32(hart, HART_RESYNC) & RESYNC_PC) return 0;
  markFloatDirty(hart);
  return bytes == 4 ? value | BOX : value;
}

export function floatWrite(hart: u32, value: u64, raw: u64): u64 {
  if (!beginExact(hart, raw)) return 0;
  markFloatDirty(hart);
  return value;
}

/** False, and an illegal-instruction exception, when floating point is off. */
function beginExact(hart: u32, raw: u64): bool {
  begin(RNE);
  if (get32(hart, HART_FLOAT_STATE) & ON) return true;
  raiseIllegal(hart, raw);
  return false;
}

/** Also for a reserved rounding mode, in rm or in frm when rm asks for it. */
function beginRounded(hart: u32, raw: u64): bool {
  let mode = <u32>(raw >> 12) & 7;
  if (mode == DYN) mode = <u32>(get(hart, HART_FCSR) >> 5);
  begin(mode);
  if (mode <= RMM && get32(hart, HART_FLOAT_STATE) & ON) return true;
  raiseIllegal(hart, raw);
  return false;
}

/** A result for an f register. */
function finish(hart: u32, bits: u64, format: u32): u64 {
  accrue(hart);
  if (!(get32(hart, HART_FLOAT_STATE) & DIRTY)) markFloatDirty(hart);
  return toRegister(bits, format);
}

/** Adds the operation's flags to fcsr; the state is dirty when that changes it. */
function accrue(hart: u32): void {
  const before = get(hart, HART_FCSR);
  const after = before | flags();
  if (after == before) return;
  set(hart, HART_FCSR, after);
  markFloatDirty(hart);
}
