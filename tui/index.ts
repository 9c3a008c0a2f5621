/** The door of the command line and the terminal UI. Nothing imports it but tests: people enter through main.ts. */

export { EXIT, type ExitCode } from './base/exit-codes.ts';
export type { Io } from './base/io.ts';
export { runCli } from './cli/cli.ts';
