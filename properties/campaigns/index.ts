/** Campaigns: thousands of injections from one file, stored, resumable, the same table on every machine. */

export * from './injection/index.ts';
export { type CampaignPlan, cellLabel, combinationLabel, planCampaign, type Testbed } from './plan/index.ts';
export {
  type CampaignOutcome,
  type CampaignProgress,
  catalogue as campaignCatalogue,
  runCampaign,
} from './pool/index.ts';
export { planOfRow, type RecordedRow, type RowPlan, recordRow } from './record-row.ts';
export {
  csvReport,
  htmlReport,
  markdownReport,
  pooledRate,
  type Rate,
  type Report,
  summarise,
  textReport,
} from './report/index.ts';
export {
  exportCsv,
  exportJson,
  parseRowReference,
  type ReferredRow,
  readCampaign,
  readCampaignRow,
} from './store/index.ts';
export { type CellTally, injected as injectedOf } from './tally.ts';
export * from './types.ts';
