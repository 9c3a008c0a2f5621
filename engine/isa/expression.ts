/**
 * The small language that says what an instruction does: expressions over registers, immediates, pc, loads and calls of
 * named helpers, and one effect per instruction. Plain data, so that interpreter, JIT, evaluator and test generators
 * all derive from it. Every value is 64 bits wide; comparisons give 0 or 1. Types are not checked beyond TypeScript's;
 * `table.test.ts` checks the rules stated at `Effect`.
 */

/**
 * Named helpers of the privileged architecture: parameter names, and whether the call may divert (trap, redirect pc,
 * end the slice). One that does not is a pure function of its parameters. `registers`: it reads or writes integer
 * registers by itself, so they must be where the layout has them.
 */
export const HELPERS = {
  illegal: { parameters: ['raw'], diverts: true },
  ecall: { parameters: [], diverts: true },
  ebreak: { parameters: [], diverts: true },
  mret: { parameters: ['raw'], diverts: true },
  sret: { parameters: ['raw'], diverts: true },
  wfi: { parameters: ['raw'], diverts: true },
  fenceI: { parameters: [], diverts: true },
  /** SFENCE.W.INVAL and SFENCE.INVAL.IR, which order other fences. */
  sfenceOrder: { parameters: ['raw'], diverts: true },
  sfenceVma: { parameters: ['rs1', 'rs2', 'raw'], diverts: true },
  hfenceVvma: { parameters: ['rs1', 'rs2', 'raw'], diverts: true },
  hfenceGvma: { parameters: ['rs1', 'rs2', 'raw'], diverts: true },
  /** op: 0 write, 1 set, 2 clear; access: bit 0 reads, bit 1 writes. Gives the old value. */
  csr: { parameters: ['number', 'operand', 'op', 'access', 'raw'], diverts: true },
  lr: { parameters: ['address', 'bytes'], diverts: true },
  /** Gives 0 on success. */
  sc: { parameters: ['address', 'value', 'bytes'], diverts: true },
  /** op is the instruction's funct5. Gives the old value, zero-extended. */
  amo: { parameters: ['address', 'value', 'bytes', 'op'], diverts: true },
  /** AMOCAS.W/D. Compares with rd, which it reads by itself. Gives the old value, zero-extended. */
  amocas: { parameters: ['address', 'value', 'bytes', 'raw'], diverts: true, registers: true },
  /** AMOCAS.Q: the whole instruction, on pairs of registers. */
  amocasQ: { parameters: ['address', 'raw'], diverts: true, registers: true },
  wrs: { parameters: [], diverts: true },
  /** CBO.INVAL, CLEAN and FLUSH; enable: the field of the envcfg registers that permits it, in place. */
  cboManage: { parameters: ['address', 'enable', 'raw'], diverts: true },
  cboZero: { parameters: ['address', 'raw'], diverts: true },
  hlv: { parameters: ['address', 'bytes', 'execute', 'raw'], diverts: true },
  hsv: { parameters: ['address', 'value', 'bytes', 'raw'], diverts: true },
  /**
   * Floating point. `format`: 0 single, 1 double; `type`: 0 int32, 1 uint32, 2 int64, 3 uint64; rm is in `raw`. Illegal
   * when floating point is off or the rounding mode reserved; those that write an f register mark the state dirty.
   */
  floatAdd: { parameters: ['a', 'b', 'format', 'raw'], diverts: true },
  floatSubtract: { parameters: ['a', 'b', 'format', 'raw'], diverts: true },
  floatMultiply: { parameters: ['a', 'b', 'format', 'raw'], diverts: true },
  floatDivide: { parameters: ['a', 'b', 'format', 'raw'], diverts: true },
  floatSquareRoot: { parameters: ['a', 'format', 'raw'], diverts: true },
  /** negate: bit 0 the product, bit 1 the addend. */
  floatMultiplyAdd: { parameters: ['a', 'b', 'c', 'negate', 'format', 'raw'], diverts: true },
  floatPick: { parameters: ['a', 'b', 'maximum', 'format', 'raw'], diverts: true },
  /** relation: 0 a <= b, 1 a < b, 2 a = b. */
  floatCompare: { parameters: ['a', 'b', 'relation', 'format', 'raw'], diverts: true },
  floatClass: { parameters: ['a', 'format'], diverts: false },
  floatToInteger: { parameters: ['a', 'type', 'format', 'raw'], diverts: true },
  floatFromInteger: { parameters: ['a', 'type', 'format', 'raw'], diverts: true },
  floatConvert: { parameters: ['a', 'from', 'to', 'raw'], diverts: true },
  /** A load for an f register while its state is off or clean: the value as the register holds it. */
  floatLoad: { parameters: ['address', 'bytes', 'raw'], diverts: true },
  /** Gives `value` back, for an f register whose state is off or clean. */
  floatWrite: { parameters: ['value', 'raw'], diverts: true },
  mulh: { parameters: ['a', 'b'], diverts: false },
  mulhsu: { parameters: ['a', 'b'], diverts: false },
  mulhu: { parameters: ['a', 'b'], diverts: false },
  clmul: { parameters: ['a', 'b'], diverts: false },
  clmulh: { parameters: ['a', 'b'], diverts: false },
} as const satisfies Record<
  string,
  { readonly parameters: readonly string[]; readonly diverts: boolean; readonly registers?: true }
