/** A campaign's database: written by one process, read by anybody, believed in nothing. */
export { CampaignDatabase } from './database.ts';
export { exportCsv, exportJson, readCampaign } from './export.ts';
export { parseRowReference, type ReferredRow, readCampaignRow } from './reference.ts';
export { damaged } from './sqlite.ts';
