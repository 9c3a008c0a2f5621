/** A slow, obvious judge of what observers are told: it steps a run and works out what each instruction accesses. */
export { Comparison, stopsAt } from './compare.ts';
export { judgeTick } from './judge.ts';
export { LogComparison } from './log.ts';
export { OBSERVATION, type Observation } from './watches.ts';
export { WORKING } from './working.ts';
