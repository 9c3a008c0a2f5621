/** Two recordings side by side: in what they differ, and the first instruction after which their runs do. */
export { bisectTraces } from './bisect.ts';
export type { BisectOptions, NamedDifference } from './bisect-pair.ts';
export {
  compareDigests,
  diffTraces,
  type SettingDifference,
  type TraceDiff,
} from './diff.ts';
export { compareOutput, linesByVm } from './diff-console.ts';
export { describeEvent, differingInputs, type InputDifference } from './diff-inputs.ts';
export { firstSettingDifference, insistSameSetting } from './golden.ts';
export {
  compareRecordings,
  isOwnEnd,
  type RecordingComparison,
  type Stream,
  type StreamComparison,
} from './recordings.ts';
