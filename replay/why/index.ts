/**
 * Why: the chain of instructions, backwards, that a wrong value or a missing step of a run came from, next to a golden
 * run; or the tree of instructions that any value of one run came from.
 */
export type { Cause, Compared, WhyAnswer, WhyStep } from './answer.ts';
export type { WhyQuestion } from './asked.ts';
export { type EventQuestion, parseEvent, questionOf, questionOfMissing, questionOfOutput } from './events.ts';
export type { StepPlace } from './place.ts';
export { whyAlone, whyValue } from './tree.ts';
export type {
  Cut,
  WhyNode,
  WhyOperand,
  WhyOrigin,
  WhySource,
  WhyStepNode,
  WhyTree,
  WhyTreeOptions,
} from './tree-types.ts';
export { type WhyProgress, why } from './why.ts';
