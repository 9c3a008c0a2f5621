/** Symptoms as plain data. `a` is the failed run, `g` the golden one. */
import type { Mode, TrapLoop } from '../../engine/index.ts';
import type { Position } from '../base/index.ts';

/**
 * Where something happens: the position right before it, as hits of searches have it. Going there shows the state that
 * led to it.
 */
export interface SymptomPlace extends Position {
  /** The hart that does it, and its next instruction. Absent: a device does it by itself, or it is the end of a run. */
  readonly hart?: number;
  readonly pc?: bigint;
  readonly mode?: Mode;
  /** hgatp.VMID of that hart. */
  readonly vmid?: number;
}

export type Symptom = DetectedSymptom | OutputSymptom | MissingSymptom | StuckSymptom | EndedSymptom | DiskSymptom;

/** The hypervisor says that it has failed. */
export interface DetectedSymptom {
  readonly kind: 'detected';
  readonly at: SymptomPlace;
  /** The note's, and what it says. */
  readonly code: number;
  readonly arg: number;
  readonly message: string;
  /** Why its recovery failed; absent when VMs were resumed. */
  readonly failure?: string;
}

/**
 * The first console line of a VM, or of all other software together, that the golden run does not print so. Of other
 * software the order of lines does not count, for harts take turns.
 */
export interface OutputSymptom {
  readonly kind: 'output';
  /** By the line's prefix; undefined: firmware and hypervisor. */
  readonly speaker: number | undefined;
  /** Numbers from 1, of the lines of this speaker, and the lines, prefixes included. */
  readonly line: number;
  readonly text: string;
  /** What the golden run prints in its place; absent: nothing, the line is one too many. */
  readonly golden?: { readonly line: number; readonly text: string; readonly at: SymptomPlace };
  /** Both lines are printed in both runs, but in another order. */
  readonly isOrder: boolean;
  /** The first byte of the line that differs, from 0. */
  readonly byte: number;
  /** What prints that byte. */
  readonly at: SymptomPlace;
}

/** The golden run prints a line, or a VM of it says that it has finished, and the failed run never does. */
export interface MissingSymptom {
  readonly kind: 'missing';
  readonly what: 'line' | 'finished';
  /** As for output; of `finished`, the VM. */
  readonly speaker: number | undefined;
  /** Number among the golden run's lines of this speaker, its text, and the first byte that is not printed. */
  readonly line?: number;
  readonly text?: string;
  readonly byte?: number;
  /** Lines of the speaker behind it that are missing, too. */
  readonly further: number;
  /** What the golden run does to print that byte, or to say so. */
  readonly golden: SymptomPlace;
}

/**
 * A vCPU that the golden run enters again, or leaves, and the failed one does not, although it goes on for longer than
 * the golden run ever waits for it, or says that the VM has finished.
 */
export interface StuckSymptom {
  readonly kind: 'stuck';
  readonly vmid: number;
  /** sscratch while it runs, where that tells the vCPUs of this VM apart. */
  readonly vcpu?: bigint;
  /** `outside`: it is not entered any more; `inside`: it is not left. */
  readonly where: 'outside' | 'inside';
  /** The last time it was left, or entered; absent: it never was. */
  readonly at?: SymptomPlace;
  /** Its VM is said to have finished by then, which it had not. */
  readonly isGivenUp: boolean;
  /** Why it was left. */
  readonly cause?: { readonly number: number; readonly interrupt: boolean; readonly name: string };
  /** How often it has been entered: by then in the failed run, and before `golden` in the golden run. */
  readonly entries: { readonly a: number; readonly g: number };
  /** What the golden run does next with a vCPU that has come as far: the entry, or the exit. */
  readonly golden: SymptomPlace;
}

/** The run ends in another way. */
export interface EndedSymptom {
  readonly kind: 'ended';
  /**
   * `end`: by itself, and not as the golden run; `reset`: the machine starts over; `trap-loop`: harts do nothing but
   * trap; `goes-on`: it has not ended where the recording does, and the golden run had.
   */
  readonly how: 'end' | 'reset' | 'trap-loop' | 'goes-on';
  /** The end; the reset; or the first trap of the first of the loops. */
  readonly at: SymptomPlace;
  /** How it ended, for people; of the golden run absent where it goes on, too. */
  readonly end: string;
  readonly golden?: { readonly end: string; readonly at: SymptomPlace };
  /** The harts in trap loops at the end, which are in no such loop in the golden run, and their first traps. */
  readonly loops: readonly (TrapLoop & { readonly since: SymptomPlace })[];
}

/** A disk does not hold at the end what it holds at the end of the golden run. */
export interface DiskSymptom {
  readonly kind: 'disk';
  /** The end of the run. */
  readonly at: SymptomPlace;
  readonly golden: SymptomPlace;
  /** virtio slot. */
  readonly slot: number;
  /** Pages of 4 KiB that differ. */
  readonly pages: number;
  /** The first byte that differs, from the start of the disk, and both values. */
  readonly offset: number;
  readonly a: number;
  readonly g: number;
}
