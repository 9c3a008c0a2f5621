/** `dejavm diff A B`: in what two recordings differ, from what they recorded; nothing is executed. */

import { shellLine } from '../../../engine/index.ts';
import { diffTraces } from '../../../replay/index.ts';
import { EXIT, type ExitCode } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { toJson } from '../json/index.ts';
import { openNamedTrace } from './open.ts';

export async function diffCommand({ args, flags, io }: CommandContext<'json'>): Promise<ExitCode> {
  const [a, b] = [openNamedTrace(args[0]!, io), openNamedTrace(args[1]!, io)];
  const diff = diffTraces(a, b);
  if (flags.json) io.out(toJson('diff', { a: a.path, b: b.path, ...diff }));
  else io.out(`A ${a.path}\nB ${b.path}\n${diff.lines.join('\n')}\n`);
  if (diff.equal) return EXIT.ok;
  io.err(
    `dejavm: the runs differ; find the first instruction with: ${shellLine(['dejavm', 'bisect', a.path, b.path])}\n`,
  );
  return EXIT.difference;
}
