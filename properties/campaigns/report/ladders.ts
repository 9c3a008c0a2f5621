/**
 * Ladders of enhancements and self-checks: success rung by rung, cumulative or leave-one-out, and whether a rung is
 * separated from the one that it is measured against. Relies on the rungs that cells name; `all but X` is a
 * leave-one-out rung.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Mechanism } from '../injection/index.ts';
import { checksOn, groupBy, type RanCell, recoveryName, USUAL_DRAWS, variantsOf } from './groups.ts';
import { type Tally, tallyOf } from './outcomes.ts';
import { comparePaired } from './pairs.ts';
import { isMixed, type SeedKind, seedKind } from './seeds.ts';
import { type Rate, separation } from './statistics.ts';

export type LadderKind = 'cumulative' | 'leave-one-out';

export interface RungSummary {
  readonly step: number;
  readonly name: string;
  readonly enhance: readonly string[];
  /** Self-checks that are on; undefined for all. */
  readonly checks?: readonly string[];
  readonly cells: readonly number[];
  /** From how many seeds its rows are. */
  readonly seeds: number;
  readonly injected: number;
  /** Over detected. */
  readonly success: Rate;
  readonly noVmf: Rate;
  /** Silent data corruption, over injected. */
  readonly silent: Rate;
  /**
   * Against the rung before (cumulative) or the full set (leave-one-out); undefined for the first, or without
   * detections.
   */
  readonly against?: {
    readonly name: string;
    /** Difference in success, percentage points. */
    readonly points: number;
    /** Whether the 95 % intervals do not overlap, and which way. */
    readonly separated: 'higher' | 'lower' | 'none';
    /** Exact McNemar on the pairs detected on both rungs, of all seeds; null when no pair is. Not adjusted. */
    readonly p: number | null;
  };
}

export interface LadderSummary {
  readonly ladder: string;
  readonly kind: LadderKind;
  readonly setup: string;
  readonly faultClass: string;
  readonly recovery: Mechanism['recovery'];
  readonly title: string;
  readonly seedKind: SeedKind;
  readonly rungs: readonly RungSummary[];
}

interface Rung {
  readonly members: readonly RanCell[];
  readonly name: string;
  readonly step: number;
  readonly tally: Tally;
}

const LEFT_OUT = /^all but\b/i;

/** All ladders of a campaign, in the plan's order. */
export function laddersOf(cells: readonly RanCell[]): LadderSummary[] {
  const onLadders = cells.filter(({ cell }) => cell.rung !== undefined);
  const mixed = isMixed(cells.map(({ cell }) => cell));
  const variants = variantsOf(onLadders.map(({ cell }) => cell));
  return groupBy(onLadders, ({ cell }) => [
    cell.rung!.ladder,
    cell.setup,
    cell.faultClass,
    cell.mechanism.recovery,
    seedKind(cell),
    cell.variant,
  ]).map((members) => {
    const { rung, setup, faultClass, mechanism } = members[0]!.cell;
    const rungs = rungsOf(members);
    const own = seedKind(members[0]!.cell);
    const kind: LadderKind = rungs.some(({ name }) => LEFT_OUT.test(name)) ? 'leave-one-out' : 'cumulative';
    const full = kind === 'cumulative' ? undefined : fullSet(rungs, cells, members[0]!);
    const { cell } = members[0]!;
    const draws = variants(cell).size > 1 ? `, ${cell.variant ?? USUAL_DRAWS}` : '';
    const seeds = `${draws}${mixed && own === 'development' ? ', development seed' : ''}`;
    return {
      ladder: rung!.ladder,
      kind,
      setup,
      faultClass,
      recovery: mechanism.recovery,
      title: `${recoveryName(mechanism.recovery)}, ${kind}${ofChecks(rungs) ? ' of self-checks' : ''}${seeds}`,
      seedKind: own,
      rungs: rungs.map((each, i) => summarise(each, kind === 'cumulative' ? rungs[i - 1] : full)),
    };
  });
}

