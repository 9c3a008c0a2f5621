/**
 * The software that is studied, and its committed images: firmware, Lazarus, guests. C, apart from what builds the
 * images.
 */
export { CHECKS, FIXUPS, noteText } from './fixups.ts';
export { committedFile, debugFileOf, makeBundle, readBundle } from './images/index.ts';
