/**
 * The process: `bin/dejavm.js` imports this file. Sets the exit status instead of calling process.exit, so that open
 * traces and databases are closed first.
 */
import { runProcess } from './cli/index.ts';

process.exitCode = await runProcess(process.argv.slice(2));
