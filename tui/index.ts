/** The door of the command line and the terminal UI. Nothing imports it but tests: people enter through main.ts. */
export { runCli } from './cli.ts';
export { EXIT, type ExitCode } from './exit-codes.ts';
export type { Io } from './io.ts';
