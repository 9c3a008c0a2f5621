/**
 * A campaign's results as the report that every output is written from: plain data, the whole of it printed by
 * `--json`. Relies on the analyses beside it; formats nothing.
 */
import type { CampaignResults } from '../types.ts';
import { type Cluster, clustersOf } from './clusters.ts';
import {
  type Failure,
  type FailureGroup,
  failuresOf,
  groupFailures,
  type InternalError,
  internalErrors,
} from './failures.ts';
import { type Proper, properOf } from './fall-back.ts';
import { type Group, groupsOf, ranCells, type Subject } from './groups.ts';
import { type LadderSummary, laddersOf } from './ladders.ts';
import { type LatencyRatio, type LatencySummary, latencies, latencyRatios } from './latency.ts';
import { type Tally, tallyOf } from './outcomes.ts';
import { type OverheadSummary, overheads } from './overhead.ts';
import { type PairAlignment, type PairComparison, pairedComparisons } from './pairs.ts';
import {
  CAVEAT,
  PUBLISHED_CAUSES,
  PUBLISHED_LADDERS,
  PUBLISHED_LATENCY,
  PUBLISHED_OUTCOMES,
  PUBLISHED_OVERHEAD,
} from './published.ts';
import { type RegionSummary, regionsOf } from './regions.ts';
import { type SeedSummary, seedsOf, seedWarning } from './seeds.ts';
import { type SecondSummary, secondsOf, type TargetSummary, targetsOf } from './targets.ts';

/** What one seed did in a group. */
export interface SeedCounts {
  readonly seed: number;
  /** Which evaluation seed it is; undefined: a development seed. */
  readonly evaluation?: number;
  readonly injected: number;
  /** Of the injected: no visible effect, the latent included. */
  readonly harmless: number;
  readonly detected: number;
  /** Of the detected. */
  readonly success: number;
  readonly noVmf: number;
}

export interface GroupSummary extends Subject, Tally {
  /** Injections planned; less than these have run while a campaign goes on. */
  readonly planned: number;
  readonly errors: number;
  readonly cells: readonly number[];
  /** Detection latencies of detected faults in instructions, ascending: for distributions. */
  readonly detectionLatencies: readonly number[];
  /** Of NiLiHype: fall-backs to a reboot counted as failures. */
  readonly proper: Proper | null;
  readonly bySeed: readonly SeedCounts[];
  /** What the struck harts were executing. */
  readonly regions: readonly RegionSummary[];
}

export interface Report {
  /** Why rates may not be reported: they are of development seeds, or some are. Every output says so first. */
  readonly warning: string | null;
  readonly campaign: {
    readonly name: string;
    readonly database: string;
    readonly toolVersion: string;
    readonly images: Readonly<Record<string, string>>;
    readonly plan: string;
    readonly cells: number;
    readonly planned: number;
    readonly run: number;
    /** Rows that dejavm itself failed on: no outcome, in no rate. */
    readonly errors: number;
    readonly seeds: SeedSummary;
  };
  readonly groups: readonly GroupSummary[];
  readonly targets: readonly TargetSummary[];
  /** Of injections of two faults. */
  readonly seconds: readonly SecondSummary[];
  readonly ladders: readonly LadderSummary[];
  readonly latency: readonly LatencySummary[];
  readonly latencyRatios: readonly LatencyRatio[];
  readonly paired: readonly PairComparison[];
  readonly alignment: readonly PairAlignment[];
  readonly overhead: readonly OverheadSummary[];
  readonly clusters: readonly Cluster[];
  readonly failureGroups: readonly FailureGroup[];
  readonly failures: readonly Failure[];
  readonly internalErrors: readonly InternalError[];
  readonly published: {
    readonly caveat: string;
    readonly outcomes: typeof PUBLISHED_OUTCOMES;
    readonly ladders: typeof PUBLISHED_LADDERS;
    readonly latency: typeof PUBLISHED_LATENCY;
    readonly overhead: typeof PUBLISHED_OVERHEAD;
    readonly causes: typeof PUBLISHED_CAUSES;
  };
}

/**
 * Counts and compares everything that a report shows. A function of the results alone: same results, same report.
 * @param database path of the results, for the commands that reproduce rows
 * @throws UserError when rows and cells do not belong together, or evaluation seeds are not those of the images
 */
export function summarise(results: CampaignResults, database: string): Report {
  const cells = ranCells(results);
  const groups = groupsOf(cells);
  const ladders = laddersOf(cells);
  const latency = latencies(groups);
  const failures = failuresOf(cells, database);
  const errors = internalErrors(cells, database);
  const { comparisons, alignments } = pairedComparisons(cells);
  const { name, toolVersion, images, plan } = results;
  const seeds = seedsOf(results);
  return {
    warning: seedWarning(seeds),
    campaign: {
      name,
      database,
      toolVersion,
      images,
      plan,
      cells: results.cells.length,
      planned: results.cells.reduce((sum, { size }) => sum + size, 0),
      run: cells.reduce((sum, { rows }) => sum + rows.length, 0),
      errors: errors.length,
      seeds,
    },
    groups: groups.map(({ rows, bySeed, ...subject }) => ({
      ...subject,
      bySeed: bySeed.map(countsOfSeed),
      ...tallyOf(rows),
      detectionLatencies: rows
        .flatMap(({ result }) => (result.effect === 'detected' ? (result.detectionInstructions ?? []) : []))
        .sort((a, b) => a - b),
      regions: regionsOf(rows),
      proper: properOf(subject.recovery, rows),
    })),
    targets: targetsOf(groups),
    seconds: secondsOf(groups),
    ladders,
    latency,
    latencyRatios: latencyRatios(latency),
    paired: comparisons,
    alignment: alignments,
    overhead: overheads(results.overhead, ladders),
    clusters: clustersOf(cells, database),
    failureGroups: groupFailures(failures),
    failures,
    internalErrors: errors,
    published: {
      caveat: CAVEAT,
      outcomes: PUBLISHED_OUTCOMES,
      ladders: PUBLISHED_LADDERS,
      latency: PUBLISHED_LATENCY,
      overhead: PUBLISHED_OVERHEAD,
      causes: PUBLISHED_CAUSES,
    },
  };
}

function countsOfSeed({ rows, ...seed }: Group['bySeed'][number]): SeedCounts {
  const { injected, manifested, success, noVmf } = tallyOf(rows);
  const { of: detected, hits } = success.detected;
  return { ...seed, injected, harmless: injected - manifested, detected, success: hits, noVmf: noVmf.detected.hits };
}
