/**
 * How long recoveries take, by step, in instructions and in virtual time. Relies on the steps that each result lists;
 * only runs that recovered at their one and only detection count, so that every length is one of a working recovery.
 */
import type { Mechanism } from '../injection/index.ts';
import { type Group, groupBy, type RanRow } from './groups.ts';
import { type Spread, spreadOf } from './statistics.ts';

export interface StepSummary {
  readonly name: string;
  /** Recoveries that had this step; in the others its length counts as 0, so that means add up to the total's. */
  readonly seen: number;
  readonly instructions: Spread;
  /** Virtual time in ns. */
  readonly ticks: Spread;
}

export interface LatencySummary {
  readonly setup: string;
  readonly recovery: Mechanism['recovery'];
  readonly mechanism: string;
  readonly recoveries: number;
  /** In the order in which recovery takes them. */
  readonly steps: readonly StepSummary[];
  readonly totalInstructions: Spread;
  readonly totalTicks: Spread;
}

/** Mean recovery of ReHype over that of NiLiHype. */
export interface LatencyRatio {
  readonly setup: string;
  readonly instructions: number;
  readonly ticks: number;
  /** Instructions without the page-frame check, which both take and which grows with memory; null where it is all. */
  readonly instructionsBesidesFrames: number | null;
}

/** The steps that the page-frame check takes (engine/subject/lazarus: fix-up frames, and its end). */
const FRAME_STEPS = /\bframes?\b/;

/** One summary for each set-up and mechanism with any recovery, over all fault classes. */
export function latencies(groups: readonly Group[]): LatencySummary[] {
  return groupBy(groups, (group) => [group.setup, group.mechanism]).flatMap((members) => {
    const rows = members.flatMap((group) => group.rows).filter(recoveredOnce);
    return rows.length === 0 ? [] : [latencyOf(members[0]!, rows)];
  });
}

/** For each set-up in which both mechanisms, in full, recovered. */
export function latencyRatios(summaries: readonly LatencySummary[]): LatencyRatio[] {
  return [...new Set(summaries.map(({ setup }) => setup))].flatMap((setup) => {
    const first = (recovery: string) => summaries.find((one) => one.setup === setup && one.recovery === recovery);
    const [rehype, nilihype] = [first('rehype'), first('nilihype')];
    if (!rehype || !nilihype || nilihype.totalInstructions.mean === 0 || nilihype.totalTicks.mean === 0) return [];
    return [
      {
        setup,
        instructions: rehype.totalInstructions.mean / nilihype.totalInstructions.mean,
        ticks: rehype.totalTicks.mean / nilihype.totalTicks.mean,
        instructionsBesidesFrames: besides(nilihype) > 0 ? besides(rehype) / besides(nilihype) : null,
      },
    ];
  });
}

/** Mean instructions of all other steps. */
const besides = ({ steps }: LatencySummary): number =>
  steps.reduce((sum, { name, instructions }) => sum + (FRAME_STEPS.test(name) ? 0 : instructions.mean), 0);

const recoveredOnce = ({ result }: RanRow): boolean =>
  result.effect === 'detected' && result.success && result.detections === 1 && result.steps.length > 0;

function latencyOf({ setup, recovery, mechanism }: Group, rows: readonly RanRow[]): LatencySummary {
  const names = mergedOrder(rows.map(({ result }) => result.steps.map(({ name }) => name)));
  const lengths = (unit: 'instructions' | 'ticks', name?: string) =>
    spreadOf(
      rows.map(({ result }) =>
        result.steps.reduce((sum, step) => sum + (name === undefined || step.name === name ? step[unit] : 0), 0),
      ),
    )!;
  return {
    setup,
    recovery,
    mechanism,
    recoveries: rows.length,
    steps: names.map((name) => ({
      name,
      seen: rows.filter(({ result }) => result.steps.some((step) => step.name === name)).length,
      instructions: lengths('instructions', name),
      ticks: lengths('ticks', name),
    })),
    totalInstructions: lengths('instructions'),
    totalTicks: lengths('ticks'),
  };
}

/**
 * The names of several sequences in one order: each comes after those before it, a new one right behind its
 * predecessor.
 */
export function mergedOrder(sequences: readonly (readonly string[])[]): string[] {
  const order: string[] = [];
  for (const sequence of sequences) {
    let at = 0;
    for (const name of sequence) {
      const known = order.indexOf(name);
      if (known < 0) order.splice(at++, 0, name);
      else at = Math.max(at, known + 1);
    }
  }
  return order;
}
