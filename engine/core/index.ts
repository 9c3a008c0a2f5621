/** The execution core. */
export { Core, type CoreImports, type CoreOptions, createCore, type SavedRange } from './core.ts';
export type { ArchExports, ArchImports } from './interface.ts';
