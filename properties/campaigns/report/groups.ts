/**
 * A campaign's rows, joined to their cells and grouped as tables want them: by set-up, fault class and mechanism,
 * outside ladders. Relies on the campaign's contract; judges nothing.
 */
import { CHECKS, UserError } from '../../../engine/index.ts';
import { checksText, type InjectionResult, type Mechanism } from '../injection/index.ts';
import { type CampaignCell, type CampaignResults, type CampaignRow, FAULT_CLASSES, type FaultClass } from '../types.ts';
import { isMixed, type SeedKind, seedKind } from './seeds.ts';

/** A row that has run, with the seed of its cell. */
export type RanRow = CampaignRow & { readonly result: InjectionResult; readonly seed: number };

/** A cell with those of its rows that have run, by index. */
export interface RanCell {
  readonly cell: CampaignCell;
  readonly rows: readonly RanRow[];
  /** Rows that ended in an internal error of ours. */
  readonly errors: readonly { readonly id: number; readonly message: string }[];
}

/** What a table row is about. */
export interface Subject {
  readonly setup: string;
  readonly faultClass: FaultClass;
  readonly recovery: Mechanism['recovery'];
  readonly enhance: readonly string[];
  /** Self-checks that are on; undefined for all. */
  readonly checks?: readonly string[];
  /**
   * As tables call it: `ReHype`, or `ReHype (locks, irq; no self-checks)` where a campaign runs several kinds of one.
   */
  readonly mechanism: string;
  /** Rates of development seeds are not to be reported. */
  readonly seedKind: SeedKind;
}

export interface Group extends Subject {
  readonly cells: readonly number[];
  /** Injections planned, run or not. */
  readonly planned: number;
  /** Rows on which dejavm itself failed: no outcome, and not among `rows`. */
  readonly errors: number;
  readonly rows: readonly RanRow[];
  /** Each seed's rows, in the order of seeds' numbers. */
  readonly bySeed: readonly SeedRows[];
}

/** What a group has of one seed. */
interface SeedRows extends Pick<CampaignCell, 'seed' | 'evaluation'> {
  readonly rows: readonly RanRow[];
}

const RECOVERY_NAMES = { none: 'no recovery', rehype: 'ReHype', nilihype: 'NiLiHype' } as const;
const RECOVERIES = ['none', 'rehype', 'nilihype'] as const;

export const recoveryName = (recovery: Mechanism['recovery']): string => RECOVERY_NAMES[recovery] ?? recovery;

/** Joins rows to cells. @throws UserError for a row whose cell is missing: the results do not belong together. */
export function ranCells(results: CampaignResults): RanCell[] {
  const rows = new Map<number, RanRow[]>(results.cells.map((cell) => [cell.id, []]));
  const seeds = new Map(results.cells.map(({ id, seed }) => [id, seed]));
  const errors = new Map<number, RanCell['errors'][number][]>(results.cells.map((cell) => [cell.id, []]));
  for (const row of results.rows) {
    const ofCell = rows.get(row.cell);
    if (!ofCell) {
      throw new UserError(
        `the results of campaign '${results.name}' are incomplete: row ${row.id} belongs to cell ${row.cell}, which is missing`,
      );
    }
    if (row.result) ofCell.push({ ...row, result: row.result, seed: seeds.get(row.cell)! });
    else if (row.error !== undefined) errors.get(row.cell)!.push({ id: row.id, message: row.error });
  }
  return results.cells.map((cell) => ({
    cell,
    rows: rows.get(cell.id)!.toSorted((a, b) => a.index - b.index || a.id - b.id),
    errors: errors.get(cell.id)!,
  }));
}

/**
 * Cells outside ladders, pooled over seeds of one kind, in the order set-up (as planned), fault class, mechanism.
 */
