/**
 * Which seeds a report's rates are of, and whether they may be reported. Rates of development seeds may not: whoever
 * mended the system looked at their faults. Relies on plan/seeds.ts for what evaluation seeds are.
 */
import { UserError } from '../../../engine/index.ts';
import { seedMistake } from '../plan/index.ts';
import type { CampaignCell, CampaignResults } from '../types.ts';

export type SeedKind = 'evaluation' | 'development';

/** The seeds of one kind in one set-up. */
export interface SetupSeeds {
  readonly setup: string;
  readonly kind: SeedKind;
  /** In the order of `numbers`; of development seeds ascending. */
  readonly seeds: readonly number[];
  /** Which evaluation seeds these are, ascending; none of development seeds. */
  readonly numbers: readonly number[];
  readonly cells: readonly number[];
}

export interface SeedSummary {
  /** null: there are no cells. */
  readonly kind: SeedKind | 'mixed' | null;
  readonly setups: readonly SetupSeeds[];
}

export const seedKind = ({ evaluation }: Pick<CampaignCell, 'evaluation'>): SeedKind =>
  evaluation === undefined ? 'development' : 'evaluation';

/** Whether cells have seeds of both kinds. */
export const isMixed = (cells: readonly Pick<CampaignCell, 'evaluation'>[]): boolean =>
  new Set(cells.map(seedKind)).size > 1;

/**
 * The seeds of a campaign's cells, evaluation seeds checked against the hashes of the images.
 * @throws UserError naming a cell whose evaluation seed is not that of its images
 */
export function seedsOf(results: Pick<CampaignResults, 'name' | 'cells' | 'images' | 'imagesOf'>): SeedSummary {
  const { name, cells } = results;
  const mistake = seedMistake(cells, results);
  if (mistake !== undefined) throw new UserError(`the results of campaign '${name}' contradict themselves: ${mistake}`);
  const setups = [...Map.groupBy(cells, (cell) => `${seedKind(cell)} ${cell.setup}`).values()].map((own) => {
    const seeds = new Map(own.map(({ seed, evaluation = seed }) => [evaluation, seed]));
    const ordered = [...seeds].sort(([a], [b]) => a - b);
    const kind = seedKind(own[0]!);
    return {
      setup: own[0]!.setup,
      kind,
      seeds: ordered.map(([, seed]) => seed),
      numbers: kind === 'evaluation' ? ordered.map(([n]) => n) : [],
      cells: own.map(({ id }) => id),
    };
  });
  if (isMixed(cells)) return { kind: 'mixed', setups };
  return { kind: setups[0]?.kind ?? null, setups };
}

/** What a report says in its first line, where its rates may not be reported; null where they may. */
export function seedWarning({ kind }: SeedSummary): string | null {
  if (kind === 'development') {
    return 'Rates of development seeds: for finding causes, not to be reported. Give `seeds: 5` for evaluation seeds.';
  }
  if (kind !== 'mixed') return null;
  return 'Some rates are of development seeds, and marked so: for finding causes, not to be reported.';
}

const MOST_SEEDS = 5;

/** Lines of a header: what kind of seeds, and which in each set-up. */
export function seedLines({ kind, setups }: SeedSummary): [string, string][] {
  if (kind === null) return [];
  const of = (wanted: SeedKind) => setups.filter((one) => one.kind === wanted);
  const alike = Map.groupBy(of('evaluation'), ({ numbers }) => ranges(numbers));
  const evaluation = [...alike].map(([numbers, own]): [string, string] => {
    const where = alike.size > 1 ? ` (${own.map(({ setup }) => setup).join(', ')})` : '';
    return ['seeds', `evaluation seeds ${numbers}${where}, derived from the images: checked`];
  });
  const development = of('development').map(({ setup, seeds, cells }): [string, string] => {
    return ['seeds', `development seed ${listed(seeds)} in cells ${ranges(cells)} (${setup}): not to be reported`];
  });
  const values = of('evaluation').map(({ setup, seeds }): [string, string] => [`seeds of ${setup}`, listed(seeds)]);
  return [...evaluation, ...development, ...values];
}

function listed(seeds: readonly number[]): string {
  const more = seeds.length > MOST_SEEDS ? ` and ${seeds.length - MOST_SEEDS} more` : '';
  return seeds.slice(0, MOST_SEEDS).join(', ') + more;
}

/** `0–4, 7` of ascending numbers. */
function ranges(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const n of numbers) {
    const last = runs.at(-1);
    if (last && last[1] === n - 1) last[1] = n;
    else runs.push([n, n]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
}
