/**
 * Outcomes by what was hit, for classes whose targets are of few kinds: CSRs by name, memory by kind, interrupts by
 * line and effect, devices by kind, two faults by their classes; and how often the second of two faults struck at all.
 * Relies on the plan for what was hit, so that rows under several mechanisms stand in the same line.
 */
import type { Fault } from '../../../engine/index.ts';
import { type Injection, isUndetected, SECOND_MISSED, type SecondMissed } from '../injection/index.ts';
import { type FaultClass, isOfTwo } from '../types.ts';
import { rateOfRows } from './bootstrap.ts';
import { fellBackOf } from './fall-back.ts';
import { type Group, groupBy, type RanRow } from './groups.ts';
import { tallyOf } from './outcomes.ts';
import type { Rate } from './statistics.ts';

interface Subject {
  readonly setup: string;
  readonly faultClass: FaultClass;
  readonly mechanism: string;
}

export interface TargetSummary extends Subject {
  /** `hgatp`, `page-table`, `timer lost`, `disk`, `failstop, then register`. */
  readonly target: string;
  readonly injected: number;
  /** Neither detected nor without a visible effect. */
  readonly harmUnseen: Rate;
  readonly latent: Rate;
  readonly detected: Rate;
  /** Of the detected. */
  readonly success: Rate;
  readonly noVmf: Rate;
}

export interface SecondSummary extends Subject {
  /** Runs that the first fault struck. */
  readonly first: number;
  /** Of these: the second never struck, and the run ended as with the first alone. */
  readonly missed: readonly { readonly why: SecondMissed; readonly count: number; readonly success: Rate }[];
  /** Runs that both faults struck. */
  readonly both: number;
  readonly detected: Rate;
  readonly success: Rate;
  readonly noVmf: Rate;
  /** Of the detected that both struck: a microreset failed and a reboot followed. */
  readonly fellBack: Rate;
}

/** In the order of groups; targets in the order of the alphabet. */
export function targetsOf(groups: readonly Group[]): TargetSummary[] {
  return groups.flatMap(({ setup, faultClass, mechanism, rows }) => {
    const named = rows.flatMap((row) => {
      const target = targetOf(faultClass, row.injection);
      return target === undefined ? [] : [{ target, row }];
    });
    return groupBy(named, ({ target }) => [target])
      .map((alike) => ({ target: alike[0]!.target, hit: alike.map(({ row }) => row) }))
      .sort((a, b) => (a.target < b.target ? -1 : 1))
      .map(({ target, hit }) => ({ setup, faultClass, mechanism, target, ...outcomeOf(hit) }));
  });
}

function outcomeOf(rows: readonly RanRow[]) {
  const { injected, effects, success, noVmf } = tallyOf(rows);
  const { latent, detected } = effects;
  const struck = rows.filter(({ result }) => result.effect !== 'not-reached');
  const harmUnseen = rateOfRows(struck, ({ result }) => isUndetected(result.effect));
  return {
    ...{ injected, harmUnseen, latent, detected },
    ...{ success: success.detected, noVmf: noVmf.detected },
  };
}

/** Of the classes with two faults. */
export function secondsOf(groups: readonly Group[]): SecondSummary[] {
  return groups
    .filter(({ faultClass }) => isOfTwo(faultClass))
    .map(({ setup, faultClass, mechanism, rows }) => {
      const struck = rows.filter(({ result }) => result.second !== undefined);
      const both = struck.filter(({ result }) => result.second!.hit !== undefined);
      const { detected, success, noVmf } = outcomeOf(both);
      return {
        ...{ setup, faultClass, mechanism, first: struck.length, both: both.length },
        missed: SECOND_MISSED.map((why) => {
          const alike = struck.filter(({ result }) => result.second!.missed === why);
          return { why, count: alike.length, success: tallyOf(alike).success.detected };
        }),
        ...{ detected, success, noVmf, fellBack: fellBackOf(both) },
      };
    });
}

function targetOf(faultClass: FaultClass, { fault, memory, second }: Injection): string | undefined {
  if (isOfTwo(faultClass) && second) return `${classOf(fault)}, then ${classOf(second.fault)}`;
  switch (fault.model) {
    case 'csr':
      return fault.csr;
    case 'memory':
      return memory;
    case 'interrupt':
      return `${typeof fault.line === 'number' ? 'device' : fault.line} ${fault.effect}`;
    case 'device':
      return fault.effect === 'io-error' ? 'disk' : 'network';
    default:
      return undefined;
  }
}

const classOf = (fault: Fault): string =>
  fault.model === 'code' && fault.repair === 'stuck' ? 'code-permanent' : fault.model;
