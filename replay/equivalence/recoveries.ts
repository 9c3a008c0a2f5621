/**
 * The recoveries of a run, as its notes mark them. A recovery begins with a detection and goes on, whatever else is
 * detected meanwhile, until the VMs are resumed; what is detected after that begins the next one.
 */
import { isDetection, NOTES } from '../../engine/index.ts';
import type { NoteAt } from '../types.ts';

export interface Recovery {
  readonly detected: NoteAt;
  /** Every hart stands still. undefined: the recovery says nothing of it. */
  readonly frozen: NoteAt | undefined;
  /** undefined: it failed, or the run ends before. */
  readonly resumed: NoteAt | undefined;
  /** Why it failed, for people; undefined when VMs were resumed. */
  readonly failure: string | undefined;
}

/** All recoveries of a run, in order. `notes`: in order of time. */
export function recoveriesIn(notes: readonly NoteAt[]): Recovery[] {
  const found: Recovery[] = [];
  for (let at = notes.findIndex(({ code }) => isDetection(code)); at >= 0; ) {
    const own = notes.slice(at);
    const back = own.findIndex(({ code }) => code === NOTES.RESUMED.code);
    const inside = back < 0 ? own : own.slice(0, back);
    const gaveUp = inside.findLast(({ code }) => code === NOTES.RECOVERY_FAILED.code);
    const why = gaveUp ? `the recovery gave up (reason ${gaveUp.arg})` : 'no VM was resumed after the detection';
    found.push({
      detected: own[0]!,
      frozen: inside.find(({ code }) => code === NOTES.FROZEN.code),
      resumed: own[back],
      failure: back < 0 ? why : undefined,
    });
    const next = back < 0 ? -1 : own.findIndex(({ code }, n) => n > back && isDetection(code));
    at = next < 0 ? -1 : at + next;
  }
  return found;
}

/** Whether a VM had finished by its own account before a position. */
export const hasFinished = (notes: readonly NoteAt[], vmid: number, until: { readonly ticks: number }): boolean =>
  notes.some(({ code, arg, ticks }) => code === NOTES.VM_DONE.code && arg === vmid && ticks <= until.ticks);
