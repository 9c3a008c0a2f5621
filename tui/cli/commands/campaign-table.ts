/** A campaign's outcomes, cell by cell, as a table for people and as plain data. Relies on the tallies alone. */
import {
  type CampaignCell,
  type CellTally,
  cellLabel,
  combinationLabel,
  injectedOf,
  pooledRate,
  type Rate,
} from '../../../properties/index.ts';
import { grouped, table } from '../../base/index.ts';

export interface CellSummary {
  readonly id: number;
  readonly cell: string;
  readonly seed: number;
  /** Which evaluation seed that is; undefined: a development seed. */
  readonly evaluation?: number;
  readonly tally: CellTally;
  readonly injected: number;
  /** Of the detected ones. */
  readonly success: Rate;
  readonly noVmf: Rate;
}

export function cellSummaries(
  { cells }: { readonly cells: readonly CampaignCell[] },
  tallies: ReadonlyMap<number, CellTally>,
): CellSummary[] {
  return cells.map((cell) => {
    const tally = tallies.get(cell.id)!;
    const { id, seed, evaluation } = cell;
    const drawn = { seed, ...(evaluation !== undefined && { evaluation }) };
    return { id, cell: cellLabel(cell), ...drawn, tally, injected: injectedOf(tally), ...ratesOf([tally]) };
  });
}

/** Of cells of one seed each. */
function ratesOf(tallies: readonly CellTally[]): Pick<CellSummary, 'success' | 'noVmf'> {
  const rate = (hits: 'success' | 'noVmf') =>
    pooledRate(tallies.map((tally) => ({ hits: tally[hits], of: tally.detected })));
  return { success: rate('success'), noVmf: rate('noVmf') };
}

const HEAD = [
  '#',
  'cell',
  'injected',
  'not reached',
  'non-manif.',
  'latent',
  'announced',
  'hang',
  'death',
  'SDC',
  'detected',
  'success of detected',
  'noVMF of detected',
];
/** Columns of the tally between `injected` and the rates, as HEAD names them. */
const EFFECTS = [
  'notReached',
  'nonManifested',
  'latent',
  'announcedError',
  'undetectedHang',
  'machineDeath',
  'sdc',
  'detected',
] as const;
const NUMBERS = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/**
 * One line for all evaluation seeds of a combination, and one for each other cell: counts, and both rates with 95 %
 * intervals.
 */
export function outcomeTable(
  plan: { readonly cells: readonly CampaignCell[] },
  tallies: ReadonlyMap<number, CellTally>,
): string {
  const lines = Map.groupBy(plan.cells, (cell) => (cell.evaluation === undefined ? cell.id : combinationLabel(cell)));
  const incomplete = plan.cells.some(({ id }) => tallies.get(id)!.done < tallies.get(id)!.size);
  const rows = [...lines.values()].map((cells) => {
    const own = cells.map(({ id }) => tallies.get(id)!);
    const sum = (count: (tally: CellTally) => number) => own.reduce((total, tally) => total + count(tally), 0);
    const effects = EFFECTS.map((name) => sum((tally) => tally[name]));
    const counts = [sum(injectedOf), ...effects].map(grouped);
    const { success, noVmf } = ratesOf(own);
    const left = sum(({ size, done }) => size - done);
    const open = incomplete ? [left > 0 ? `${grouped(left)} to run` : ''] : [];
    const [first, last] = [cells[0]!, cells.at(-1)!];
    const ids = first === last ? `${first.id}` : `${first.id}–${last.id}`;
    const seeds = first.evaluation === undefined ? '' : `, ${cells.length} evaluation seeds`;
    const label = shortened(combinationLabel(first)) + seeds;
    return [ids, label, ...counts, rateText(success), rateText(noVmf), ...open];
  });
  return table([incomplete ? [...HEAD, ''] : HEAD, ...rows], NUMBERS);
}

/** Rungs of many enhancements have long names; the database has them whole. */
const LABEL_COLUMNS = 64;
const shortened = (label: string) => (label.length <= LABEL_COLUMNS ? label : `${label.slice(0, LABEL_COLUMNS - 1)}…`);

const percent = (share: number) => (share * 100).toFixed(1);

/** `96.3 % [94.1, 97.7]`; a dash when there was nothing to succeed in. */
export function rateText({ share, interval }: Rate): string {
  if (share === null || interval === null) return '-';
  return `${percent(share)} % [${percent(interval.low)}, ${percent(interval.high)}]`;
}
