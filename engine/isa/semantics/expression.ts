/**
 * The small language that says what an instruction does: expressions over registers, immediates, pc, loads and calls of
 * named helpers, and one effect per instruction. Plain data, so that interpreter, JIT, evaluator and test generators
 * all derive from it. Every value is 64 bits wide; comparisons give 0 or 1. Types are not checked beyond TypeScript's;
 * `table.test.ts` checks the rules stated at `Effect`.
 */
import { ACCESSES, type Fact, HELPERS, type HelperName } from './helpers.ts';

export type Bytes = 1 | 2 | 4 | 8;
export type Comparison = 'eq' | 'ne' | 'ltS' | 'ltU' | 'geS' | 'geU';
/**
 * Shifts and rotations take their amount modulo 64. divS … remU must not see a zero divisor, divS and remS no overflow.
 */
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
 * Floating-point operations as the host does them, on the bits of singles (zero-extended) or doubles: rounded to
 * nearest even, raising nothing; which NaN they give differs between hosts, so no NaN may ever reach a register.
 * `convert…` make a number of an integer, `truncate` a signed integer of a number (its nearest bound, or 0 for a NaN).
 * For `narrow` and `widen`, `bits` is the width of the result.
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
  /**
   * The sign-extended immediate operand, the small second one, the instruction's address, the instruction as fetched.
   */
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
 * What an instruction does besides going on to the next one. On each of its paths at most one part may divert
 * (`mayDivert`), it is not inside `choose`, and nothing changes before it has succeeded.
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

/** What evaluating this node may do, its parts left out: facts of a load or of the helper called. */
export function factsOf(e: Expression): readonly Fact[] {
  if (e.kind === 'load') return ACCESSES.load.may;
  return e.kind === 'call' ? HELPERS[e.helper].may : [];
}

/** Whether the hart may go on elsewhere than at the next instruction, or stop there, after this node. */
export const mayDivert = (e: Expression): boolean =>
  factsOf(e).some((fact) => fact === 'trap' || fact === 'redirect' || fact === 'endSlice');
