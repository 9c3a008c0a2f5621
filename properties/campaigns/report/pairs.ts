/**
 * Paired comparison of two cells that drew the same injections: row n of one against row n of the other, exact McNemar.
 * Relies on set-up, fault class, seed and size being equal; checks that the injections of each pair are.
 */
import { isDeepStrictEqual } from 'node:util';
import { type InjectionResult, isUndetected } from '../injection/index.ts';
import { pooledRate, rateOfRows } from './bootstrap.ts';
import { anyFallBack, judgedProper } from './fall-back.ts';
import { groupBy, mechanismLabels, type RanCell, type RanRow } from './groups.ts';
import { holmAdjusted, mcnemarExact, type Rate } from './statistics.ts';

/**
 * What is compared: `success` and `noVMF` on pairs detected in both runs, `good end` on all pairs that both reached.
 */
export type PairMetric = 'success' | 'noVMF' | 'good end';

/** Counts of pairs by which of the two did well. */
export interface PairCounts {
  readonly pairs: number;
  readonly both: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly neither: number;
  /** Exact McNemar, unadjusted. */
  readonly p: number;
}

export interface PairComparison extends PairCounts {
  readonly setup: string;
  readonly faultClass: string;
  readonly first: string;
  readonly second: string;
  readonly metric: PairMetric;
  /** p after Holm over the whole table. */
  readonly holm: number;
}

/** How far the pairs of two mechanisms are pairs: same plan, and same place hit. */
export interface PairAlignment {
  readonly setup: string;
  readonly faultClass: string;
  readonly first: string;
  readonly second: string;
  /** Pairs whose planned injections are equal, of all with the same index. The others are left out. */
  readonly samePlan: Rate;
  /** Of those that both reached: the fault hit the same symbol and offset (or pc, outside symbols). */
  readonly samePlace: Rate;
}

interface Pair {
  readonly seed: number;
  readonly first: InjectionResult;
  readonly second: InjectionResult;
}

const METRICS: readonly PairMetric[] = ['success', 'noVMF', 'good end'];

/** Mechanisms that recover, outside ladders, against each other; Holm over all comparisons returned. */
export function pairedComparisons(cells: readonly RanCell[]): {
  readonly comparisons: PairComparison[];
  readonly alignments: PairAlignment[];
} {
  const main = cells.filter(({ cell }) => cell.rung === undefined);
  const label = mechanismLabels(main.map(({ cell }) => cell));
  // Under NiLiHype proper a fall-back to a reboot is a failure; the same as NiLiHype where there was none.
  const fallen = anyFallBack(main.flatMap(({ rows }) => rows));
  const meetings = groupBy(main, ({ cell }) => [
    cell.setup,
    cell.faultClass,
    cell.variant,
    cell.seed,
    cell.size,
  ]).flatMap((same) => {
    const able = same.filter(({ cell }) => cell.mechanism.recovery !== 'none');
    return able.flatMap((a, i) =>
      able.slice(i + 1).flatMap((b) => {
        const meeting = orderedMeeting(a, b, label);
        const isMixed = a.cell.mechanism.recovery !== b.cell.mechanism.recovery;
        return fallen && isMixed ? [meeting, properMeeting(meeting)] : [meeting];
      }),
    );
  });
  const merged = groupBy(meetings, (meeting) => [meeting.setup, meeting.faultClass, meeting.first, meeting.second]);
  const comparisons: Omit<PairComparison, 'holm'>[] = [];
  const alignments: PairAlignment[] = [];
  for (const seeds of merged) {
    const { setup, faultClass, first, second } = seeds[0]!;
    const all = seeds.flatMap((meeting) => meeting.pairs);
    const matched = seeds.map((meeting) => ({ hits: meeting.pairs.length, of: meeting.matched }));
    const reached = all.filter(bothReached);
    const names = { setup, faultClass, first, second };
    const samePlace = rateOfRows(reached, hitTheSame);
    if (!seeds[0]!.proper) alignments.push({ ...names, samePlan: pooledRate(matched), samePlace });
    for (const metric of METRICS) comparisons.push({ ...names, metric, ...countPairs(all, metric) });
  }
  const holm = holmAdjusted(comparisons.map(({ p }) => p));
  return { comparisons: comparisons.map((one, i) => ({ ...one, holm: holm[i]! })), alignments };
}

/**
 * Counts over meetings of two cells of one seed, their rows matched by index; pairs with unequal plans are left out.
 * McNemar's test stays exact over several seeds: it looks at each pair by itself.
 */
export function comparePaired(
  meetings: readonly (readonly [first: readonly RanRow[], second: readonly RanRow[]])[],
  metric: PairMetric,
): PairCounts {
  return countPairs(
    meetings.flatMap(([first, second]) => pairsOf(first, second).pairs),
    metric,
  );
}

/** The same pairs, the second mechanism's fall-backs counted as failures. */
function properMeeting(meeting: ReturnType<typeof orderedMeeting>): typeof meeting {
  const pairs = meeting.pairs.map((pair) => ({ ...pair, second: judgedProper(pair.second) }));
  return { ...meeting, pairs, second: `${meeting.second} proper`, proper: true };
}

function orderedMeeting(a: RanCell, b: RanCell, label: ReturnType<typeof mechanismLabels>) {
  const [first, second] =
    a.cell.mechanism.recovery === 'nilihype' && b.cell.mechanism.recovery === 'rehype' ? [b, a] : [a, b];
  return {
    setup: a.cell.setup,
    faultClass: a.cell.faultClass,
    first: label(first.cell),
    second: label(second.cell),
    proper: false,
    ...pairsOf(first.rows, second.rows),
  };
}

function pairsOf(first: readonly RanRow[], second: readonly RanRow[]): { pairs: Pair[]; matched: number } {
  const byIndex = new Map(second.map((row) => [row.index, row]));
  const pairs: Pair[] = [];
  let matched = 0;
  for (const row of first) {
    const other = byIndex.get(row.index);
    if (!other) continue;
    matched++;
    if (isDeepStrictEqual(row.injection, other.injection))
      pairs.push({ seed: row.seed, first: row.result, second: other.result });
  }
  return { pairs, matched };
}

function countPairs(pairs: readonly Pair[], metric: PairMetric): PairCounts {
  const judged = pairs.filter(metric === 'good end' ? bothReached : bothDetected);
  const good = (result: InjectionResult) => didWell(result, metric);
  const count = (first: boolean, second: boolean) =>
    judged.filter((pair) => good(pair.first) === first && good(pair.second) === second).length;
  const [onlyFirst, onlySecond] = [count(true, false), count(false, true)];
  return {
    pairs: judged.length,
    both: count(true, true),
    onlyFirst,
    onlySecond,
    neither: count(false, false),
    p: mcnemarExact(onlyFirst, onlySecond),
  };
}

function didWell(result: InjectionResult, metric: PairMetric): boolean {
  if (metric === 'noVMF') return result.noVmf;
  if (metric === 'success' || result.effect === 'detected') return result.success;
  return !isUndetected(result.effect);
}

const bothReached = ({ first, second }: Pair): boolean =>
  first.effect !== 'not-reached' && second.effect !== 'not-reached';

const bothDetected = ({ first, second }: Pair): boolean => first.effect === 'detected' && second.effect === 'detected';

function hitTheSame({ first, second }: Pair): boolean {
  if (!first.hit || !second.hit) return false;
  return (first.hit.symbol ?? first.hit.pc) === (second.hit.symbol ?? second.hit.pc);
}