>;

export type HelperName = keyof typeof HELPERS;
export type Bytes = 1 | 2 | 4 | 8;
export type Comparison = 'eq' | 'ne' | 'ltS' | 'ltU' | 'geS' | 'geU';
/** Shifts and rotations take their amount modulo 64. divS … remU must not see a zero divisor, divS and remS no overflow. */
export type Arithmetic =
  | 'add'
  | 'sub'
  | 'mul'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shrU'
  | 'shrS'
  | 'rotl'
  | 'rotr'
  | 'divS'
  | 'divU'
  | 'remS'
  | 'remU';

/** Zeros above the highest one, zeros below the lowest one (64 when there is none), and the number of ones. */
export type Count = 'clz' | 'ctz' | 'popcnt';
/** Words of the hart that instructions depend on; the layout has fields of these names. */
export type StateName = 'floatState' | 'hostRounding';

/**
 * Floating-point operations as the host does them, on the bits of singles (zero-extended) or doubles: rounded to nearest
 * even, raising nothing; which NaN they give differs between hosts, so no NaN may ever reach a register. `convert…` make a
 * number of an integer, `truncate` a signed integer of a number (its nearest bound, or 0 for a NaN). For `narrow` and
 * `widen`, `bits` is the width of the result.
 */
export type HostOperation =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'sqrt'
  | 'eq'
  | 'lt'
  | 'le'
  | 'convertS'
  | 'convertU'
  | 'truncate'
  | 'narrow'
  | 'widen';

export type Expression =
  | { readonly kind: 'register'; readonly name: 'rs1' | 'rs2' | 'rs3' }
  | { readonly kind: 'state'; readonly name: StateName }
  /** In the `accept` of an attempt: what was computed. */
  | { readonly kind: 'candidate' }
  | { readonly kind: 'host'; readonly op: HostOperation; readonly bits: 32 | 64; readonly args: readonly Expression[] }
  /** The sign-extended immediate operand, the small second one, the instruction's address, the instruction as fetched. */
  | { readonly kind: 'imm' | 'zimm' | 'pc' | 'raw' }
  | { readonly kind: 'constant'; readonly value: bigint }
  | { readonly kind: 'binary'; readonly op: Arithmetic | Comparison; readonly a: Expression; readonly b: Expression }
  | { readonly kind: 'count'; readonly op: Count; readonly a: Expression }
  | { readonly kind: 'extend'; readonly bits: 8 | 16 | 32; readonly signed: boolean; readonly a: Expression }
  /** Evaluates only the side that it takes. */
  | {
      readonly kind: 'choose';
      readonly condition: Expression;
      readonly then: Expression;
      readonly otherwise: Expression;
    }
  | { readonly kind: 'load'; readonly bytes: Bytes; readonly signed: boolean; readonly address: Expression }
  | { readonly kind: 'call'; readonly helper: HelperName; readonly args: readonly Expression[] };

/**
 * What an instruction does besides going on to the next one. On each of its paths at most one part may divert (a load,
 * or a call of a helper that diverts), it is not inside `choose`, and nothing changes before it has succeeded.
 */
export type Effect =
  | { readonly kind: 'nothing' }
  /** rd = value */
  | { readonly kind: 'set'; readonly value: Expression }
  | { readonly kind: 'store'; readonly bytes: Bytes; readonly address: Expression; readonly value: Expression }
  /** pc = target when the condition is not zero */
  | { readonly kind: 'branch'; readonly condition: Expression; readonly target: Expression }
  /** rd = address of the next instruction, pc = target (evaluated first) */
  | { readonly kind: 'jump'; readonly target: Expression }
  /** One of two effects. The condition does not divert. */
  | { readonly kind: 'either'; readonly condition: Expression; readonly then: Effect; readonly otherwise: Effect }
  /** rd = candidate when `accept` is not zero, else another effect. Neither expression diverts. */
  | {
      readonly kind: 'attempt';
      readonly candidate: Expression;
      readonly accept: Expression;
      readonly otherwise: Effect;
    }
  /** A helper called for what it does. */
  | { readonly kind: 'run'; readonly call: Expression & { readonly kind: 'call' } };

