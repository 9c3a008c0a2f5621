/** The door of the command line and the terminal UI. Nothing imports it but tests: people enter through main.ts. */

export { EXIT, type ExitCode, type Io } from './base/index.ts';
export { runCli } from './cli/index.ts';
