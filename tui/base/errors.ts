/**
 * Turns whatever a command threw into one line and an exit code. Relies on the error classes of the folders below;
 * they are imported only when something failed, so that `dejavm --help` stays quick.
 */
import { shellLine } from '../../engine/index.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

/** A mistake in the command line itself; the message says what was expected. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export interface Failure {
  readonly exitCode: ExitCode;
  /** What to print, without a trailing newline. Never a stack, unless `debug`. */
  readonly message: string;
}

/**
 * Explains an error to the person at the terminal.
 * @param argv the arguments of the failing command, for the line that reproduces an internal error
 * @param debug whether to add the stack (DEJAVM_DEBUG=1)
 */
export async function explainError(error: unknown, argv: readonly string[], debug: boolean): Promise<Failure> {
  const exitCode = await exitCodeOf(error);
  const text = oneStatement(error instanceof Error ? error.message : String(error));
  const stack = debug && error instanceof Error && error.stack ? `\n${error.stack}` : '';
  if (exitCode !== EXIT.internal) return { exitCode, message: `dejavm: ${text}${stack}` };
  const reproduce = shellLine(['dejavm', ...argv]);
  return {
    exitCode,
    message: `dejavm: internal error: ${text}\nreproduce with: ${debug ? '' : 'DEJAVM_DEBUG=1 '}${reproduce}${stack}`,
  };
}

/** Further lines of a message are indented; any other line break belongs to a name in it. */
const oneStatement = (message: string): string =>
  message
    .replace(/\n(?! {2})/g, '\\n')
    .split('\n')
    .map(shortened)
    .join('\n');

/** Longer than any path, and what there is to say of it. */
const MAX_LINE = 8192;
/** Where it went wrong stands at the beginning of a line, how to mend it at the end. */
const KEPT_AT_END = 512;

/** A message may quote what is in a file, which may be as long as the file. */
function shortened(line: string): string {
  if (line.length <= MAX_LINE) return line;
  const start = line.slice(0, MAX_LINE - KEPT_AT_END);
  return `${start}… (${line.length - MAX_LINE} characters) …${line.slice(-KEPT_AT_END)}`;
}

async function exitCodeOf(error: unknown): Promise<ExitCode> {
  if (error instanceof UsageError) return EXIT.usage;
  const [{ FileFormatError, UserError }, { TraceError, TraceWriteError }, { MomentError }] = await Promise.all([
    import('../../engine/index.ts'),
    import('../../traces/index.ts'),
    import('../../replay/index.ts'),
  ]);
  if (error instanceof FileFormatError) return EXIT.damaged;
  if (error instanceof TraceError) return error.kind === 'missing' ? EXIT.usage : EXIT.damaged;
  if (error instanceof UserError || error instanceof TraceWriteError || error instanceof MomentError) return EXIT.usage;
  return EXIT.internal;
}
