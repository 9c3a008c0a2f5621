/**
 * Why: the chain of instructions, backwards, that a wrong value or a missing step of a run came from, next to a golden
 * run; or the tree of instructions that any value of one run came from.
 */
export type { Cause, WhyAnswer, WhyStep } from './answer.ts';
export type { StepPlace } from './place.ts';
export { whyAlone } from './tree.ts';
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
export { type WhyQuestion, why } from './why.ts';
