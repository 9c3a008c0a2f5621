/**
 * Searching a run in both directions for what an observer sees: breakpoints, transitions, and whatever else machines
 * report.
 */
export { type DriveOptions, finish, finishInTurns } from './drive.ts';
export {
  anyOf,
  type BreakpointHit,
  breakpointObserver,
  canBreakAt,
  type Hit,
  type Observer,
  type Transition,
  type TransitionHit,
  transitionObserver,
} from './observer.ts';
export {
  MAX_COUNT,
  type SearchedRun,
  searchBackward,
  searchForward,
  searchWindow,
  stand,
  type Window,
  windowsBefore,
} from './search.ts';
export { observe, type SearchProgress, type Slices, type Spent } from './window.ts';
