/** The command line: verbs, flags, help, and what runs them. */
export { runCli } from './cli.ts';
export { runProcess } from './process.ts';
