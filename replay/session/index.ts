/** One sitting at a run: moves both ways, breakpoints, watchpoints, events. UIs and debuggers build on it. */
export { eventAhead, eventsBefore, firstOfMoments } from './events.ts';
export type { Direction } from './move.ts';
export { DebugSession, openSession, type Stopped, type Target } from './session.ts';
export { type Breakpoint, type BreakpointPlace, type StopPoint, Stops, type Watchpoint } from './stops.ts';
export { parseBreakpoint, parseExecutions, parseWatch } from './where.ts';
