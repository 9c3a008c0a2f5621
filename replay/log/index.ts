/**
 * What happens in a run, in order and decoded: exits and entries of VMs, what they ask for and what they get, traps,
 * devices, the schedule and recoveries; and how often each happens and how long it takes.
 */
export { type FollowOptions, followLog } from './follow.ts';
export { LogReader } from './reader.ts';
export { LogSummarizer, type LogSummary, type LogTime, type VmSummary } from './summary.ts';
export {
  LOG_KINDS,
  type LogBatch,
  type LogCall,
  type LogEnd,
  type LogEntry,
  type LogFilter,
  type LogKind,
  USUAL_KINDS,
} from './types.ts';
