/**
 * How the caller of a frame is found: where its registers are, as debug information says it (DWARF 5, 6.4) or as the
 * code itself shows. One frame up, given a way to read memory. Registers are numbered as in DWARF: x0–x31 are 0–31.
 */
import type { FrameRules, RegisterRule } from '../../engine/index.ts';

/** The rules in force at an address, whoever says them. */
export type StackRules = Omit<FrameRules, 'low' | 'high'>;

/** x0–x31 as far as they are known. */
export type KnownRegisters = readonly (bigint | undefined)[];

export interface Caller {
  readonly pc: bigint;
  readonly x: KnownRegisters;
}

export const RA = 1;
export const SP = 2;
export const FP = 8;
/** sp is found by its own rule; gp and tp do not change. @see RISC-V ELF psABI, "Integer register convention" */
export const PRESERVED: ReadonlySet<number> = new Set([3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27]);

/** The caller's pc and registers; or why there are none, as text for people. `read`: eight bytes, if they are there. */
export function callerOf(
  { cfa, returnAddress, returnRegister, registers }: StackRules,
  x: KnownRegisters,
  read: (address: bigint) => bigint | undefined,
): Caller | string {
  if (cfa.kind === 'expression') return 'its frame is given by an expression';
  const base = x[cfa.register];
  if (base === undefined) return `its frame depends on x${cfa.register}, which is not known`;
  const frame = BigInt.asUintN(64, base + BigInt(cfa.offset));
  const at = (offset: number) => BigInt.asUintN(64, frame + BigInt(offset));
  const value = (register: number, rule: RegisterRule): bigint | undefined => {
    if (rule.kind === 'same') return x[register];
    if (rule.kind === 'saved') return read(at(rule.offset));
    if (rule.kind === 'value') return at(rule.offset);
    return rule.kind === 'register' ? x[rule.register] : undefined;
  };
  if (returnAddress.kind === 'undefined') return OUTERMOST;
  const pc = value(returnRegister, returnAddress);
  if (pc === undefined) {
    if (returnAddress.kind !== 'saved') return 'its return address is not known';
    return `its return address at 0x${at(returnAddress.offset).toString(16)} cannot be read`;
  }
  const own = (register: number): bigint | undefined => {
    const rule = registers.get(register);
    if (rule) return value(register, rule);
    if (register === SP) return frame;
    return PRESERVED.has(register) ? x[register] : undefined;
  };
  return { pc, x: x.map((_, register) => (register === 0 ? 0n : register === RA ? pc : own(register))) };
}

/** Nobody has called the outermost function. */
export const OUTERMOST = 'the outermost function';
