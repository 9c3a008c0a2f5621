/** Parts of recordings as traces of their own. */
export { type CutOptions, type CutResult, cutTrace } from './cut.ts';
