/** Campaigns: thousands of injections from one file, stored, resumable, the same table on every machine. */

export { type CampaignPlan, cellLabel, planCampaign } from './plan/plan.ts';
export type { Testbed } from './plan/testbed.ts';
export { type CampaignOutcome, type CampaignProgress, runCampaign } from './pool/run.ts';
export { catalogue as campaignCatalogue } from './pool/subject.ts';
export { exportCsv, exportJson, readCampaign } from './store/export.ts';
export { parseRowReference, type ReferredRow, readCampaignRow } from './store/reference.ts';
export { type CellTally, injected as injectedOf } from './tally.ts';
export type * from './types.ts';
