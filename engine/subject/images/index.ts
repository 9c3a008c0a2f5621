/** The committed images: how each is made, its debug information, and the container that holds guests. */
export { makeBundle, readBundle } from './bundle.ts';
export { debugFileOf } from './debug-files.ts';
export { committedFile } from './files.ts';
