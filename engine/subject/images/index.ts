/** The committed images: how each is made, and the container that holds guests. */
export { makeBundle } from './bundle.ts';
