/** The execution core. */
export { type Core, createCore } from './core.ts';
