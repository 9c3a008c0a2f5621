/** When a condition holds: the moments of a run, by breakpoints and watched memory where its form allows. */
export { type BisectedCondition, bisectWhen } from './bisect.ts';
export { EVERY, type Every } from './plan.ts';
export { type Condition, type ConditionHit, eachWhen, firstWhen, lastWhen, readCondition } from './when.ts';
