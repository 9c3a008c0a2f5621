/** Campaigns: thousands of injections from one file, stored, resumable, the same table on every machine. */
export { exportCsv, exportJson, readCampaign } from './export.ts';
export { type CampaignPlan, cellLabel, planCampaign } from './plan.ts';
export { parseRowReference, type ReferredRow, readCampaignRow } from './reference.ts';
export { type CampaignOutcome, type CampaignProgress, runCampaign } from './run.ts';
export { catalogue as campaignCatalogue } from './subject.ts';
export { type CellTally, injected as injectedOf } from './tally.ts';
export type { Testbed } from './testbed.ts';
export type * from './types.ts';
