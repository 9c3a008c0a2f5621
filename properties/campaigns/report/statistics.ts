/**
 * The statistics that reports use, as functions on plain counts. Relies on nothing. Does not decide what is counted,
 * and treats runs as independent: runs that share a seed are not quite so (bootstrap.ts).
 */
import { invariant } from '../../../engine/index.ts';

/** Standard normal quantile of 0.975: the width of every two-sided 95 % interval here. */
const Z_95 = 1.959963984540054;

/** Bounds of a proportion, 0…1. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A count out of a total with its 95 % interval; `share` and `interval` are null when the total is 0. */
export interface Rate {
  readonly hits: number;
  readonly of: number;
  /** hits / of, 0…1. */
  readonly share: number | null;
  /** 95 %: Wilson's, or, of several seeds, as `pooledRate` (bootstrap.ts) makes it. */
  readonly interval: Interval | null;
}

/** What `hits` successes in `of` trials say. @throws InvariantError unless 0 ≤ hits ≤ of, integers. */
export function rateOf(hits: number, of: number): Rate {
  requireCounts(hits, of);
  if (of === 0) return { hits, of, share: null, interval: null };
  return { hits, of, share: hits / of, interval: wilsonInterval(hits, of) };
}

/**
 * Wilson's score interval at 95 %: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical
 * Inference", JASA 22 (1927) 209–212. Holds near 0 and 1, where the normal approximation does not (Brown, Cai, DasGupta
 * 2001).
 * @throws InvariantError unless 0 ≤ hits ≤ of and of > 0
 */
export function wilsonInterval(hits: number, of: number): Interval {
  requireCounts(hits, of);
  invariant(of > 0, 'an interval needs at least one trial');
  const p = hits / of;
  const z2 = Z_95 ** 2;
  const centre = (p + z2 / (2 * of)) / (1 + z2 / of);
  const half = (Z_95 / (1 + z2 / of)) * Math.sqrt((p * (1 - p)) / of + z2 / (4 * of ** 2));
  // The bounds at no hit and at all hits are 0 and 1 exactly; rounding would miss them by an ulp.
  return {
    low: hits === 0 ? 0 : Math.max(0, centre - half),
    high: hits === of ? 1 : Math.min(1, centre + half),
  };
}

/**
 * Whether two intervals do not overlap, and on which side the second lies. Non-overlap of two 95 % intervals is
 * stricter than a test at 5 % (Schenker & Gentleman, The American Statistician 55 (2001) 182–186): what is called
 * separated here would also be significant, not the other way round.
 */
export function separation(first: Interval, second: Interval): 'higher' | 'lower' | 'none' {
  if (second.low > first.high) return 'higher';
  if (second.high < first.low) return 'lower';
  return 'none';
}

/**
 * Exact McNemar test on paired yes/no outcomes: two-sided binomial on the discordant pairs with p = 1/2, the smaller
 * tail doubled (McNemar, Psychometrika 12 (1947) 153–157; exact form: Agresti, Categorical Data Analysis, 3rd edition,
 * section 11.1).
 * @param onlyFirst pairs in which only the first succeeded
 * @param onlySecond pairs in which only the second succeeded
 * @returns p, 0…1; 1 without discordant pairs
 */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond;
  requireCounts(onlyFirst, n);
  const k = Math.min(onlyFirst, onlySecond);
  if (2 * k === n) return 1;
  // C(n, k) / 2^n in logarithms, then down the tail by ratios of neighbours.
  let logTerm = -n * Math.LN2;
  for (let i = 1; i <= k; i++) logTerm += Math.log((n - k + i) / i);
  let relative = 1;
  let sum = 0;
  for (let i = k; i >= 0; i--) {
    sum += relative;
    relative *= i / (n - i + 1);
  }
  return Math.min(1, 2 * Math.exp(logTerm) * sum);
}

/**
 * P(at least `hits` of `sample` are marked), drawn without replacement from `total` of which `marked` are: Fisher's
 * exact test, one-sided. @throws InvariantError for counts that cannot be
 */
export function hypergeometricTail(hits: number, sample: number, marked: number, total: number): number {
  requireCounts(hits, Math.min(sample, marked));
  requireCounts(Math.max(sample, marked), total);
  const low = Math.max(0, sample + marked - total);
  const high = Math.min(sample, marked);
  const weights: number[] = [];
  for (let k = low, log = 0; k <= high; k++) {
    weights.push(log);
    log += Math.log(((marked - k) * (sample - k)) / ((k + 1) * (total - marked - sample + k + 1)));
  }
  const largest = weights.reduce((most, log) => Math.max(most, log), Number.NEGATIVE_INFINITY);
  const sumFrom = (from: number) => weights.slice(from).reduce((sum, log) => sum + Math.exp(log - largest), 0);
  return Math.min(1, sumFrom(Math.max(0, hits - low)) / sumFrom(0));
}

/**
 * Holm's step-down adjustment of p values over one family: S. Holm, Scandinavian Journal of Statistics 6 (1979) 65–70.
 * @returns adjusted p in the order given: reject those ≤ 0.05 to keep the family's error at 5 %
 */
export function holmAdjusted(p: readonly number[]): number[] {
  const order = p.map((_, i) => i).sort((a, b) => p[a]! - p[b]! || a - b);
  const adjusted: number[] = new Array(p.length);
  let largest = 0;
  order.forEach((index, rank) => {
    largest = Math.max(largest, Math.min(1, (p.length - rank) * p[index]!));
    adjusted[index] = largest;
  });
  return adjusted;
}

/** Median, 95th percentile, largest and mean of a sample. */
export interface Spread {
  readonly n: number;
  readonly mean: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

/** Null for an empty sample. */
export function spreadOf(sample: readonly number[]): Spread | null {
  if (sample.length === 0) return null;
  const sorted = sample.toSorted((a, b) => a - b);
  return {
    n: sorted.length,
    mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    median: medianOfSorted(sorted),
    p95: nearestRank(sorted, 0.95),
    max: sorted.at(-1)!,
  };
}

/** Middle value, or the mean of the two middle ones (Hyndman & Fan 1996, definition 2). */
function medianOfSorted(sorted: readonly number[]): number {
  const upper = sorted[sorted.length >> 1]!;
  return sorted.length % 2 === 1 ? upper : (sorted[(sorted.length >> 1) - 1]! + upper) / 2;
}

/**
 * Smallest value that at least `q` of the sample do not exceed (Hyndman & Fan 1996, definition 1): always a value seen.
 */
function nearestRank(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

function requireCounts(hits: number, of: number): void {
  invariant(
    Number.isSafeInteger(hits) && Number.isSafeInteger(of) && hits >= 0 && hits <= of,
    `expected counts 0 ≤ hits ≤ trials, got ${hits} of ${of}`,
  );
}
