/**
 * Names of what a hart has, as a person may write them, and the one that each is known by. Relies on the engine's
 * tables.
 */
import { CSRS, csrByName, didYouMean, floatRegisterNumber, registerNumber } from '../../engine/index.ts';

/** What a hart has besides registers: its next instruction's address, mode, whether it is in wfi, VMID in hgatp. */
const OTHERS = ['pc', 'mode', 'waiting', 'vmid'] as const;

export const MODES = ['M', 'HS', 'U', 'VS', 'VU'] as const;

/** The name that trees hold: `a0` and `x10` are both x10, `fa0` is f10. undefined: there is no such register. */
export function canonicalRegister(name: string): string | undefined {
  const integer = registerNumber(name);
  if (integer !== undefined) return `x${integer}`;
  const float = floatRegisterNumber(name);
  if (float !== undefined) return `f${float}`;
  return OTHERS.some((other) => other === name) || csrByName(name) ? name : undefined;
}

/** What may have been meant by a register that does not exist. */
export function registerGuess(name: string): string {
  const aliases = ['zero', 'ra', 'sp', 'gp', 'tp', 'fp', ...numbered('x', 31), ...numbered('f', 31), ...OTHERS];
  return didYouMean(name, [...aliases, ...CSRS.map((csr) => csr.name)]);
}

const numbered = (prefix: string, last: number) => Array.from({ length: last + 1 }, (_, n) => `${prefix}${n}`);
