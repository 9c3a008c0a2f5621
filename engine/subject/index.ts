/**
 * The software that is studied, and its committed images: firmware, Lazarus, guests. C, apart from what builds the
 * images.
 */
export { makeBundle } from './images/index.ts';
