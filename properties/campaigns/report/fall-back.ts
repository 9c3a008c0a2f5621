/**
 * NiLiHype apart from the reboot that it falls back to: a microreset that failed before it resumed a VM is a failure of
 * NiLiHype proper, whatever the reboot behind it did. Relies on results that say so (`fellBack`).
 */
import type { InjectionResult, Mechanism } from '../injection/index.ts';
import { rateOfRows } from './bootstrap.ts';
import type { RanRow } from './groups.ts';
import { type Coverage, tallyOf } from './outcomes.ts';
import type { Rate } from './statistics.ts';

/** A group of NiLiHype, fall-backs counted as failures. */
export interface Proper {
  /** Of the detected: recoveries that fell back to a reboot. */
  readonly fellBack: Rate;
  readonly success: Coverage;
  readonly noVmf: Coverage;
}

/** The same result, a failure if it was recovered by a reboot behind a microreset. */
export const judgedProper = (result: InjectionResult): InjectionResult =>
  result.fellBack ? { ...result, success: false, noVmf: false } : result;

/** Of the detected among rows. */
export const fellBackOf = (rows: readonly RanRow[]): Rate =>
  rateOfRows(
    rows.filter(({ result }) => result.effect === 'detected'),
    ({ result }) => result.fellBack === true,
  );

/** Whether some row of a campaign says that a second try was a reboot. */
export const anyFallBack = (rows: readonly RanRow[]): boolean => rows.some(({ result }) => result.fellBack === true);

/** null of another mechanism, which falls back to nothing. */
export function properOf(recovery: Mechanism['recovery'], rows: readonly RanRow[]): Proper | null {
  if (recovery !== 'nilihype') return null;
  const { success, noVmf } = tallyOf(rows.map((row) => ({ ...row, result: judgedProper(row.result) })));
  return { fellBack: fellBackOf(rows), success, noVmf };
}
