/** Streams for tests: a command runs in process, what it printed is read back. Relies on Io; no terminal. */
import { PassThrough } from 'node:stream';
import { EXIT, type ExitCode } from '../base/exit-codes.ts';
import { openIo } from '../base/io.ts';
import { runCli } from './cli.ts';
import { JSON_SHAPES, type JsonShape, type JsonShapes } from './json/shapes.ts';

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

/** Runs `dejavm ARGV` in this process. @throws ZodError when JSON that it prints has not the documented shape */
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
  const shape = shapeOf(argv);
  if (shape && out && code !== EXIT.usage) readShape(shape, out);
  return { code, out, err };
}

function readShape(shape: keyof JsonShapes, out: string): void {
  const { schema, lines }: JsonShape = JSON_SHAPES[shape];
  for (const text of lines ? out.trimEnd().split('\n') : [out]) schema.parse(JSON.parse(text));
}

/** Which documented JSON a command prints, if any. */
function shapeOf([verb, ...args]: readonly string[]): keyof JsonShapes | undefined {
  if (args.includes('--help')) return undefined;
  if (args.join(' ').includes('--export json')) return 'campaign --export';
  if (!args.includes('--json')) return undefined;
  if (verb === 'replay' && args.some((arg) => ['-g', '--goto'].includes(arg))) return 'replay --goto';
  if (verb === 'why' && !args.includes('--against')) return 'why alone';
  if (verb === 'bisect' && args.includes('--when')) return 'bisect --when';
  if (verb === 'log' && args.includes('--summary')) return 'log --summary';
  return Object.keys(JSON_SHAPES).find((name): name is keyof JsonShapes => name === verb);
}
