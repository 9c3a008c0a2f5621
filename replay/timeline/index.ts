/** The door of `timeline`: one run at one position (player), and above it every position of a run in any order. */
export {
  type ConsoleLine,
  type LineSpan,
  lastLines,
  lineSpansOf,
  linesOf,
  outputBetween,
  speakerOf,
} from './console-lines.ts';
export { eachEvent, eventsOf, type RunEvent } from './events.ts';
export { insistGoesOn } from './growing.ts';
export { createWorkloadPlayer, type Player, type RecordedPlayer, type WorkloadPlayer } from './player.ts';
export type { Start } from './snapshots.ts';
export { Timeline } from './timeline.ts';
export { createTracePlayer, momentsOf, openTimeline, recordingOf, type TraceTimeline } from './trace-timeline.ts';
