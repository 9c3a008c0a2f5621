/**
 * `dejavm why TRACE WHERE` without a golden run: the tree of instructions that computed a value, down to constants,
 * inputs, images and devices. Relies on replay/why.
 */
import {
  type MomentExpression,
  openTimeline,
  parseEvent,
  parseExpression,
  parseMomentText,
  whyValue,
} from '../../../replay/index.ts';
import { EXIT, type ExitCode, grouped, type Io, UsageError } from '../../base/index.ts';
import { describeTree, whyTreeText } from '../../panels/index.ts';
import { driven } from '../driven.ts';
import { toJson } from '../json/index.ts';
import { travelTo } from '../travel-to.ts';
import { openNamedTrace } from './open.ts';

/** Steps and values that are listed. */
const MOST_LISTED = 200;

interface AloneFlags {
  readonly whyAt?: MomentExpression | undefined;
  readonly not?: string | undefined;
  readonly whyDepth?: number | undefined;
  readonly bytes?: number | undefined;
  readonly json?: boolean | undefined;
}

/** @throws UsageError when the question needs a golden run */
export async function whyAloneCommand(args: readonly string[], flags: AloneFlags, io: Io): Promise<ExitCode> {
  const [name, where] = args;
  if (where === undefined || parseEvent(where)) {
    throw new UsageError(
      'expected --against GOLDEN, a recording of the same run without what went wrong: nothing else says what should be',
    );
  }
  const expression = parseExpression(where);
  const trace = openNamedTrace(name!, io);
  const run = openTimeline(trace);
  if (!(await travelTo(run, flags.whyAt ?? parseMomentText('end'), io))) return EXIT.interrupted;
  const { moment, ticks } = run.place;
  const asked = { where: expression, ...(flags.bytes !== undefined && { bytes: flags.bytes }) };
  const options = { most: MOST_LISTED, ...(flags.whyDepth !== undefined && { depth: flags.whyDepth }) };
  const found = await driven(whyValue(run, asked, options), io, (at) => `looking back: moment ${grouped(at.moment)}`);
  if (!found.result) {
    io.err('dejavm: stopped by Ctrl-C: where it began was not found\n');
    return EXIT.interrupted;
  }
  const about = `${where} at moment ${grouped(moment)}`;
  const { nodes, visited, cut } = found.result;
  if (flags.json) {
    const { what, value, sources } = describeTree(found.result);
    const rest = { nodes, visited, cut };
    io.out(toJson('why alone', { trace: trace.path, about, at: { moment, ticks }, what, value, sources, ...rest }));
  } else io.out(`${whyTreeText(about, found.result)}\n`);
  return EXIT.ok;
}
