/** Streams for tests: a command runs in process, what it printed is read back. Relies on Io; no terminal. */
import { PassThrough } from 'node:stream';
import { runCli } from './cli.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { openIo } from './io.ts';

export interface CliOutcome {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

export interface CliSurroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input, as a pipe. */
  readonly stdin?: PassThrough;
  /** Sees each piece of standard output as it is written. */
  readonly onOut?: (text: string) => void;
  /** Receives the function that plays Ctrl-C. */
  readonly onInterruptible?: (interrupt: () => void) => void;
  /** Reads the command line, and does nothing of what it says. */
  readonly parseOnly?: true;
}

/** Runs `dejavm ARGV` in this process. */
export async function cli(argv: readonly string[], surroundings: CliSurroundings = {}): Promise<CliOutcome> {
  const { env = {}, stdin = new PassThrough(), onOut, onInterruptible, parseOnly } = surroundings;
  let out = '';
  let err = '';
  const io = openIo({
    writeOut(data) {
      const piece = typeof data === 'string' ? data : Buffer.from(data).toString('latin1');
      out += piece;
      onOut?.(piece);
    },
    writeErr(text) {
      err += text;
    },
    errColumns: () => 80,
    outIsTerminal: false,
    errIsTerminal: false,
    env,
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: { columns: 80 } as NodeJS.WriteStream,
    onInterrupt(handler) {
      onInterruptible?.(() => handler('SIGINT'));
      return () => {};
    },
  });
  const code = await runCli(argv, io, ...(parseOnly ? [async () => async () => EXIT.ok] : []));
  return { code, out, err };
}
