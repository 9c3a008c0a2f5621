/**
 * What a set-up is measured with when nothing fails: undo log and self-checks, from nothing to all, each self-check
 * left out once and on by itself once. Knows no self-check by name.
 */
import type { NormalOperation } from '../types.ts';
import { chosenChecks } from './ladder.ts';

/** Equal for the same kind of operation. */
export const operationKey = ({ undoLog, checks }: NormalOperation): string => JSON.stringify([undoLog, checks]);

/** In the order of tables: nothing, the undo log alone, everything, all checks but one, one check alone. */
export function operations(checks: readonly string[]): NormalOperation[] {
  const leftOut = checks.map((name) => checks.filter((other) => other !== name));
  const lists = [[], checks, ...leftOut, ...checks.map((name) => [name])];
  const withLog = lists.map((on): NormalOperation => {
    const chosen = chosenChecks(on, checks);
    return chosen === undefined ? { undoLog: true } : { undoLog: true, checks: chosen };
  });
  const all: NormalOperation[] = [{ undoLog: false, checks: [] }, ...withLog];
  return [...new Map(all.map((one) => [operationKey(one), one])).values()];
}
