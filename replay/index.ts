/** The door of `replay`: time. Record, replay, verify, seek, reverse, compare. */
export { bisectTraces } from './bisect.ts';
export type { BisectOptions, NamedDifference } from './bisect-pair.ts';
export {
  compareRecordings,
  type RecordingComparison,
  type Stream,
  type StreamComparison,
} from './compare-recordings.ts';
export { configFromTrace, inputsFromTrace } from './config.ts';
export { diffTraces, type SettingDifference, type TraceDiff } from './diff.ts';
export { compareOutput } from './diff-console.ts';
export { describeEvent, type InputDifference } from './diff-inputs.ts';
export { endText } from './end-text.ts';
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
export { MomentError } from './errors.ts';
export { findLatest, LATEST, resolveTrace, setLatest, traceWords } from './latest.ts';
export { openUdpNetwork, type UdpCable } from './live-network.ts';
export { record } from './record.ts';
export { type DisplacedInput, type RecordAnewOptions, type RecordAnewResult, recordAnew } from './record-anew.ts';
export { defaultTracePaths, EXTENSION, namedTracePath, TRACE_FOLDER_RULE, traceFolder } from './store.ts';
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
export { findExecution, findHypervisorInstruction, placeOf, type SearchEnd, type TriggerSearch } from './trigger.ts';
export { formatTime, formatTrigger, parseCount, parseTime, parseTrigger } from './trigger-text.ts';
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
} from './types.ts';
export { type ReplayOptions, replayTrace, verifyCheckpoints } from './verify.ts';
export { TOOL_VERSION } from './version.ts';
