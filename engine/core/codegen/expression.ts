/**
 * Expressions of the ISA table to wasm. Where operands live and how memory and helpers are reached is the caller's.
 */
import type { Arithmetic, Comparison, Count, Expression, HostOperation } from '../../isa/index.ts';
import type { FunctionBody, WasmOp } from '../wasm/index.ts';

type Kind<K extends Expression['kind']> = Expression & { readonly kind: K };

/** How the leaves are reached: each method leaves an i64 on the stack. */
export interface OperandAccess {
  register(node: Kind<'register'>): void;
  operand(node: Kind<'imm' | 'zimm' | 'pc' | 'raw'>): void;
  /** A word of the hart, zero-extended. */
  state(node: Kind<'state'>): void;
  /** What the attempt around has computed. */
  candidate(): void;
  /** The loaded value, extended as the node says. */
  load(node: Kind<'load'>): void;
  call(node: Kind<'call'>): void;
}

const ARITHMETIC: Readonly<Record<Arithmetic, WasmOp>> = {
  add: 'i64.add',
  sub: 'i64.sub',
  mul: 'i64.mul',
  and: 'i64.and',
  or: 'i64.or',
  xor: 'i64.xor',
  shl: 'i64.shl',
  shrU: 'i64.shr_u',
  shrS: 'i64.shr_s',
  rotl: 'i64.rotl',
  rotr: 'i64.rotr',
  divS: 'i64.div_s',
  divU: 'i64.div_u',
  remS: 'i64.rem_s',
  remU: 'i64.rem_u',
};
const COMPARISONS: Readonly<Record<Comparison, WasmOp>> = {
  eq: 'i64.eq',
  ne: 'i64.ne',
  ltS: 'i64.lt_s',
  ltU: 'i64.lt_u',
  geS: 'i64.ge_s',
  geU: 'i64.ge_u',
};

const COUNTS: Readonly<Record<Count, WasmOp>> = { clz: 'i64.clz', ctz: 'i64.ctz', popcnt: 'i64.popcnt' };

/** Leaves the expression's value (i64) on the stack. */
export function emitValue(code: FunctionBody, e: Expression, access: OperandAccess): void {
  switch (e.kind) {
    case 'register':
      access.register(e);
      return;
    case 'constant':
      code.i64(e.value);
      return;
    case 'binary':
      emitBinary(code, e, access);
      return;
    case 'count':
      emitValue(code, e.a, access);
      code.op(COUNTS[e.op]);
      return;
    case 'extend':
      emitExtend(code, e, access);
      return;
    case 'choose':
      emitCondition(code, e.condition, access);
      code.begin('if', 'i64');
      emitValue(code, e.then, access);
      code.otherwise();
      emitValue(code, e.otherwise, access);
      code.end();
      return;
    case 'state':
      access.state(e);
      return;
    case 'candidate':
      access.candidate();
      return;
    case 'host':
      emitHost(code, e, access);
      return;
    case 'load':
      access.load(e);
      return;
    case 'call':
      access.call(e);
      return;
    default:
      access.operand(e);
  }
}

/** Leaves an i32 on the stack: not zero when the expression is not zero. */
export function emitCondition(code: FunctionBody, e: Expression, access: OperandAccess): void {
  if (e.kind === 'binary' && isComparison(e.op)) {
    emitValue(code, e.a, access);
    emitValue(code, e.b, access);
    code.op(COMPARISONS[e.op]);
    return;
  }
  emitValue(code, e, access);
  code.i64(0n).op('i64.ne');
}

const isComparison = (op: Arithmetic | Comparison): op is Comparison => op in COMPARISONS;

function emitBinary(code: FunctionBody, e: Kind<'binary'>, access: OperandAccess): void {
  if (isComparison(e.op)) {
    emitCondition(code, e, access);
    code.op('i64.extend_i32_u');
    return;
  }
  emitValue(code, e.a, access);
  emitValue(code, e.b, access);
  code.op(ARITHMETIC[e.op]);
}

function emitExtend(code: FunctionBody, e: Kind<'extend'>, access: OperandAccess): void {
  emitValue(code, e.a, access);
  if (e.signed) code.op(`i64.extend${e.bits}_s`);
  else code.i64(2n ** BigInt(e.bits) - 1n).op('i64.and');
}

/** Wasm names of host operations whose operands are numbers of the result's format. */
const HOST: Partial<Readonly<Record<HostOperation, 'add' | 'sub' | 'mul' | 'div' | 'sqrt' | 'eq' | 'lt' | 'le'>>> = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'div',
  sqrt: 'sqrt',
  eq: 'eq',
  lt: 'lt',
  le: 'le',
};

function emitHost(code: FunctionBody, { op, bits, args }: Kind<'host'>, access: OperandAccess): void {
  const name = HOST[op];
  const isInteger = op === 'convertS' || op === 'convertU';
  const from = op === 'narrow' ? 64 : op === 'widen' ? 32 : bits;
  for (const argument of args) {
    emitValue(code, argument, access);
    if (isInteger) continue;
    if (from === 64) code.op('f64.reinterpret_i64');
    else code.op('i32.wrap_i64', 'f32.reinterpret_i32');
  }
  if (name) code.op(`f${bits}.${name}`);
  else if (isInteger) code.op(`f${bits}.convert_i64_${op === 'convertS' ? 's' : 'u'}`);
  else if (op === 'truncate') code.op(`i64.trunc_sat_f${bits}_s`);
  else code.op(op === 'narrow' ? 'f32.demote_f64' : 'f64.promote_f32');
  if (op === 'truncate') return;
  if (op === 'eq' || op === 'lt' || op === 'le') code.op('i64.extend_i32_u');
  else if (bits === 64) code.op('i64.reinterpret_f64');
  else code.op('i32.reinterpret_f32', 'i64.extend_i32_u');
}
