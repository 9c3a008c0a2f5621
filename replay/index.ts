/** The door of `replay`: time. Record, replay, verify, seek, reverse, compare. */

export { endText } from './base/end-text.ts';
export { MomentError } from './base/errors.ts';
export type {
  BisectResult,
  Divergence,
  EquivalenceVerdict,
  InputsHere,
  NoteAt,
  PlannedInput,
  Position,
  RecordOptions,
  RecordResult,
  ReplayResult,
  TimedInput,
  TimeTravel,
  Trigger,
  VmVerdict,
} from './base/types.ts';
export { bisectTraces } from './compare/bisect.ts';
export type { BisectOptions, NamedDifference } from './compare/bisect-pair.ts';
export { diffTraces, type SettingDifference, type TraceDiff } from './compare/diff.ts';
export { compareOutput } from './compare/diff-console.ts';
export { describeEvent, type InputDifference } from './compare/diff-inputs.ts';
export {
  compareRecordings,
  type RecordingComparison,
  type Stream,
  type StreamComparison,
} from './compare/recordings.ts';
export { configFromTrace, inputsFromTrace } from './container/config.ts';
export { findLatest, LATEST, resolveTrace, setLatest, traceWords } from './container/latest.ts';
export { defaultTracePaths, EXTENSION, namedTracePath, TRACE_FOLDER_RULE, traceFolder } from './container/store.ts';
export { TOOL_VERSION } from './container/version.ts';
export {
  type Crossing,
  crossingOf,
  crossingsAround,
  type EquivalenceOptions,
  hasFinished,
  type JudgedVm,
  judgeRecovery,
  readRegisters,
  reasonsOf,
  recoveriesIn,
  vmEquivalence,
} from './equivalence/index.ts';
export { openUdpNetwork, type UdpCable } from './record/live-network.ts';
export { record } from './record/record.ts';
export {
  type DisplacedInput,
  type RecordAnewOptions,
  type RecordAnewResult,
  recordAnew,
} from './record/record-anew.ts';
export {
  findExecution,
  findHypervisorInstruction,
  placeOf,
  type SearchEnd,
  type TriggerSearch,
} from './record/trigger.ts';
export { formatTime, formatTrigger, parseCount, parseTime, parseTrigger } from './record/trigger-text.ts';
export {
  createTracePlayer,
  createWorkloadPlayer,
  lastLines,
  openTimeline,
  type Player,
  type Start,
  Timeline,
  type TraceTimeline,
  type WorkloadPlayer,
} from './timeline/index.ts';
export { type ReplayOptions, replayTrace, verifyCheckpoints } from './verify/verify.ts';