export function groupsOf(cells: readonly RanCell[]): Group[] {
  const main = cells.filter(({ cell }) => cell.rung === undefined);
  const label = mechanismLabels(main.map(({ cell }) => cell));
  const kind = ({ cell }: RanCell) => [
    ...[cell.setup, cell.faultClass, label(cell), seedKind(cell)],
    cell.mechanism.checks,
    cell.variant,
  ];
  const groups = groupBy(main, kind).map((members) => {
    const { setup, faultClass, mechanism } = members[0]!.cell;
    return {
      setup,
      faultClass,
      recovery: mechanism.recovery,
      enhance: mechanism.enhance,
      ...(mechanism.checks && { checks: mechanism.checks }),
      mechanism: label(members[0]!.cell),
      seedKind: seedKind(members[0]!.cell),
      cells: members.map(({ cell }) => cell.id),
      planned: members.reduce((sum, { cell }) => sum + cell.size, 0),
      errors: members.reduce((sum, { errors }) => sum + errors.length, 0),
      rows: members.flatMap(({ rows }) => rows),
      bySeed: bySeed(members),
    };
  });
  const setups = [...new Set(main.map(({ cell }) => cell.setup))];
  return groups.sort(
    (a, b) =>
      setups.indexOf(a.setup) - setups.indexOf(b.setup) ||
      FAULT_CLASSES.indexOf(a.faultClass) - FAULT_CLASSES.indexOf(b.faultClass) ||
      RECOVERIES.indexOf(a.recovery) - RECOVERIES.indexOf(b.recovery) ||
      b.enhance.length - a.enhance.length ||
      checksOn(b) - checksOn(a) ||
      Number(a.mechanism > b.mechanism) - 0.5,
  );
}

function bySeed(members: readonly RanCell[]): SeedRows[] {
  return groupBy(members, ({ cell }) => [cell.seed])
    .map((same) => {
      const { seed, evaluation } = same[0]!.cell;
      return { seed, ...(evaluation !== undefined && { evaluation }), rows: same.flatMap(({ rows }) => rows) };
    })
    .sort((a, b) => (a.evaluation ?? a.seed) - (b.evaluation ?? b.seed));
}

/** Groups by a key of several parts, in the order of first appearance. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => readonly unknown[]): T[][] {
  return [...Map.groupBy(items, (item) => JSON.stringify(keyOf(item))).values()];
}

/**
 * Names for the mechanisms of a campaign: what its file calls them; for the built-in names, and where there is none,
 * the bare name for each recovery's longest list of enhancements and the list in brackets for the others; in brackets,
 * too, which self-checks are on where they are not all. Where cells have seeds of both kinds, those with development
 * seeds say so; where a set-up's faults of one class are drawn in several ways, each says which.
 */
export function mechanismLabels(cells: readonly CampaignCell[]): (cell: CampaignCell) => string {
  const longest = new Map<string, readonly string[]>();
  for (const { mechanism } of cells) {
    const known = longest.get(mechanism.recovery);
    if (!known || mechanism.enhance.length > known.length) longest.set(mechanism.recovery, mechanism.enhance);
  }
  const mixed = isMixed(cells);
  const nameOf = ({ mechanism: { recovery, enhance, checks }, mechanismName }: CampaignCell) => {
    if (mechanismName !== undefined && mechanismName !== recovery) return mechanismName;
    const full = longest.get(recovery) ?? enhance;
    const same = full.length === enhance.length && full.every((name, i) => name === enhance[i]);
    const kind = [...(same ? [] : [enhance.join(', ') || 'basic']), ...(checks ? [checksText(checks)] : [])];
    return kind.length === 0 ? recoveryName(recovery) : `${recoveryName(recovery)} (${kind.join('; ')})`;
  };
  const variants = variantsOf(cells);
  return (cell) => {
    const draws = variants(cell).size > 1 ? `, ${cell.variant ?? USUAL_DRAWS}` : '';
    return `${nameOf(cell)}${draws}${mixed && seedKind(cell) === 'development' ? ', dev. seed' : ''}`;
  };
}

/** Of a cell whose neighbours draw otherwise than usual. */
export const USUAL_DRAWS = 'usual draws';

/** In how many ways the faults of a cell's class are drawn in its set-up. */
export function variantsOf(cells: readonly CampaignCell[]): (cell: CampaignCell) => ReadonlySet<string | undefined> {
  const keyOf = ({ setup, faultClass }: CampaignCell) => JSON.stringify([setup, faultClass]);
  const known = Map.groupBy(cells, keyOf);
  const variants = new Map([...known].map(([key, alike]) => [key, new Set(alike.map(({ variant }) => variant))]));
  return (cell) => variants.get(keyOf(cell)) ?? new Set();
}

/** How many self-checks a mechanism has on. */
export const checksOn = ({ checks }: Pick<Mechanism, 'checks'>): number => (checks ?? CHECKS).length;
