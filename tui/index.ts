/** The door of the command line and the terminal UI. Nothing imports it but tests: people enter through main.ts. */

export type { Io } from './base/index.ts';
export { EXIT, type ExitCode } from './base/index.ts';
export { runCli } from './cli/index.ts';
