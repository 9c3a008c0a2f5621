/**
 * The shape of a command module: every file in commands/ exports one function of this type. Relies on the flag table.
 */
import type { ExitCode } from './exit-codes.ts';
import type { FlagName, FlagValues } from './flags.ts';
import type { Io } from './io.ts';

export interface CommandContext<N extends FlagName = never> {
  /** Positional arguments, as many as the verb declares. */
  readonly args: readonly string[];
  readonly flags: FlagValues<N>;
  readonly io: Io;
  /** The whole command line after `dejavm`, to record it and to print reproducers. */
  readonly argv: readonly string[];
}

/** Runs a verb. Throws the user's and our own errors alike; cli.ts explains them. */
export type CommandFunction<N extends FlagName = never> = (context: CommandContext<N>) => Promise<ExitCode>;
