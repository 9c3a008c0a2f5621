/** What messages and tables call the parts of a plan. */
import { checksText, type Mechanism } from '../injection/index.ts';
import type { CampaignCell } from '../types.ts';
import type { DrawnSeed } from './seeds.ts';

/** `rehype`, `rehype with locks, timer`. */
export function mechanismText({ recovery, enhance, checks }: Mechanism): string {
  const self = checks === undefined ? '' : `; ${checksText(checks)}`;
  return enhance.length === 0 ? `${recovery}${self}` : `${recovery} with ${enhance.join(', ')}${self}`;
}

/** `seed 7`, `evaluation seed 2`. */
export const seedText = ({ seed, evaluation }: DrawnSeed): string =>
  evaluation === undefined ? `seed ${seed}` : `evaluation seed ${evaluation}`;

/** What cells are called that differ in the seed alone: `compute failstop rehype`, `… rehype cumulative: + timer`. */
export function combinationLabel({ setup, faultClass, mechanism, mechanismName, rung, variant }: CampaignCell): string {
  const what = rung ? `${rung.ladder}: ${rung.name}` : (mechanismName ?? mechanismText(mechanism));
  return `${setup} ${faultClass} ${what}${variant === undefined ? '' : `, ${variant}`}`;
}

/** What a cell is called: its combination, and which evaluation seed it has, if any. */
export function cellLabel(cell: CampaignCell): string {
  const seed = cell.evaluation === undefined ? '' : `, ${seedText(cell)}`;
  return `${combinationLabel(cell)}${seed}`;
}
