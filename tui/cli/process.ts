/**
 * A command as a process: its streams, its signals and its exit status. Relies on cli.ts for what the command does and
 * on output.ts for streams that fail.
 */

import { conclude, type ExitCode, explainError, type Io, openIo, openOutput } from '../base/index.ts';
import { runCli } from './cli.ts';

type Command = (argv: readonly string[], io: Io) => Promise<ExitCode>;

/**
 * Runs a command line in this process. What is thrown where nobody waits for it (a stream, a timer) is explained as
 * every error is, and ends the process.
 * @param command what to run; tests give their own
 * @returns the exit status; everything printed has gone out by then, or the status says that it has not
 */
export async function runProcess(argv: readonly string[], command: Command = runCli): Promise<ExitCode> {
  const out = openOutput(process.stdout);
  const err = openOutput(process.stderr);
  const io = openIo({
    writeOut: out.write,
    writeErr: err.write,
    errColumns: () => process.stderr.columns ?? process.stdout.columns ?? 80,
    outIsTerminal: process.stdout.isTTY === true,
    errIsTerminal: process.stderr.isTTY === true,
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    onInterrupt(handler) {
      const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
      for (const signal of signals) process.on(signal, handler);
      return () => {
        for (const signal of signals) process.off(signal, handler);
      };
    },
  });
  process.on('uncaughtException', async (error) => {
    const { message, exitCode } = await explainError(error, argv, Boolean(io.env.DEJAVM_DEBUG));
    io.err(`${message}\n`);
    process.exit(await conclude(exitCode, out, err));
  });
  return conclude(await command(argv, io), out, err);
}
