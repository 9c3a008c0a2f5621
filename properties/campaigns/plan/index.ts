/** What a campaign runs: its file read, its cells and rows drawn, and the machine it is for identified. */
export { type DrawnFault, type DrawnTime, drawFault, type FaultDraw, SHARE_SPAN } from './draw.ts';
export { type CampaignIdentity, identityOf, machineDifference, refuseOther } from './identity.ts';
export { cellLabel, combinationLabel } from './label.ts';
export { operationKey, operations } from './operations.ts';
export { type CampaignPlan, type PlannedCell, planCampaign } from './plan.ts';
export { MAX_CELL_SIZE } from './schema.ts';
export { MAX_SEEDS, seedMistake } from './seeds.ts';
export { memoryTargets, targetByte } from './targets.ts';
export {
  type Catalogue,
  type GoldenChoice,
  type GoldenEnds,
  type GoldenWindow,
  goldenKey,
  goldenOf,
  type Injector,
  OtherGoldenRun,
  type OverheadChoice,
  type RowContext,
  type Testbed,
} from './testbed.ts';
