/**
 * What can be told of two steps, or of one, without looking further: whether they mean the same place, where execution
 * may go on, what address was translated.
 */
import { csrByNumber, decode } from '../../engine/index.ts';
import { bytesOf, isBranch, isReturnWord, type Location, partOf, registersRead, slice, type Use } from './flow.ts';
import type { Step, StepNumber } from './steps.ts';

/** A location as a step of the faulted run found it, and as the golden run's step did. */
export interface UsePair {
  readonly a: Use;
  readonly b: Use;
  /** The steps that found it so. */
  readonly atA: StepNumber;
  readonly atB: StepNumber;
}

/** Whether a CSR reads alike in two runs that did the same. */
export const isStable = (number: number): boolean => csrByNumber(number)?.implementation?.source !== 'time';

/** Only the bytes that differ. */
export function narrowed(pair: UsePair): UsePair {
  const bytes = Math.min(bytesOf(pair.a.location), bytesOf(pair.b.location));
  if (pair.a.location.kind === 'csr' || pair.b.location.kind === 'csr' || bytes === 1) return pair;
  const difference = pair.a.value ^ pair.b.value;
  if (difference === 0n) return pair;
  let [from, to] = [0, bytes];
  while (from < to && slice(difference, from, 1) === 0n) from++;
  while (to > from && slice(difference, to - 1, 1) === 0n) to--;
  return to > from ? { ...pair, a: partOf(pair.a, from, to - from), b: partOf(pair.b, from, to - from) } : pair;
}

/** Whether two locations are the same place of their machines; registers of whichever hart. */
export function samePlace(a: Location, b: Location): boolean {
  if (a.kind === 'register')
    return b.kind === 'register' && a.number === b.number && a.from === b.from && a.bytes === b.bytes;
  if (a.kind === 'memory') return b.kind === 'memory' && a.paddr === b.paddr && a.bytes === b.bytes;
  return b.kind === 'csr' && a.field === b.field;
}

/** Where execution may go on behind a step; undefined: anywhere, as far as its words say. */
export function successors(step: Step): readonly bigint[] | undefined {
  if (step.isTrap) return [step.trapTarget];
  if (step.trapped) return [step.pc];
  const decoded = decode(step.raw);
  if (!decoded) return undefined;
  const { effect } = decoded.instruction;
  const behind = BigInt.asUintN(64, step.pc + BigInt(decoded.lengthBytes));
  const target = BigInt.asUintN(64, step.pc + BigInt(decoded.operands.imm ?? 0));
  if (effect.kind === 'branch') return [behind, target];
  if (effect.kind === 'jump') {
    const base = registersRead(step)[0];
    if (!base && decoded.operands.rs1 === undefined) return [target];
    const from = base?.value ?? 0n;
    return [BigInt.asUintN(64, from + BigInt(decoded.operands.imm ?? 0)) & ~1n];
  }
  if (isReturnWord(step.raw)) return undefined;
  return [behind];
}

/** What a step translated: its access, or its own address when it could not be fetched. */
export function accessed(step: Step): { readonly va: bigint; readonly access: 'load' | 'store' | 'fetch' } | undefined {
  if (step.isTrap) {
    const cause = step.raw & 0x7fffffff;
    if (step.raw >>> 31) return undefined;
    if ([1, 12, 20].includes(cause)) return { va: step.trapValue, access: 'fetch' };
    if ([5, 13, 21].includes(cause)) return { va: step.trapValue, access: 'load' };
    if ([7, 15, 23].includes(cause)) return { va: step.trapValue, access: 'store' };
    return undefined;
  }
  const decoded = decode(step.raw);
  if (!decoded) return undefined;
  const { effect } = decoded.instruction;
  const base = registersRead(step)[0];
  if (!base) return undefined;
  const va = BigInt.asUintN(64, base.value + BigInt(decoded.operands.imm ?? 0));
  if (effect.kind === 'store') return { va, access: 'store' };
  const isLoad = effect.kind === 'set' && step.accesses.length + Number(step.trapped) > 0;
  return isLoad && !isBranch(step) ? { va, access: 'load' } : undefined;
}
