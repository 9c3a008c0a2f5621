/**
 * Counts of a cell's outcomes, kept up to date row by row. Rates and intervals are made from them by
 * report/statistics.ts.
 */
import type { InjectionResult } from './injection/index.ts';

export interface CellTally {
  /** Rows of the plan. */
  readonly size: number;
  /** Rows that have a result. */
  done: number;
  notReached: number;
  nonManifested: number;
  latent: number;
  announcedError: number;
  undetectedHang: number;
  machineDeath: number;
  sdc: number;
  detected: number;
  /** Of the detected ones. */
  success: number;
  noVmf: number;
  /** Rows that ended in an internal error of ours, and have no result. */
  errors: number;
}

export const emptyTally = (size: number): CellTally => ({
  size,
  done: 0,
  notReached: 0,
  nonManifested: 0,
  latent: 0,
  announcedError: 0,
  undetectedHang: 0,
  machineDeath: 0,
  sdc: 0,
  detected: 0,
  success: 0,
  noVmf: 0,
  errors: 0,
});

const COUNTER = {
  'not-reached': 'notReached',
  'non-manifested': 'nonManifested',
  latent: 'latent',
  'announced-error': 'announcedError',
  'undetected-hang': 'undetectedHang',
  'machine-death': 'machineDeath',
  sdc: 'sdc',
  detected: 'detected',
} as const satisfies Record<InjectionResult['effect'], keyof CellTally>;

/** Counts one result. */
export function count(
  tally: CellTally,
  { effect, success, noVmf }: Pick<InjectionResult, 'effect' | 'success' | 'noVmf'>,
): void {
  tally.done++;
  tally[COUNTER[effect]]++;
  if (effect !== 'detected') return;
  if (success) tally.success++;
  if (noVmf) tally.noVmf++;
}

/** Injected faults: rows whose trigger was reached. */
export const injected = (tally: CellTally): number => tally.done - tally.notReached;
