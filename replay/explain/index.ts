/**
 * Explains a failed run by its golden run: from what a user sees back to what began it.
 */
export { type Explained, type ExplainProgress, type Explanation, explainRun } from './explain.ts';
export { type FirstDifference, firstDifference } from './first-difference.ts';
