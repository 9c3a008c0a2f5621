/** A campaign's results as plain data: what the database holds and reports are made of. */
import type { Injection, InjectionResult, Mechanism } from './injection/index.ts';

/** Classes of one fault, in the order of tables, that any set-up can have and two faults can be made of. */
export const SINGLE_CLASSES = ['failstop', 'register', 'code', 'code-permanent', 'memory', 'csr', 'interrupt'] as const;
export type SingleClass = (typeof SINGLE_CLASSES)[number];

/**
 * Fault models that a cell can draw from, in the order of tables. `code-permanent`: a bit of code that stays wrong
 * whatever recovery copies there. `interrupt` and `device` are lost, duplicated or late interrupts and device errors.
 * `two-faults`: a second one later in the run. `in-recovery`: the second strikes while recovery from the first goes on.
 */
export const FAULT_CLASSES = [...SINGLE_CLASSES, 'device', 'two-faults', 'in-recovery'] as const;
export type FaultClass = (typeof FAULT_CLASSES)[number];

/** Whether injections of a class are of two faults. */
export const isOfTwo = (faultClass: FaultClass): boolean => faultClass === 'two-faults' || faultClass === 'in-recovery';

/** One line of the plan: so many injections of one class into one set-up under one mechanism. */
export interface CampaignCell {
  readonly id: number;
  readonly setup: string;
  readonly faultClass: FaultClass;
  readonly mechanism: Mechanism;
  /** What the campaign file calls the mechanism; in a ladder, the one whose rungs these are. */
  readonly mechanismName?: string;
  /** The rung of a ladder that this cell is: `+ timer`, or `all but timer`; undefined outside ladders. */
  readonly rung?: { readonly ladder: string; readonly step: number; readonly name: string };
  readonly size: number;
  /** Draws the cell's rows, and the set-up's schedule, latencies and workload. */
  readonly seed: number;
  /** `seed` is this evaluation seed (plan/seeds.ts), from 0; undefined: a development seed, which the file chose. */
  readonly evaluation?: number;
  /** What it draws otherwise than usual (plan/variant.ts); undefined: nothing. */
  readonly variant?: string;
}

/**
 * Cells that share setup, fault class, seed and size draw the same injections: row n of one pairs with row n of the
 * other.
 */
export interface CampaignRow {
  readonly id: number;
  readonly cell: number;
  readonly index: number;
  readonly injection: Injection;
  /** Undefined while it has not run. */
  readonly result?: InjectionResult;
  /**
   * It ended in an internal error of ours: its message. Such a row has no result and is tried again by the next run.
   */
  readonly error?: string;
}

/** What a run without any fault has on of what can be switched. */
export interface NormalOperation extends Pick<Mechanism, 'checks'> {
  readonly undoLog: boolean;
}

/** A run without any fault: what normal operation costs. */
export interface OverheadRow extends NormalOperation {
  readonly setup: string;
  /** Of schedule, latencies and workload: what a run costs varies with them by about as much as the log costs. */
  readonly seed: number;
  /** Retired in HS-mode, and in M-mode. */
  readonly hypervisorInstructions: number;
  readonly machineInstructions: number;
  readonly totalInstructions: number;
  readonly vmExits: number;
}

export interface CampaignResults {
  readonly name: string;
  /** The YAML text, as it was given. */
  readonly plan: string;
  readonly toolVersion: string;
  /** sha256 of each image that ran, by name. */
  readonly images: Readonly<Record<string, string>>;
  /** Names of the images that each set-up runs. */
  readonly imagesOf: Readonly<Record<string, readonly string[]>>;
  readonly cells: readonly CampaignCell[];
  readonly rows: readonly CampaignRow[];
  readonly overhead: readonly OverheadRow[];
}
