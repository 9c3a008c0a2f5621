/** The door of `base`: what every folder of the engine may use and none of it knows a machine. */

export { didYouMean, noSuchName } from './did-you-mean.ts';
export { FileFormatError, InvariantError, invariant, UserError } from './errors.ts';
export { shellLine } from './shell-line.ts';
export { splitmix64 } from './splitmix64.ts';
export { visible, visibleLines } from './visible.ts';
