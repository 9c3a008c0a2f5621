/**
 * `dejavm dump TRACE`: its records, one a line, as text that stays the same where the records do, or as JSON. Executes
 * nothing unless a moment can only be found so.
 */
import type { MomentExpression } from '../../../replay/index.ts';
import { type DumpedRecord, dumpRecords, type Trace } from '../../../traces/index.ts';
import { EXIT, type ExitCode, hex, type Io } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { toJsonLine } from '../json/index.ts';
import { openRun, type SymbolFlags } from '../symbol-files.ts';
import { isTaken } from '../taken.ts';
import { travelTo } from '../travel-to.ts';
import { openNamedTrace } from './open.ts';

/** Lines between two looks at whether they are taken. */
const AT_ONCE = 1000;

export async function dumpCommand({
  args,
  flags,
  io,
}: CommandContext<'records' | 'from' | 'to' | 'symbols' | 'json'>): Promise<ExitCode> {
  const trace = openNamedTrace(args[0]!, io);
  const [from, to] = [await momentOf(trace, flags.from, flags, io), await momentOf(trace, flags.to, flags, io)];
  if (from === 'interrupted' || to === 'interrupted') return EXIT.interrupted;
  let interrupted = false;
  const release = io.onInterrupt(() => {
    interrupted = true;
  });
  let lines = 0;
  try {
    for (const record of dumpRecords(trace, flags.records, from, to)) {
      if (++lines % AT_ONCE === 0 && !(await isTaken(io))) break;
      if (interrupted) return EXIT.interrupted;
      io.out(flags.json ? toJsonLine('dump', record) : `${recordText(record)}\n`);
    }
  } finally {
    release();
  }
  return trace.damage ? EXIT.damaged : EXIT.ok;
}

async function momentOf(
  trace: Trace,
  moment: MomentExpression | undefined,
  flags: SymbolFlags,
  io: Io,
): Promise<number | undefined | 'interrupted'> {
  if (moment === undefined) return undefined;
  const { base, offset } = moment;
  if (base.kind === 'trigger' && base.trigger.kind === 'moment') return base.trigger.moment + offset;
  const travel = openRun(trace, flags, io);
  return (await travelTo(travel, moment, io)) ? travel.moment : 'interrupted';
}

/** `notes moment=28116 ticks=28120 hart=0 code=4097 arg=2`. */
function recordText({ record, ...fields }: DumpedRecord): string {
  return [record, ...Object.entries(fields).map(([name, value]) => `${name}=${valueText(value)}`)].join(' ');
}

function valueText(value: unknown): string {
  if (typeof value === 'bigint') return hex(value);
  const replace = (_key: string, item: unknown) =>
    typeof item === 'bigint' ? hex(item) : item instanceof Uint8Array ? Buffer.from(item).toString('hex') : item;
  return JSON.stringify(value, replace);
}
