/**
 * Generating code from the ISA table: what a row's effect becomes in wasm, for whoever says where registers live and
 * how one goes on (`Site`). The interpreter is generated with it; compiled code is to be.
 */
export { type ArchCalls, archCalls } from './arch-calls.ts';
export { emitEffect } from './effect.ts';
export { registerWord } from './registers.ts';
export type { Site, SiteLocals } from './site.ts';
export { CACHES, emitAddend, emitCachesAddress, emitProbe } from './translation.ts';
