/**
 * The recoveries of a run, as its notes mark them. A recovery begins with a detection and goes on, whatever else is
 * detected meanwhile, until the VMs are resumed; what is detected after that begins the next one.
 */
import { isDetection, NOTES, RESET_NOTE, UserError } from '../../engine/index.ts';
import type { NoteAt } from '../base/index.ts';

export interface Recovery {
  readonly detected: NoteAt;
  /** Every hart stands still. undefined: the recovery says nothing of it. */
  readonly frozen: NoteAt | undefined;
  /** undefined: it failed, or the run ends before. */
  readonly resumed: NoteAt | undefined;
  /** Why it failed, for people; undefined when VMs were resumed. */
  readonly failure: string | undefined;
}

/** A run with more of them is no test of recovery, but a guest that writes notes without end. */
const MAX_RECOVERIES = 10_000;

/** All recoveries of a run, in order. `notes`: in order of time. @throws UserError when they are too many */
export function recoveriesIn(notes: Iterable<NoteAt>): Recovery[] {
  const found: Recovery[] = [];
  let own: { detected: NoteAt; frozen?: NoteAt; gaveUp?: NoteAt } | undefined;
  const add = (resumed: NoteAt | undefined, otherwise = 'no VM was resumed after the detection') => {
    if (!own) return;
    if (found.length === MAX_RECOVERIES) throw new UserError(`more than ${MAX_RECOVERIES} recoveries`);
    const { detected, frozen, gaveUp } = own;
    const why = gaveUp ? `the recovery gave up (reason ${gaveUp.arg})` : otherwise;
    found.push({ detected, frozen, resumed, failure: resumed ? undefined : why });
    own = undefined;
  };
  for (const note of notes) {
    if (!own) {
      if (isDetection(note.code)) own = { detected: note };
    } else if (note.code === NOTES.RESUMED.code) add(note);
    else if (note.code === RESET_NOTE) add(undefined, 'the machine was reset before a VM was resumed');
    else if (note.code === NOTES.FROZEN.code) own.frozen ??= note;
    else if (note.code === NOTES.RECOVERY_FAILED.code) own.gaveUp = note;
  }
  add(undefined);
  return found;
}

/** Whether a VM had finished by its own account before a position, and since the machine was last reset. */
export function hasFinished(notes: Iterable<NoteAt>, vmid: number, until: { readonly ticks: number }): boolean {
  let isDone = false;
  for (const { code, arg, ticks } of notes) {
    if (ticks > until.ticks) break;
    if (code === NOTES.VM_DONE.code && arg === vmid) isDone = true;
    if (code === RESET_NOTE) isDone = false;
  }
  return isDone;
}
