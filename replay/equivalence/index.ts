/** The door of `equivalence`: the one judge of whether a recovery left every VM as it was. */
export { type Crossing, Crossings, crossingOf, isEntryOf } from './crossings.ts';
export { type JudgedVm, judgeRecovery, reasonsOf } from './judge.ts';
export { hasFinished, type Recovery, recoveriesIn } from './recoveries.ts';
export { readRegisters } from './state.ts';
export { ByVcpu } from './vcpus.ts';
export { type EquivalenceOptions, vmEquivalence } from './verdict.ts';