export const rs1: Expression = { kind: 'register', name: 'rs1' };
export const rs2: Expression = { kind: 'register', name: 'rs2' };
export const rs3: Expression = { kind: 'register', name: 'rs3' };
export const state = (name: StateName): Expression => ({ kind: 'state', name });
export const candidate: Expression = { kind: 'candidate' };
export const host = (op: HostOperation, bits: 32 | 64, ...args: Expression[]): Expression => ({
  kind: 'host',
  op,
  bits,
  args,
});
export const imm: Expression = { kind: 'imm' };
export const zimm: Expression = { kind: 'zimm' };
export const pc: Expression = { kind: 'pc' };
export const raw: Expression = { kind: 'raw' };
export const constant = (value: bigint | number): Expression => ({ kind: 'constant', value: BigInt(value) });
export const binary = (op: Arithmetic | Comparison, a: Expression, b: Expression): Expression => ({
  kind: 'binary',
  op,
  a,
  b,
});
export const add = (a: Expression, b: Expression) => binary('add', a, b);
export const and = (a: Expression, b: Expression) => binary('and', a, b);
export const count = (op: Count, a: Expression): Expression => ({ kind: 'count', op, a });
export const choose = (condition: Expression, then: Expression, otherwise: Expression): Expression => ({
  kind: 'choose',
  condition,
  then,
  otherwise,
});
export const signExtend = (bits: 8 | 16 | 32, a: Expression): Expression => ({ kind: 'extend', bits, signed: true, a });
export const zeroExtend = (bits: 8 | 16 | 32, a: Expression): Expression => ({
  kind: 'extend',
  bits,
  signed: false,
  a,
});
export const load = (bytes: Bytes, signed: boolean, address: Expression): Expression => ({
  kind: 'load',
  bytes,
  signed,
  address,
});
export const call = (helper: HelperName, ...args: Expression[]): Expression & { kind: 'call' } => ({
  kind: 'call',
  helper,
  args,
});

export const nothing: Effect = { kind: 'nothing' };
export const set = (value: Expression): Effect => ({ kind: 'set', value });
export const store = (bytes: Bytes, address: Expression, value: Expression): Effect => ({
  kind: 'store',
  bytes,
  address,
  value,
});
export const branch = (condition: Expression): Effect => ({ kind: 'branch', condition, target: add(pc, imm) });
export const jump = (target: Expression): Effect => ({ kind: 'jump', target });
export const run = (helper: HelperName, ...args: Expression[]): Effect => ({
  kind: 'run',
  call: call(helper, ...args),
});

export const either = (condition: Expression, then: Effect, otherwise: Effect): Effect => ({
  kind: 'either',
  condition,
  then,
  otherwise,
});
export const attempt = (tried: Expression, accept: Expression, otherwise: Effect): Effect => ({
  kind: 'attempt',
  candidate: tried,
  accept,
  otherwise,
});

/** The parts of an expression, itself last. */
export function parts(e: Expression): Expression[] {
  switch (e.kind) {
    case 'binary':
      return [...parts(e.a), ...parts(e.b), e];
    case 'count':
    case 'extend':
      return [...parts(e.a), e];
    case 'choose':
      return [...parts(e.condition), ...parts(e.then), ...parts(e.otherwise), e];
    case 'load':
      return [...parts(e.address), e];
    case 'call':
    case 'host':
      return [...e.args.flatMap(parts), e];
    default:
      return [e];
  }
}

/** The outermost expressions of an effect, on all of its paths. */
export function expressionsOf(effect: Effect): Expression[] {
  switch (effect.kind) {
    case 'nothing':
      return [];
    case 'set':
      return [effect.value];
    case 'store':
      return [effect.address, effect.value];
    case 'branch':
      return [effect.condition, effect.target];
    case 'jump':
      return [effect.target];
    case 'run':
      return [effect.call];
    case 'either':
      return [effect.condition, ...expressionsOf(effect.then), ...expressionsOf(effect.otherwise)];
    case 'attempt':
      return [effect.candidate, effect.accept, ...expressionsOf(effect.otherwise)];
  }
}

/** The effects that an effect chooses between; itself when it does not choose. The set of an attempt is its own. */
export function alternatives(effect: Effect): Effect[] {
  if (effect.kind === 'either') return [...alternatives(effect.then), ...alternatives(effect.otherwise)];
  if (effect.kind === 'attempt') return [set(effect.candidate), ...alternatives(effect.otherwise)];
  return [effect];
}

/** True for a load, and for a call of a helper that may divert. */
export const mayDivert = (e: Expression): boolean =>
  e.kind === 'load' || (e.kind === 'call' && HELPERS[e.helper].diverts);
