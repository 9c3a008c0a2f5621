/**
 * Why: the chain of instructions, backwards, that a wrong value or a missing step of a run came from.
 */
export type { Cause, WhyAnswer, WhyStep } from './answer.ts';
export type { StepPlace } from './place.ts';
export { type WhyQuestion, why } from './why.ts';
