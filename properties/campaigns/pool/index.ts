/** Running a campaign: rows on worker threads, stored as they end. */
export { type CampaignOutcome, type CampaignProgress, runCampaign } from './run.ts';
export { catalogue } from './subject.ts';
