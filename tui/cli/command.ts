/**
 * The shape of a verb and of its module: every file in commands/ exports one function of type CommandFunction. Relies
 * on the flag table.
 */
import type { ExitCode, Io } from '../base/index.ts';
import type { FlagName, FlagValues } from './flags.ts';
import type { Takes } from './takes.ts';

export interface VerbArgument {
  readonly name: string;
  readonly takes: Takes;
  readonly help: string;
  readonly optional?: true;
  /** Any number of them, behind all others. */
  readonly many?: true;
}

/** A row of the table of verbs. */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly arguments: readonly VerbArgument[];
  readonly flags: readonly FlagName[];
  readonly examples: readonly string[];
  readonly load: () => Promise<CommandFunction<FlagName>>;
}

export interface CommandContext<N extends FlagName = never> {
  /** Positional arguments, as many as the verb declares, or more where its last one says so. */
  readonly args: readonly string[];
  readonly flags: FlagValues<N>;
  readonly io: Io;
  /** The whole command line after `dejavm`, to record it and to print reproducers. */
  readonly argv: readonly string[];
  /** The whole table, for verbs that describe it. */
  readonly verbs: readonly Verb[];
}

/** Runs a verb. Throws the user's and our own errors alike; cli.ts explains them. */
export type CommandFunction<N extends FlagName = never> = (context: CommandContext<N>) => Promise<ExitCode>;
