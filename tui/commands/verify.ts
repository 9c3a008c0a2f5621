/** `dejavm verify TRACE`: the file's structure, then a full replay. Damage is located; what is intact is replayed. */
import type { Trace } from '../../traces/index.ts';
import type { CommandContext } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { byteSize, counted, grouped, shellLine, toJson } from '../format.ts';
import { openNamedTrace } from './open.ts';
import { replayText, replayWithProgress } from './replay.ts';

export async function verifyCommand({ args, flags, io }: CommandContext<'structureOnly' | 'json'>): Promise<ExitCode> {
  // The warning about damage would repeat what is printed below.
  const trace = openNamedTrace(args[0]!, { ...io, err: () => {} });
  // Checkpoints are decoded on demand: a checksum that fails inside one shows only here.
  for (let n = 0; n < trace.checkpoints.length; n++) trace.checkpoint(n);
  const replay = flags.structureOnly ? undefined : replayWithProgress(trace, io);
  if (flags.json) {
    io.out(toJson({ trace: trace.path, intact: !trace.damage, damage: trace.damage ?? null, replay: replay ?? null }));
  } else io.out(`${[structureText(trace), ...(replay ? [replayText(replay)] : [])].join('\n')}\n`);
  if (replay && !replay.ok) {
    io.err(`dejavm: ${trace.path} diverged; reproduce with: ${shellLine(['dejavm', 'replay', trace.path])}\n`);
    return EXIT.difference;
  }
  return trace.damage ? EXIT.damaged : EXIT.ok;
}

function structureText(trace: Trace): string {
  const { damage } = trace;
  if (!damage) {
    const parts = [counted(trace.digests.length, 'digest'), counted(trace.checkpoints.length, 'checkpoint')];
    const end = trace.end ? '' : ', cut off without an end record';
    return `structure is intact: ${byteSize(trace.sizeBytes)}, ${parts.join(', ')}${end}`;
  }
  return [
    `DAMAGED (${damage.kind}) at byte ${damage.offset} of ${trace.sizeBytes}: ${damage.message}`,
    `  intact up to moment ${grouped(damage.lastGood.moment)}`,
  ].join('\n');
}
