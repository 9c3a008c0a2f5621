/**
 * Why: the chain of instructions, backwards, that a wrong value or a missing step of a run came from.
 */
export type { Cause, StepPlace, WhyAnswer, WhyStep } from './answer.ts';
export { type WhyQuestion, why } from './why.ts';
