/**
 * The interface between the lowering of effects (`effect.ts`) and who generates code with it. The lowering knows what a
 * row of the ISA table means and in which order things happen; a `Site` knows where one instruction's operands and
 * registers are, and how its code goes on. The interpreter has one for the instruction of any slot, a compiler one for
 * each instruction that it compiles.
 */
import type { Expression, Fact } from '../../isa/index.ts';
import type { FunctionBody } from '../wasm/index.ts';
import type { ArchCalls } from './arch-calls.ts';

type Named<K extends Expression['kind']> = (Expression & { readonly kind: K; readonly name: string })['name'];

/** Indices of wasm locals. The first three hold the same for the whole function; the others are the lowering's own. */
export interface SiteLocals {
  /** i32: address of the hart's block. */
  readonly hart: number;
  /** i32: address of the hart's translation caches, see `emitCachesAddress`. */
  readonly caches: number;
  /** i64: HART.dataContext. A call that changes it ends in `leave` or `abandonIf`. */
  readonly dataContext: number;
  /** i64: the address of a load or store. */
  readonly address: number;
  /** i64: what a call returned, or an attempt computed. */
  readonly value: number;
  /** i32: entry of a translation cache. */
  readonly entry: number;
  /** i32: HART.resync after a call. */
  readonly resync: number;
  /** i64: where `jump` goes on. */
  readonly target: number;
}

/**
 * The place that one instruction is generated at. What ends a path is followed by no code that the path reaches: the
 * lowering ends each path of an instruction with just one of these, and never falls out of the instruction.
 */
export interface Site {
  readonly code: FunctionBody;
  readonly locals: SiteLocals;
  readonly arch: ArchCalls;

  /** Leaves a source register on the stack (i64), as do the following with what they name. */
  register(name: Named<'register'>): void;
  operand(kind: 'imm' | 'zimm' | 'raw'): void;
  /** Address of this instruction, and of the one after it. */
  pc(): void;
  nextPc(): void;
  /** rd = what `value` leaves on the stack. A write to x0 has no effect, but `value` is evaluated: it may call. */
  writeRd(value: () => void): void;

  /**
   * Before a call of something that may do `facts`: HART.pc becomes that of this instruction and HART.budget what is
   * left after it, and registers that the callee reads are where the layout has them.
   */
  beforeCall(facts: readonly Fact[]): void;
  /** Directly after it: registers that the callee has written count. Leaves the stack as it is. */
  afterCall(facts: readonly Fact[]): void;
  /** Takes an i32 from the stack. Not zero: the instruction is given up; HART.pc and HART.resync say how it goes on. */
  abandonIf(): void;

  /** Ends the path: the instruction is complete, go on with the next. */
  next(): void;
  /** Ends the path: complete, go on at this instruction's pc + imm. */
  branch(): void;
  /** Ends the path: complete, go on at the address in the local `target`. */
  jump(): void;
  /** Ends the path: complete; leave the slice before the next instruction, and clear HART.resync. */
  leave(): void;
  /**
   * Ends the path: nothing of this instruction has happened; leave, so that another executes it. A site that has this
   * calls nothing but pure functions: what the caches do not answer and what needs the architecture is another's.
   */
  readonly redo?: () => void;
}
