/**
 * What the host operations of the expression language mean, in JavaScript's numbers. The double that an operation on
 * singles gives, rounded once more, is the single that rounding once would give: 53 bits are more than 2 * 24 + 1.
 */
import type { HostOperation } from './expression.ts';

/** Value of a host operation on register bits: bits of a number, or an integer, unsigned 64-bit. */
export function hostValue(op: HostOperation, bits: 32 | 64, args: readonly bigint[]): bigint {
  const operand = (index: number) => toNumber(args[index] ?? 0n, bits);
  switch (op) {
    case 'convertS':
      return fromInteger(BigInt.asIntN(64, args[0] ?? 0n), bits);
    case 'convertU':
      return fromInteger(args[0] ?? 0n, bits);
    case 'narrow':
      return toBits(toNumber(args[0] ?? 0n, 64), 32);
    case 'widen':
      return toBits(toNumber(args[0] ?? 0n, 32), 64);
    case 'truncate':
      return truncate(operand(0));
    case 'eq':
      return BigInt(operand(0) === operand(1));
    case 'lt':
      return BigInt(operand(0) < operand(1));
    case 'le':
      return BigInt(operand(0) <= operand(1));
    case 'sqrt':
      return toBits(Math.sqrt(operand(0)), bits);
    default:
      return toBits(ARITHMETIC[op](operand(0), operand(1)), bits);
  }
}

const ARITHMETIC = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
};

const view = new DataView(new ArrayBuffer(8));

function toNumber(value: bigint, bits: 32 | 64): number {
  view.setBigUint64(0, value, true);
  return bits === 64 ? view.getFloat64(0, true) : view.getFloat32(0, true);
}

function toBits(value: number, bits: 32 | 64): bigint {
  if (bits === 64) view.setFloat64(0, value, true);
  else view.setFloat32(0, value, true);
  return bits === 64 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
}

/** Through a double a single would be rounded twice: what lies below its last place is gathered in one bit first. */
function fromInteger(value: bigint, bits: 32 | 64): bigint {
  if (bits === 64) return toBits(Number(value), 64);
  const size = value < 0n ? -value : value;
  const sticky = ((size >> 12n) << 12n) | (BigInt((size & 0xfffn) !== 0n) << 12n);
  const rounded = Number(size < 1n << 53n ? size : sticky);
  return toBits(value < 0n ? -rounded : rounded, 32);
}

function truncate(value: number): bigint {
  if (Number.isNaN(value)) return 0n;
  if (value >= 2 ** 63) return 2n ** 63n - 1n;
  if (value < -(2 ** 63)) return 2n ** 63n;
  return BigInt.asUintN(64, BigInt(Math.trunc(value)));
}
