/**
 * What a control and status register is. Access rules follow from its number: bits 11:10 = 3 read-only; bits 9:8 =
 * lowest privilege (0 U, 1 S, 2 HS and VS, 3 M).
 * @see Volume II, section 2.1, "CSR Address Mapping Conventions"
 */
import type { BitField } from './fields.ts';

export type CsrPrivilege = 'U' | 'S' | 'H' | 'M';

/**
 * Where a value comes from: `state`, the field of the hart; `status`, the same with SD; `pending`, all interrupts that
 * are pending; the rest are functions of the core. The order gives the numbers by which the core knows them.
 */
export const CSR_SOURCES = [
  ...(['state', 'zero', 'status', 'pending', 'cycle', 'time', 'instret', 'henvcfg', 'misa', 'noTrigger'] as const),
] as const;
/**
 * What a write does: nothing; replace the writable bits; or a rule of the core's own, which the manual's WARL rules
 * need.
 */
export const CSR_WRITES = [
  ...(['none', 'masked', 'status', 'mstatus', 'vector', 'satp', 'hgatp', 'envcfg', 'henvcfg', 'mip'] as const),
  ...(['float', 'cycle', 'instret', 'inhibit', 'pmpConfig', 'pmpAddress'] as const),
] as const;
/** What must follow a write. The core knows each by the bit of its place here. */
export const CSR_EFFECTS = ['contexts', 'interrupts', 'timers', 'flush'] as const;
/** What besides the privilege decides over an access. */
export const CSR_GUARDS = ['none', 'float', 'counter', 'virtualMemory', 'sstc'] as const;

export interface Implementation {
  readonly source: (typeof CSR_SOURCES)[number];
  /** Field of the hart that it reads, and what of it software sees, before `shift`. */
  readonly state: string;
  readonly element: number;
  readonly visible: bigint;
  /** A field of the hart whose zeros hide bits from reads and writes; undefined: none does. */
  readonly gate: string | undefined;
  /** The field's bit that is bit 0 of the register. */
  readonly shift: number;
  readonly write: (typeof CSR_WRITES)[number];
  /** Field that a write goes to, and the bits that it may change, before `shift`. */
  readonly target: string;
  readonly writable: bigint;
  readonly effects: readonly (typeof CSR_EFFECTS)[number][];
  readonly guard: (typeof CSR_GUARDS)[number];
  /** The CSR that the name means in VS-mode. */
  readonly twin: string | undefined;
  /** As software sees them. */
  readonly fields: readonly BitField[];
}

export interface Csr {
  readonly number: number;
  readonly name: string;
  readonly privilege: CsrPrivilege;
  readonly readOnly: boolean;
  /** undefined: the machine does not have it, and every access is an illegal instruction. */
  readonly implementation: Implementation | undefined;
}
