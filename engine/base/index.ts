/** The door of `base`: what every folder of the engine may use and none of it knows a machine. */
export { splitmix64 } from './splitmix64.ts';
