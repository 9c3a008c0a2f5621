/** Positions, inputs, results and errors that every folder of replay speaks of. */
export { CUT_END, endReason, endText, isCutShort } from './end-text.ts';
export { MomentError } from './errors.ts';
export { type Mark, marksToEnd, sharedMarks, sharedStart } from './marks.ts';
export type {
  BisectResult,
  Divergence,
  EquivalenceVerdict,
  InputsHere,
  LiveNetwork,
  NoteAt,
  Place,
  PlannedInput,
  Position,
  RecordedPosition,
  RecordOptions,
  RecordResult,
  ReplayResult,
  TimedInput,
  TimeTravel,
  Trigger,
  VmVerdict,
} from './types.ts';
export { MAX_VMID } from './vmid.ts';
