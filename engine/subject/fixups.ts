/** Words of our own hypervisor and firmware that the machine has none of: what their recovery's switches are called. */
import { noteText as generalText, NOTES } from '../machine/index.ts';

/**
 * The enhancements of a recovery; each one's place is its bit in `enhance=`. What they resolve: lazarus/fixups.c, and
 * for `text`, `stacks`, `stop` and `again` firmware/recovery.c.
 */
export const FIXUPS = [
  'locks',
  'irq',
  'timer',
  'sched',
  'retry',
  'nesting',
  'statics',
  'recurring',
  'frames',
  'undo',
  'multicall',
  'lists',
  'csrs',
  'text',
  'stacks',
  'stop',
  'again',
] as const;

/**
 * What Lazarus asks itself in normal operation, beyond what its work needs; each one's place is its bit in `checks=`.
 * What they compare: lazarus/README.md. No name is also that of an enhancement, so that one list can hold both.
 */
export const CHECKS = [
  'code',
  'copies',
  'memcpy',
  'walks',
  'twice',
  'calls',
  'found',
  'rates',
  'unseen',
  'headers',
  'exits',
] as const;

/** A note as text, fix-ups by their names. */
export const noteText = (code: number, arg: number): string =>
  generalText(code, code === NOTES.FIXUP.code ? (FIXUPS[arg] ?? arg) : arg);
