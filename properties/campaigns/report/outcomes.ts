/**
 * What became of a set of injections: effects, rates, VMs affected, detectors, causes, VM-state equivalence. Relies on
 * the injection's contract for the meaning of each field and counts it; classifies nothing anew.
 */
import {
  type Detector,
  type Effect,
  type FailureCause,
  type InjectionResult,
  isUndetected,
} from '../injection/index.ts';
import { rateOfRows } from './bootstrap.ts';
import type { RanRow } from './groups.ts';
import { type Rate, type Spread, spreadOf } from './statistics.ts';

/** One yes/no outcome over three denominators. */
export interface Coverage {
  /** Of faults that a detector saw. */
  readonly detected: Rate;
  /** As the papers count: of faults that a detector saw or that did harm undetected, none of which counts as good. */
  readonly manifested: Rate;
  /** Stricter: of these and of the latent, of which none counts as good either. */
  readonly manifestedOrLatent: Rate;
  /** Of all faults injected: those that did no visible harm (non-manifested, latent) count as good. */
  readonly injected: Rate;
}

export interface DetectorSummary {
  readonly detector: Detector | 'unknown';
  readonly share: Rate;
  /** Instructions of all harts from injection to detection. */
  readonly latency: Spread | null;
}

export interface Tally {
  readonly run: number;
  readonly notReached: number;
  /** Run and reached: the denominator of all effects. */
  readonly injected: number;
  readonly manifested: number;
  readonly effects: {
    readonly nonManifested: Rate;
    readonly latent: Rate;
    readonly announcedError: Rate;
    readonly undetectedHang: Rate;
    readonly machineDeath: Rate;
    readonly sdc: Rate;
    readonly detected: Rate;
  };
  readonly success: Coverage;
  readonly noVmf: Coverage;
  /** How many runs lost how many VMs, over detected faults: index = VMs affected. */
  readonly vmsAffected: readonly number[];
  /** The same over harm that nothing detected. */
  readonly vmsAffectedSilently: readonly number[];
  readonly detectors: readonly DetectorSummary[];
  readonly detectionLatency: Spread | null;
  /** Most frequent first; rates over detected. */
  readonly causes: readonly { readonly cause: FailureCause; readonly share: Rate }[];
  /** Runs detected more than once: the hypervisor failed again after a recovery. */
  readonly detectedAgain: Rate;
  readonly equivalence: {
    /** Of the recoveries compared, those that changed no VM. */
    readonly equivalent: Rate;
    readonly reasons: readonly { readonly reason: string; readonly count: number }[];
  };
}

/** Counts rows. Never divides by zero: rates of nothing have no share. */
export function tallyOf(rows: readonly RanRow[]): Tally {
  const among = (is: (result: InjectionResult) => boolean) => rows.filter(({ result }) => is(result));
  const injected = among(({ effect }) => effect !== 'not-reached');
  const manifested = among(({ effect }) => effect === 'detected' || isUndetected(effect));
  const manifestedOrLatent = among(
    ({ effect }) => effect === 'detected' || effect === 'latent' || isUndetected(effect),
  );
  const detected = among(({ effect }) => effect === 'detected');
  const undetected = among(({ effect }) => isUndetected(effect));
  const compared = detected.filter(({ result }) => result.equivalence !== undefined);
  const rate = (of: readonly RanRow[], is: (result: InjectionResult) => boolean) =>
    rateOfRows(of, ({ result }) => is(result));
  const ofEffect = (wanted: Effect) => rate(injected, ({ effect }) => effect === wanted);
  const isHarmless = ({ effect }: InjectionResult) => effect === 'non-manifested' || effect === 'latent';
  const coverage = (recovered: (result: InjectionResult) => boolean): Coverage => ({
    detected: rate(detected, recovered),
    manifested: rate(manifested, recovered),
    manifestedOrLatent: rate(manifestedOrLatent, recovered),
    injected: rate(injected, (result) => recovered(result) || isHarmless(result)),
  });
  const detectorOf = ({ detector }: InjectionResult) => detector ?? 'unknown';
  const latencies = (of: readonly RanRow[]) => spreadOf(of.flatMap(({ result }) => result.detectionInstructions ?? []));
  return {
    run: rows.length,
    notReached: rows.length - injected.length,
    injected: injected.length,
    manifested: manifested.length,
    effects: {
      nonManifested: ofEffect('non-manifested'),
      latent: ofEffect('latent'),
      announcedError: ofEffect('announced-error'),
      undetectedHang: ofEffect('undetected-hang'),
      machineDeath: ofEffect('machine-death'),
      sdc: ofEffect('sdc'),
      detected: ofEffect('detected'),
    },
    success: coverage(({ effect, success }) => effect === 'detected' && success),
    noVmf: coverage(({ effect, noVmf }) => effect === 'detected' && noVmf),
    vmsAffected: histogram(detected.map(({ result }) => result.vmsAffected)),
    vmsAffectedSilently: histogram(undetected.map(({ result }) => result.vmsAffected)),
    detectors: countsOf(detected.map(({ result }) => detectorOf(result))).map(([detector]) => ({
      detector,
      share: rate(detected, (result) => detectorOf(result) === detector),
      latency: latencies(detected.filter(({ result }) => detectorOf(result) === detector)),
    })),
    detectionLatency: latencies(detected),
    causes: countsOf(detected.flatMap(({ result }) => result.cause ?? [])).map(([cause]) => ({
      cause,
      share: rate(detected, (result) => result.cause === cause),
    })),
    detectedAgain: rate(detected, ({ detections }) => detections > 1),
    equivalence: {
      equivalent: rate(compared, ({ equivalence }) => equivalence!.equivalent),
      reasons: countsOf(compared.flatMap(({ result }) => result.equivalence!.reasons)).map(([reason, count]) => ({
        reason,
        count,
      })),
    },
  };
}

/** How often each value occurs, most frequent first, ties in the order of the alphabet. */
function countsOf<T extends string>(values: readonly T[]): [T, number][] {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
}

function histogram(values: readonly number[]): number[] {
  // Not spread into Math.max: a group may have more rows than a call may have arguments.
  const bins = new Array<number>(values.reduce((most, value) => Math.max(most, value), -1) + 1).fill(0);
  for (const value of values) bins[value]!++;
  return bins;
}
