/** An independent model of two-stage translation, from the manual. */
export { type Access, access, type Memory, type Setup } from './model.ts';
