/** Calls and returns: which code calls, which thread executes it, and what is on its stack. */
export { type Backtrace, backtrace, type StackPart } from './backtrace.ts';
export { type CallEnd, type FunctionCall, functionCalls } from './calls.ts';
export { type ArrivalHit, arrivalObserver, type Context, contextOf } from './context.ts';
export { callsBefore, flowAt, isTrapVector } from './flow.ts';
export { type StackFrame, unwind } from './unwind.ts';
