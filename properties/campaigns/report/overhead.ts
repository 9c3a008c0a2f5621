/**
 * What normal operation costs: hypervisor instructions of fault-free runs with and without the undo log. Relies on the
 * campaign's overhead rows; several rows of one kind (seeds) are added up.
 */
import type { OverheadRow } from '../types.ts';

interface OverheadSide {
  readonly hypervisorInstructions: number;
  readonly totalInstructions: number;
  readonly vmExits: number;
  /** Hypervisor instructions of all instructions, 0…1. */
  readonly hypervisorShare: number | null;
}

export interface OverheadSummary {
  readonly setup: string;
  readonly without: OverheadSide | null;
  readonly with: OverheadSide | null;
  /** What the undo log adds to hypervisor instructions, 0…1 of those without it. */
  readonly added: number | null;
  /** The same over all instructions. */
  readonly addedInAll: number | null;
}

/** One summary for each set-up, in the order given. */
export function overheads(rows: readonly OverheadRow[]): OverheadSummary[] {
  return [...Map.groupBy(rows, (row) => row.setup)].map(([setup, ofSetup]) => {
    const side = (undoLog: boolean) => sideOf(ofSetup.filter((row) => row.undoLog === undoLog));
    const [without, withLog] = [side(false), side(true)];
    const added = (unit: 'hypervisorInstructions' | 'totalInstructions') =>
      without && withLog && without[unit] > 0 ? withLog[unit] / without[unit] - 1 : null;
    return {
      setup,
      without,
      with: withLog,
      added: added('hypervisorInstructions'),
      addedInAll: added('totalInstructions'),
    };
  });
}

function sideOf(rows: readonly OverheadRow[]): OverheadSide | null {
  if (rows.length === 0) return null;
  const sum = (unit: 'hypervisorInstructions' | 'totalInstructions' | 'vmExits') =>
    rows.reduce((total, row) => total + row[unit], 0);
  const totalInstructions = sum('totalInstructions');
  const hypervisorInstructions = sum('hypervisorInstructions');
  return {
    hypervisorInstructions,
    totalInstructions,
    vmExits: sum('vmExits'),
    hypervisorShare: totalInstructions > 0 ? hypervisorInstructions / totalInstructions : null,
  };
}
