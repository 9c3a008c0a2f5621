/**
 * What normal operation costs: instructions of fault-free runs in HS-mode, in M-mode and in all, with undo log and
 * self-checks and without, as shares of all instructions of the run with everything off; and beside what each check
 * costs what it is worth, by the ladders that leave it out. Relies on the campaign's overhead rows; several rows of one
 * kind (seeds) are added up.
 */
import { CHECKS } from '../../../engine/index.ts';
import { checksText, type Mechanism } from '../injection/index.ts';
import { operationKey, operations } from '../plan/index.ts';
import type { NormalOperation, OverheadRow } from '../types.ts';
import type { LadderSummary } from './ladders.ts';
import type { Rate } from './statistics.ts';

/** Instructions added, 0…1 of all instructions of the run with everything off; negative where a run is shorter. */
interface Cost {
  readonly hypervisor: number;
  readonly machine: number;
  readonly all: number;
}

interface OperationSummary extends NormalOperation {
  /** `undo log; self-checks all but code`. */
  readonly name: string;
  readonly hypervisorInstructions: number;
  readonly machineInstructions: number;
  readonly totalInstructions: number;
  readonly vmExits: number;
  /** Of all instructions of this run, 0…1. */
  readonly hypervisorShare: number | null;
  readonly machineShare: number | null;
  /** Against everything off; null where that has not run. */
  readonly added: Cost | null;
  /** The same of the hypervisor's own instructions. */
  readonly addedToHypervisor: number | null;
}

/** How recoveries fare without a check: a rung that leaves it out, against all checks. */
interface CheckWorth {
  readonly faultClass: string;
  readonly recovery: Mechanism['recovery'];
  /** Success of detected without the check, and with all. */
  readonly success: Rate;
  readonly successOfAll: Rate;
  /** Silent data corruption of injected without the check, and with all. */
  readonly silent: Rate;
  readonly silentOfAll: Rate;
}

interface CheckSummary {
  readonly check: string;
  /** What all checks cost more than all but this one; null where one of them has not run. */
  readonly leftOut: Cost | null;
  /** What this one costs by itself. */
  readonly alone: Cost | null;
  readonly worth: readonly CheckWorth[];
}

export interface OverheadSummary {
  readonly setup: string;
  readonly operations: readonly OperationSummary[];
  /** What the undo log alone adds to hypervisor instructions, 0…1 of those with everything off. */
  readonly added: number | null;
  /** The same over all instructions. */
  readonly addedInAll: number | null;
  readonly checks: readonly CheckSummary[];
}

const OFF: NormalOperation = { undoLog: false, checks: [] };
const LOG: NormalOperation = { undoLog: true, checks: [] };
const ALL: NormalOperation = { undoLog: true };
const COUNTS = ['hypervisorInstructions', 'machineInstructions', 'totalInstructions', 'vmExits'] as const;
type Counts = Readonly<Record<(typeof COUNTS)[number], number>>;

/** One summary for each set-up, in the order given. */
export function overheads(rows: readonly OverheadRow[], ladders: readonly LadderSummary[]): OverheadSummary[] {
  const order = operations(CHECKS).map(operationKey);
  const placeOf = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  return [...Map.groupBy(rows, (row) => row.setup)].map(([setup, ofSetup]) => {
    const kinds = [...Map.groupBy(ofSetup, operationKey)].sort(([a], [b]) => placeOf(a) - placeOf(b));
    const counts = new Map(kinds.map(([key, same]) => [key, countsOf(same)]));
    const [off, log] = [counts.get(operationKey(OFF)), counts.get(operationKey(LOG))];
    const cost = (more: NormalOperation, less: NormalOperation) =>
      costOf(counts.get(operationKey(more)), counts.get(operationKey(less)), off);
    return {
      setup,
      operations: kinds.map(([key, [{ undoLog, checks } = ALL]]) => {
        const operation = { undoLog, ...(checks && { checks }) };
        return summarise(operation, counts.get(key)!, off);
      }),
      added: growth(log, off, 'hypervisorInstructions'),
      addedInAll: growth(log, off, 'totalInstructions'),
      checks: CHECKS.map((check) => ({
        check,
        leftOut: cost(ALL, { undoLog: true, checks: CHECKS.filter((other) => other !== check) }),
        alone: cost({ undoLog: true, checks: [check] }, LOG),
        worth: worthOf(check, setup, ladders),
      })).filter(({ leftOut, alone, worth }) => leftOut !== null || alone !== null || worth.length > 0),
    };
  });
}

function countsOf(rows: readonly OverheadRow[]): Counts {
  const sum = (unit: keyof Counts) => rows.reduce((total, row) => total + row[unit], 0);
  return {
    hypervisorInstructions: sum('hypervisorInstructions'),
    machineInstructions: sum('machineInstructions'),
    totalInstructions: sum('totalInstructions'),
    vmExits: sum('vmExits'),
  };
}

function summarise(operation: NormalOperation, counts: Counts, off: Counts | undefined): OperationSummary {
  const { hypervisorInstructions, machineInstructions, totalInstructions } = counts;
  const share = (part: number) => (totalInstructions > 0 ? part / totalInstructions : null);
  const { undoLog, checks } = operation;
  return {
    ...operation,
    name: `${undoLog ? 'undo log' : 'no undo log'}; ${checks ? checksText(checks) : 'all self-checks'}`,
    ...counts,
    hypervisorShare: share(hypervisorInstructions),
    machineShare: share(machineInstructions),
    added: costOf(counts, off, off),
    addedToHypervisor: growth(counts, off, 'hypervisorInstructions'),
  };
}

function costOf(more: Counts | undefined, less: Counts | undefined, off: Counts | undefined): Cost | null {
  if (!more || !less || !off || off.totalInstructions === 0) return null;
  const share = (unit: keyof Counts) => (more[unit] - less[unit]) / off.totalInstructions;
  return {
    hypervisor: share('hypervisorInstructions'),
    machine: share('machineInstructions'),
    all: share('totalInstructions'),
  };
}

const growth = (more: Counts | undefined, less: Counts | undefined, unit: keyof Counts): number | null =>
  more && less && less[unit] > 0 ? more[unit] / less[unit] - 1 : null;

function worthOf(check: string, setup: string, ladders: readonly LadderSummary[]): CheckWorth[] {
  return ladders.flatMap(({ setup: its, kind, faultClass, recovery, rungs }) => {
    if (its !== setup || kind !== 'leave-one-out') return [];
    const all = rungs.find(({ checks }) => checks === undefined);
    const without = rungs.find(({ checks }) => checks?.length === CHECKS.length - 1 && !checks.includes(check));
    if (!all || !without || without.enhance.length !== all.enhance.length) return [];
    return {
      faultClass,
      recovery,
      success: without.success,
      successOfAll: all.success,
      silent: without.silent,
      silentOfAll: all.silent,
    };
  });
}
