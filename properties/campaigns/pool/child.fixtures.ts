/**
 * A campaign as a process, for tests that kill it: `node child.fixtures.ts PLAN DATABASE WORKERS`; tells its progress.
 */
import { readFileSync } from 'node:fs';
import { planCampaign } from '../plan/plan.ts';
import { runCampaign } from './run.ts';
import { testbed } from './testbed.fixtures.ts';

const [planFile = '', path = '', workers = '1'] = process.argv.slice(2);
const { remaining } = await runCampaign({
  plan: planCampaign(readFileSync(planFile, 'utf8'), planFile, testbed.catalogue),
  path,
  workers: Number(workers),
  testbed: new URL('./testbed.fixtures.ts', import.meta.url),
  onProgress: ({ phase, done }) => process.stdout.write(`${phase} ${done}\n`),
});
process.stdout.write(`remaining ${remaining}\n`);
