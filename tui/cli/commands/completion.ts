/**
 * `dejavm completion SHELL`: a script for that shell, from the tables of verbs and flags. Relies on completion/ for all
 * of it.
 */
import { noSuchName } from '../../../engine/index.ts';
import { EXIT, type ExitCode, UsageError } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { bashCompletion, describeCommandLine, fishCompletion, zshCompletion } from '../completion/index.ts';
import { SHELLS } from '../shells.ts';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

export async function completionCommand({ args, io, verbs }: CommandContext): Promise<ExitCode> {
  const shell = SHELLS.find((name) => name === args[0]);
  if (shell === undefined) throw new UsageError(noSuchName('script for a shell', args[0]!, SHELLS));
  io.out(SCRIPTS[shell](describeCommandLine(verbs)));
  return EXIT.ok;
}
