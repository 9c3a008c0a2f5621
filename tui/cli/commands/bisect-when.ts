/** `dejavm bisect TRACE --when CONDITION`: the first moment of a condition that, once true, stays true. */
import { shellLine, trapLoops } from '../../../engine/index.ts';
import { bisectWhen, readCondition } from '../../../replay/index.ts';
import type { Trace } from '../../../traces/index.ts';
import { counted, EXIT, type ExitCode, grouped, type Io } from '../../base/index.ts';
import { momentOf } from '../../panels/index.ts';
import { driven } from '../driven.ts';
import { toJson } from '../json/index.ts';
import { openRun, type SymbolFlags } from '../symbol-files.ts';
import { placeText, whereIs } from '../where.ts';

export async function bisectConditionIn(
  trace: Trace,
  text: string,
  flags: SymbolFlags & { readonly json: boolean },
  io: Io,
): Promise<ExitCode> {
  const run = openRun(trace, flags, io);
  const condition = readCondition(text, { machine: run.machine, symbols: run.symbols });
  const search = bisectWhen(run, condition);
  const { result } = await driven(search, io, (at) => `bisecting: moment ${grouped(at.moment)}`);
  if (!result) return EXIT.interrupted;
  const place = whereIs(run.machine, run.symbols);
  const loops = trapLoops(run.machine);
  const { outcome, probes } = result;
  if (flags.json)
    io.out(
      toJson('bisect --when', { trace: trace.path, condition: text, outcome, probes, ...place, trapLoops: loops }),
    );
  else if (outcome === 'always') io.out(`${text} holds from the beginning on\n`);
  else if (outcome === 'not at the end') io.out(`${text} does not hold at the end of the run\n`);
  else io.out(`${text} holds from here on (${counted(probes, 'probe')}):\n\n${placeText(place)}\n`);
  if (outcome === 'found' && !flags.json) {
    io.err(`dejavm: look there with: ${shellLine(['dejavm', 'show', trace.path, '-g', momentOf(run.place)])}\n`);
  }
  return EXIT.ok;
}
