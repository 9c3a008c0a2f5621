/** QEMU's command lines, understood or refused with the reason. */
export { normaliseArgv } from './command-line.ts';
export { SHARED } from './options.ts';
