/** How a machine that ended by itself did so, in words. */
import type { StopReason } from './types.ts';

/** Stop code of a machine that takes traps for ever (CONSTANTS.STUCK_TRAPS); the finisher's have 16 bits. */
export const STUCK_CODE = 0x10000;

type Halt = Pick<Extract<StopReason, { kind: 'halted' }>, 'status' | 'code'>;

/** `pass`, `fail 3`, `fail: nothing but traps`. */
export function haltText({ status, code }: Halt): string {
  if (status === 'fail' && code === STUCK_CODE) return 'fail: nothing but traps';
  return code === 0 ? status : `${status} ${code}`;
}
