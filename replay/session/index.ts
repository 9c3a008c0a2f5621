/** One sitting at a run: moves both ways, breakpoints, what event comes next. UIs and debuggers build on it. */
export type { Breakpoint, BreakpointPlace } from './breakpoints.ts';
export { eventAhead, eventsBefore, firstOfMoments } from './events.ts';
export type { Direction } from './move.ts';
export { DebugSession, openSession, type Stopped, type Target } from './session.ts';
