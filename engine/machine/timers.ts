/** What can still happen by itself: comparators of harts, and devices, as the machine's state has them. Changes nothing. */
import { CONSTANTS, HART, hartAddress, MACHINE, offsetOf } from '../core/layout.ts';

/** Comparators at or above this are never reached. */
const NEVER = 1n << 62n;

/** Whether a timer that some hart has set is still to come, enabled or not, or a device will act. */
export function timerAhead(memory: DataView, ticks: number, harts: number): boolean {
  const word = (name: string) => memory.getBigUint64(CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, name), true);
  if (word('deviceDeadline') < BigInt(Number.MAX_SAFE_INTEGER)) return true;
  const now = BigInt.asUintN(64, BigInt(ticks) / BigInt(CONSTANTS.TICKS_PER_MTIME) + word('mtimeOffset'));
  return Array.from({ length: harts }, (_, n) => n).some((n) => {
    const read = (name: string) => memory.getBigUint64(hartAddress(n) + offsetOf(HART, name), true);
    const ahead = (name: string, shown: bigint) => read(name) > shown && read(name) < NEVER;
    const guestNow = BigInt.asUintN(64, now + read('htimedelta'));
    return ahead('mtimecmp', now) || ahead('stimecmp', now) || ahead('vstimecmp', guestNow);
  });
}
