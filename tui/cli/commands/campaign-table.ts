/** A campaign's outcomes, cell by cell, as a table for people and as plain data. Relies on the tallies alone. */
import {
  type CampaignCell,
  type CellTally,
  cellLabel,
  injectedOf,
  type Rate,
  rateOf,
} from '../../../properties/index.ts';
import { grouped, table } from '../../base/index.ts';

export interface CellSummary {
  readonly id: number;
  readonly cell: string;
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
    const { detected, success, noVmf } = tally;
    const rates = { success: rateOf(success, detected), noVmf: rateOf(noVmf, detected) };
    return { id: cell.id, cell: cellLabel(cell), tally, injected: injectedOf(tally), ...rates };
  });
}

const HEAD = [
  '#',
  'cell',
  'injected',
  'not reached',
  'non-manif.',
  'latent',
  'SDC',
  'detected',
  'success of detected',
  'noVMF of detected',
];
const NUMBERS = [0, 2, 3, 4, 5, 6, 7, 8, 9];

/** One line per cell: counts, and both rates with Wilson 95 % intervals. */
export function outcomeTable(
  plan: { readonly cells: readonly CampaignCell[] },
  tallies: ReadonlyMap<number, CellTally>,
): string {
  const summaries = cellSummaries(plan, tallies);
  const incomplete = summaries.some(({ tally }) => tally.done < tally.size);
  const rows = summaries.map(({ id, cell, tally, injected, success, noVmf }) => {
    const { notReached, nonManifested, latent, sdc, detected, done, size } = tally;
    const counts = [injected, notReached, nonManifested, latent, sdc, detected].map(grouped);
    const open = incomplete ? [done < size ? `${grouped(size - done)} to run` : ''] : [];
    return [String(id), shortened(cell), ...counts, rateText(success), rateText(noVmf), ...open];
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
