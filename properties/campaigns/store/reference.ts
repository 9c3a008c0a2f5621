/**
 * One row of a campaign by name: `results.sqlite#17`. Gives what is needed to run it again, and says beforehand when it
 * could not come out the same: other images, another engine.
 */
import { FileFormatError, UserError } from '../../../engine/index.ts';
import { type CampaignIdentity, type Catalogue, machineDifference } from '../plan/index.ts';
import type { CampaignCell, CampaignRow } from '../types.ts';
import { readDatabase } from './reader.ts';

export interface ReferredRow {
  readonly row: CampaignRow;
  readonly cell: CampaignCell;
}

/** `results.sqlite#17` as path and row id; undefined for anything else. */
export function parseRowReference(text: string): { readonly path: string; readonly id: number } | undefined {
  const match = /^(.+)#(\d+)$/.exec(text);
  return match ? { path: match[1]!, id: Number(match[2]) } : undefined;
}

/**
 * Reads a row of a campaign.
 * @throws UserError when there is no such row, FileFormatError when the database is damaged, or its rows were run on
 * another machine than the one at hand
 */
export function readCampaignRow(path: string, id: number, catalogue: Catalogue): ReferredRow {
  return readDatabase(path, (source, identity) => {
    const row = source.row(id);
    if (!row) throw new UserError(`${path} has no row ${id}: its rows are 1 to ${source.rowCount()}`);
    const cell = source.cells().find((candidate) => candidate.id === row.cell)!;
    requireSameMachine(path, identity, catalogue.images(cell.setup));
    return { row, cell };
  });
}

function requireSameMachine(path: string, known: CampaignIdentity, images: Readonly<Record<string, string>>): void {
  const then = Object.fromEntries(Object.keys(images).map((name) => [name, known.images[name] ?? '']));
  const why = machineDifference({ ...known, images: then }, images);
  if (why !== undefined) throw new FileFormatError(path, `its rows cannot be run again here: ${why}`);
}
