/** One injection from plan to verdict: set-ups, golden runs, faults at triggers, outcomes. */
export { explain } from './explain.ts';
export { firmwareMemory, type MemoryRange } from './firmware.ts';
export {
  type Booted,
  bootSetup,
  type GoldenPoint,
  type GoldenRun,
  goldenRun,
  type KnownVm,
  retiredBy,
} from './golden.ts';
export {
  CHECK_WORDS,
  checksText,
  completeMechanism,
  ENHANCE_WORDS,
  formatChecks,
  formatEnhance,
  parseChecks,
  parseEnhance,
  parseRecovery,
  RECOVERIES,
} from './mechanism.ts';
export { consoleOfGuest } from './observe.ts';
export { judgeReception, type Numbered, type Reception, type ReceptionRule } from './reception.ts';
export { type InjectionOptions, runInjection } from './run.ts';
export { exactInjection, parseSecondTrigger, RECOVERY_SHARES, secondTriggerText } from './second.ts';
export { answersIn, type EchoPlan, echoRequests, sentPackets } from './sender.ts';
export { findSetup, PAPER_SCALE, setupNames } from './setups.ts';
export { injectionCommand, type RecordingOptions, recordGolden, recordInjection } from './trace.ts';
export { injectionTriggerText } from './trigger.ts';
export * from './types.ts';
export { isUnmodified, UNMODIFIED_FORMS } from './unmodified.ts';
