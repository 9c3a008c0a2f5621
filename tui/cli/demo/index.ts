/** Where the demo's fault is aimed. */
export { type Aim, HypercallWatch, takeAim } from './aim.ts';
