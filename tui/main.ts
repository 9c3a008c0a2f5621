/**
 * The process: `bin/dejavm.js` imports this file. Sets the exit status instead of calling process.exit, so that
 * buffered output drains first.
 */
import { runCli } from './cli.ts';
import { processIo } from './io.ts';

process.exitCode = await runCli(process.argv.slice(2), processIo());
