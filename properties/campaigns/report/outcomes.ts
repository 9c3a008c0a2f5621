/**
 * What became of a set of injections: effects, rates, VMs affected, detectors, causes, VM-state equivalence. Relies on
 * the injection's contract for the meaning of each field and counts it; classifies nothing anew.
 */
import { type Detector, type Effect, type FailureCause, isUndetected } from '../injection/index.ts';
import type { RanRow } from './groups.ts';
import { type Rate, rateOf, type Spread, spreadOf } from './statistics.ts';

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
  const results = rows.map((row) => row.result);
  const ofEffect = (effect: Effect) => results.filter((result) => result.effect === effect);
  const detected = ofEffect('detected');
  const undetected = results.filter(({ effect }) => isUndetected(effect));
  const latent = ofEffect('latent').length;
  const harmless = ofEffect('non-manifested').length + latent;
  const injected = results.length - ofEffect('not-reached').length;
  const manifested = detected.length + undetected.length;
  const coverage = (good: number): Coverage => ({
    detected: rateOf(good, detected.length),
    manifested: rateOf(good, manifested),
    manifestedOrLatent: rateOf(good, manifested + latent),
    injected: rateOf(good + harmless, injected),
  });
  const compared = detected.flatMap(({ equivalence }) => equivalence ?? []);
  return {
    run: results.length,
    notReached: results.length - injected,
    injected,
    manifested,
    effects: {
      nonManifested: rateOf(ofEffect('non-manifested').length, injected),
      latent: rateOf(latent, injected),
      announcedError: rateOf(ofEffect('announced-error').length, injected),
      undetectedHang: rateOf(ofEffect('undetected-hang').length, injected),
      machineDeath: rateOf(ofEffect('machine-death').length, injected),
      sdc: rateOf(ofEffect('sdc').length, injected),
      detected: rateOf(detected.length, injected),
    },
    success: coverage(detected.filter((result) => result.success).length),
    noVmf: coverage(detected.filter((result) => result.noVmf).length),
    vmsAffected: histogram(detected.map((result) => result.vmsAffected)),
    vmsAffectedSilently: histogram(undetected.map((result) => result.vmsAffected)),
    detectors: countsOf(detected.map((result) => result.detector ?? 'unknown')).map(([detector, count]) => ({
      detector,
      share: rateOf(count, detected.length),
      latency: spreadOf(
        detected
          .filter((result) => (result.detector ?? 'unknown') === detector)
          .flatMap((result) => result.detectionInstructions ?? []),
      ),
    })),
    detectionLatency: spreadOf(detected.flatMap((result) => result.detectionInstructions ?? [])),
    causes: countsOf(detected.flatMap((result) => result.cause ?? [])).map(([cause, count]) => ({
      cause,
      share: rateOf(count, detected.length),
    })),
    detectedAgain: rateOf(detected.filter((result) => result.detections > 1).length, detected.length),
    equivalence: {
      equivalent: rateOf(compared.filter(({ equivalent }) => equivalent).length, compared.length),
      reasons: countsOf(compared.flatMap(({ reasons }) => reasons)).map(([reason, count]) => ({ reason, count })),
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
