/** The door of `timeline`: one run at one position (player), and above it every position of a run in any order. */
export { type ConsoleLine, lastLines, linesOf, speakerOf } from './console-lines.ts';
export { eachEvent, eventsOf, type RunEvent } from './events.ts';
export { createWorkloadPlayer, type Player, type WorkloadPlayer } from './player.ts';
export type { Start } from './snapshots.ts';
export { Timeline } from './timeline.ts';
export { continueTracePlayer, createTracePlayer, openTimeline, type TraceTimeline } from './trace-timeline.ts';
