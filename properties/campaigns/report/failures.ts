/**
 * The rows that did not end well, each with its cause and the command that shows it again. Relies on results as they
 * are; causes are the injector's.
 */
import { shellLine } from '../../../engine/index.ts';
import { isUndetected, type Mechanism, UNDETECTED, type UndetectedEffect } from '../injection/index.ts';
import { groupBy, mechanismLabels, type RanCell, type RanRow, recoveryName } from './groups.ts';

/** `failed`: detected, no success. `vm lost`: a success that one AppVM did not survive. Others: harm undetected. */
export type FailureKind = 'failed' | 'vm lost' | UndetectedEffect;

export interface Failure {
  readonly id: number;
  readonly kind: FailureKind;
  readonly setup: string;
  readonly faultClass: string;
  readonly mechanism: string;
  readonly recovery: Mechanism['recovery'];
  /** Of a ladder: `ladder: + timer`. */
  readonly rung: string | null;
  readonly cause: string;
  readonly detail: string;
  /** Where the fault struck: symbol or pc, and what the bit belongs to. */
  readonly hit: string;
  readonly detection: string;
  readonly command: string;
}

/** A row on which dejavm itself failed: it has no outcome, and the next run of the campaign tries it again. */
export interface InternalError {
  readonly id: number;
  readonly message: string;
  readonly command: string;
}

/** Failures alike, with the rows to look at first. */
export interface FailureGroup {
  readonly kind: FailureKind;
  readonly setup: string;
  readonly faultClass: string;
  readonly mechanism: string;
  readonly cause: string;
  readonly count: number;
  readonly ids: readonly number[];
  /** Reproduces the first of them. */
  readonly command: string;
}

/** The command that runs a row of a results database again. */
export function reproduceCommand(database: string, id: number): string {
  return shellLine(['dejavm', 'inject', `${database}#${id}`]);
}

/** Every row without an outcome because of an error of ours, by id. */
export function internalErrors(cells: readonly RanCell[], database: string): InternalError[] {
  return cells
    .flatMap(({ errors }) => errors)
    .map(({ id, message }) => ({ id, message, command: reproduceCommand(database, id) }))
    .sort((a, b) => a.id - b.id);
}

/** Every row that failed, lost a VM or was silently wrong, by id. */
export function failuresOf(cells: readonly RanCell[], database: string): Failure[] {
  const label = mechanismLabels(cells.filter(({ cell }) => !cell.rung).map(({ cell }) => cell));
  return cells
    .flatMap(({ cell, rows }) =>
      rows.flatMap((row): Failure[] => {
        const kind = failureOf(row);
        if (!kind) return [];
        const { cause, causeDetail, detection } = row.result;
        return [
          {
            id: row.id,
            kind,
            setup: cell.setup,
            faultClass: cell.faultClass,
            mechanism: cell.rung ? recoveryName(cell.mechanism.recovery) : label(cell),
            recovery: cell.mechanism.recovery,
            rung: cell.rung ? `${cell.rung.ladder}: ${cell.rung.name}` : null,
            cause: cause ?? (isUndetected(row.result.effect) ? CAUSES_UNDETECTED[row.result.effect] : 'not given'),
            detail: causeDetail ?? lostVms(row),
            hit: hitOf(row),
            detection: detection ?? '',
            command: reproduceCommand(database, row.id),
          },
        ];
      }),
    )
    .sort((a, b) => a.id - b.id);
}

const CAUSES_UNDETECTED: Record<UndetectedEffect, string> = {
  sdc: 'silent corruption',
  'undetected-hang': 'undetected hang',
  'announced-error': 'announced error',
  'machine-death': 'machine death',
};

const KINDS: readonly FailureKind[] = ['failed', 'vm lost', ...UNDETECTED];

/** Neither on a rung of a ladder, where enhancements are missing on purpose, nor without any recovery. */
export const isUnexpected = ({ rung, recovery }: Failure): boolean => rung === null && recovery !== 'none';

/** Unexpected failures by kind, cause and group: failed before VM lost before undetected, most frequent first. */
export function groupFailures(failures: readonly Failure[]): FailureGroup[] {
  const main = failures.filter(isUnexpected);
  return groupBy(main, (one) => [one.kind, one.cause, one.setup, one.faultClass, one.mechanism])
    .map((alike) => {
      const { kind, cause, setup, faultClass, mechanism, command } = alike[0]!;
      return {
        kind,
        cause,
        setup,
        faultClass,
        mechanism,
        command,
        count: alike.length,
        ids: alike.map(({ id }) => id),
      };
    })
    .sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || b.count - a.count || a.ids[0]! - b.ids[0]!);
}

/** How a row ended badly; undefined when it did not. */
export function failureOf({ result }: RanRow): FailureKind | undefined {
  if (isUndetected(result.effect)) return result.effect;
  if (result.effect !== 'detected' || result.noVmf) return undefined;
  return result.success ? 'vm lost' : 'failed';
}

function lostVms({ result }: RanRow): string {
  return result.vms
    .filter(({ ok }) => !ok)
    .map(({ name, reason }) => `${name}: ${reason ?? 'not as in the golden run'}`)
    .join('; ');
}

function hitOf({ result: { hit } }: RanRow): string {
  if (!hit) return '';
  return `${hit.symbol ?? `0x${hit.pc.toString(16)}`}, ${hit.target}`;
}
