/**
 * What looks at a run from outside while it goes on: breakpoints, watched memory, and how an address translates. No
 * part of the state, invisible to software.
 */
export { type AccessObserver, createAccessObserver, type StoredBy } from './accesses.ts';
export { breakpointStop, setBreakAddresses, setBreakpoints } from './breakpoints.ts';
export { createStepLog, STEP_FLAGS, type StepLog, Steps } from './steps.ts';
export { explainTranslation } from './translation.ts';
