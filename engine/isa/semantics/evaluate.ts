/**
 * What the expression language means, in BigInt: the reference that generated code is tested against. Slow on purpose:
 * every operator is written as its definition.
 */
import { hostValue } from './evaluate-host.ts';
import type { Arithmetic, Bytes, Comparison, Count, Expression, StateName } from './expression.ts';
import type { HelperName } from './helpers.ts';

/** Where an expression finds its leaves. All values are unsigned 64-bit. */
export interface Environment {
  readonly rs1: bigint;
  readonly rs2: bigint;
  readonly rs3?: bigint;
  readonly imm: bigint;
  readonly zimm: bigint;
  readonly pc: bigint;
  readonly raw: bigint;
  /** Words of the hart; 0 when not given. */
  readonly state?: Readonly<Record<StateName, bigint>>;
  readonly candidate?: bigint;
  /** The zero-extended value in memory. */
  load(address: bigint, bytes: Bytes): bigint;
  call(helper: HelperName, args: readonly bigint[]): bigint;
}

/** Value of an expression, unsigned 64-bit. */
export function evaluate(e: Expression, env: Environment): bigint {
  switch (e.kind) {
    case 'register':
      return env[e.name] ?? 0n;
    case 'state':
      return env.state?.[e.name] ?? 0n;
    case 'candidate':
      return env.candidate ?? 0n;
    case 'host':
      return hostValue(
        e.op,
        e.bits,
        e.args.map((argument) => evaluate(argument, env)),
      );
    case 'constant':
      return BigInt.asUintN(64, e.value);
    case 'binary':
      return BigInt.asUintN(64, BINARY[e.op](evaluate(e.a, env), evaluate(e.b, env)));
    case 'count':
      return COUNT[e.op](evaluate(e.a, env).toString(2).padStart(64, '0'));
    case 'extend':
      return extend(e.bits, e.signed, evaluate(e.a, env));
    case 'choose':
      return evaluate(evaluate(e.condition, env) !== 0n ? e.then : e.otherwise, env);
    case 'load':
      return extend(e.bytes * 8, e.signed, env.load(evaluate(e.address, env), e.bytes));
    case 'call':
      return env.call(
        e.helper,
        e.args.map((argument) => evaluate(argument, env)),
      );
    default:
      return env[e.kind];
  }
}

const signed = (value: bigint) => BigInt.asIntN(64, value);
const extend = (bits: number, isSigned: boolean, value: bigint) =>
  isSigned ? BigInt.asUintN(64, BigInt.asIntN(bits, value)) : BigInt.asUintN(bits, value);

const BINARY: Readonly<Record<Arithmetic | Comparison, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << (b & 63n),
  shrU: (a, b) => a >> (b & 63n),
  shrS: (a, b) => signed(a) >> (b & 63n),
  rotl: (a, b) => (a << (b & 63n)) | (a >> (64n - (b & 63n))),
  rotr: (a, b) => (a >> (b & 63n)) | (a << (64n - (b & 63n))),
  divS: (a, b) => signed(a) / signed(b),
  divU: (a, b) => a / b,
  remS: (a, b) => signed(a) % signed(b),
  remU: (a, b) => a % b,
  eq: (a, b) => BigInt(a === b),
  ne: (a, b) => BigInt(a !== b),
  ltS: (a, b) => BigInt(signed(a) < signed(b)),
  ltU: (a, b) => BigInt(a < b),
  geS: (a, b) => BigInt(signed(a) >= signed(b)),
  geU: (a, b) => BigInt(a >= b),
};

/** Of the 64 binary digits, highest first. */
const COUNT: Readonly<Record<Count, (digits: string) => bigint>> = {
  clz: (digits) => BigInt(/^0*/.exec(digits)?.[0].length ?? 0),
  ctz: (digits) => BigInt(/0*$/.exec(digits)?.[0].length ?? 0),
  popcnt: (digits) => BigInt(digits.replaceAll('0', '').length),
};