/** Whether what comes and goes are self-checks, and nothing else. */
function ofChecks(rungs: readonly Rung[]): boolean {
  const kinds = (of: keyof Mechanism) =>
    new Set(rungs.map(({ members }) => JSON.stringify(members[0]!.cell.mechanism[of]))).size;
  return kinds('checks') > 1 && kinds('enhance') === 1;
}

/** How much a mechanism has on: enhancements and self-checks. */
const extent = (mechanism: Mechanism): number => mechanism.enhance.length + checksOn(mechanism);

function rungsOf(members: readonly RanCell[]): Rung[] {
  return groupBy(members, ({ cell }) => [cell.rung!.step, cell.rung!.name])
    .map((same) => rungOf(same, same[0]!.cell.rung!.name, same[0]!.cell.rung!.step))
    .sort((a, b) => a.step - b.step);
}

function rungOf(members: readonly RanCell[], name: string, step: number): Rung {
  return { members, name, step, tally: tallyOf(members.flatMap(({ rows }) => rows)) };
}

/** What a leave-one-out ladder is measured against: its own complete rung, or the largest set that ran beside it. */
function fullSet(rungs: readonly Rung[], cells: readonly RanCell[], one: RanCell): Rung | undefined {
  const own = rungs.find(({ name }) => !LEFT_OUT.test(name));
  if (own) return own;
  const { setup, faultClass, mechanism } = one.cell;
  const beside = cells
    .filter(
      ({ cell }) => cell.setup === setup && cell.faultClass === faultClass && seedKind(cell) === seedKind(one.cell),
    )
    .filter(({ cell }) => cell.variant === one.cell.variant)
    .filter(({ cell }) => cell.mechanism.recovery === mechanism.recovery && !LEFT_OUT.test(cell.rung?.name ?? ''));
  const most = Math.max(0, ...beside.map(({ cell }) => extent(cell.mechanism)));
  if (most <= extent(mechanism)) return undefined;
  const full = beside.filter(({ cell }) => extent(cell.mechanism) === most);
  const { cell: first } =
    full.find(({ cell }) => cell.seed === one.cell.seed && cell.size === one.cell.size) ?? full[0]!;
  // All seeds of that one combination.
  const members = full.filter(
    ({ cell }) => isDeepStrictEqual(cell.rung, first.rung) && cell.mechanismName === first.mechanismName,
  );
  return rungOf(members, 'all', -1);
}

function summarise(rung: Rung, reference: Rung | undefined): RungSummary {
  const { success, noVmf, effects } = rung.tally;
  const { enhance, checks } = rung.members[0]!.cell.mechanism;
  const base = {
    step: rung.step,
    name: rung.name,
    enhance,
    ...(checks && { checks }),
    cells: rung.members.map(({ cell }) => cell.id),
    seeds: new Set(rung.members.map(({ cell }) => cell.seed)).size,
    injected: rung.tally.injected,
    success: success.detected,
    noVmf: noVmf.detected,
    silent: effects.sdc,
  };
  const before = reference?.tally.success.detected;
  if (!reference || reference === rung || !before?.interval || !success.detected.interval) return base;
  return {
    ...base,
    against: {
      name: reference.name,
      points: 100 * (success.detected.share! - before.share!),
      separated: separation(before.interval, success.detected.interval),
      p: pairedP(reference, rung),
    },
  };
}

/** Over all seeds that both rungs drew from, each row paired within its seed. */
function pairedP(reference: Rung, rung: Rung): number | null {
  const meetings = reference.members.flatMap((a) =>
    rung.members
      .filter((b) => a.cell.seed === b.cell.seed && a.cell.size === b.cell.size)
      .map((b) => [a.rows, b.rows] as const),
  );
  const counts = comparePaired(meetings, 'success');
  return counts.pairs === 0 ? null : counts.p;
}
