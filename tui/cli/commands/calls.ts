/**
 * `dejavm calls TRACE FUNCTION`: each call of a function with its arguments, and with `--returns` what became of it.
 * Relies on replay/stack, which tells the calls of recursions, VMs and threads apart.
 */
import { codeText, type MachineSymbols, shellLine, visible } from '../../../engine/index.ts';
import { type FunctionCall, functionCalls, parseExecutions, type TraceTimeline } from '../../../replay/index.ts';
import { TraceError } from '../../../traces/index.ts';
import { counted, EXIT, type ExitCode, grouped, hex, table, UsageError, virtualTime } from '../../base/index.ts';
import { momentOf } from '../../panels/index.ts';
import type { CommandContext } from '../command.ts';
import { driven } from '../driven.ts';
import { toJson } from '../json/index.ts';
import { openRun } from '../symbol-files.ts';
import { travelToStretch } from '../travel-to.ts';
import { openNamedTrace } from './open.ts';

type CallsFlag = 'returns' | 'args' | 'hart' | 'from' | 'to' | 'limit' | 'symbols' | 'json';

/** Calls that are listed unless --limit says otherwise. */
const MOST_LISTED = 1_000;
const ALL_ARGUMENTS = 8;

export async function callsCommand({ args, flags, io }: CommandContext<CallsFlag>): Promise<ExitCode> {
  const [name, text] = args;
  const { hart } = flags;
  const trace = openNamedTrace(name!, io);
  const run = openRun(trace, flags, io);
  const { harts } = run.machine.config;
  if (hart !== undefined && hart >= harts) {
    throw new UsageError(`there is no hart ${hart}: this machine has harts 0 to ${harts - 1}`);
  }
  const to = await travelToStretch(run, flags, io);
  if (!to) return EXIT.interrupted;
  const entries = parseExecutions(text!, { machine: run.machine, symbols: run.symbols });
  const calls: FunctionCall[] = [];
  const search = functionCalls(run, entries, to, {
    calls,
    most: flags.limit ?? MOST_LISTED,
    untilReturned: flags.returns === true,
    wanted: (call) => hart === undefined || call.hart === hart,
  });
  const progress = ({ moment }: { readonly moment: number }) => `looking: moment ${grouped(moment)}`;
  let left: TraceError | undefined;
  const asked = await driven(search, io, progress).catch((error: unknown) => {
    if (!(error instanceof TraceError) || error.kind !== 'incompatible') throw error;
    left = error;
    return { interrupted: false, result: false };
  });

  const more = asked.result === true;
  const listed = calls.map((call) => describeCall(call, run, flags.args, flags.returns === true));
  if (flags.json) io.out(toJson('calls', { trace: trace.path, function: text!, calls: listed, more }));
  else io.out(`${callsText(listed, flags.returns === true)}\n`);
  if (more) io.err(`dejavm: only the first ${grouped(calls.length)} are listed; --limit lists more\n`);
  if (left) {
    io.err(`dejavm: ${left.message}\n`);
    return EXIT.difference;
  }
  if (asked.interrupted) {
    io.err(`dejavm: stopped by Ctrl-C at moment ${grouped(run.moment)}: what follows was not looked at\n`);
    return EXIT.interrupted;
  }
  if (calls[0] && !flags.json) {
    io.err(`dejavm: look there with: ${shellLine(['dejavm', 'show', trace.path, '-g', momentOf(calls[0])])}\n`);
  }
  return EXIT.ok;
}

/** What does not go through a0 to a7, one register each. */
const ELSEWHERE = /^(?!.*\*$)(const )?(struct|union|float|double|long double|__int128|_Complex)\b/;

/** The names of a function's parameters; undefined: not known, or they are not simply in a0 to a7. */
function namesOf({ mode, pc, vmid }: FunctionCall, symbols: MachineSymbols): readonly string[] | undefined {
  const at = symbols.debugAt(mode, pc, vmid);
  const taken = at?.debug.functionAt(at.address);
  // A clone that the compiler made, such as f.isra.0, may take others.
  if (!taken || taken.low !== at!.address || symbols.lookup(mode, pc, vmid)?.name !== taken.name) return undefined;
  const { parameters } = taken;
  if (parameters.length > ALL_ARGUMENTS || parameters.some(({ type }) => ELSEWHERE.test(type))) return undefined;
  return parameters.map(({ name }) => name);
}

/** A call, as --json prints it. */
type DescribedCall = ReturnType<typeof describeCall>;

/** `args`: so many arguments; else as many as the function takes, where debug information says it, or all. */
function describeCall(call: FunctionCall, { symbols }: TraceTimeline, args: number | undefined, returns: boolean) {
  const { end, vmid, mode, pc, ra, ...rest } = call;
  const symbol = symbols.describe(mode, pc, vmid);
  const names = namesOf(call, symbols);
  // A call may be the last instruction of its function.
  const from = call.by === 'entry' ? {} : symbols.codeAt(mode, ra - 2n, vmid);
  return {
    ...rest,
    mode,
    ...(vmid !== undefined && { vmid }),
    pc,
    ...(symbol !== undefined && { symbol }),
    ra,
    ...(from.symbol !== undefined && { caller: from.symbol }),
    ...(from.source !== undefined && { source: from.source }),
    arguments: call.arguments.slice(0, args ?? names?.length ?? ALL_ARGUMENTS),
    ...(names && { names }),
    ...(returns && { end }),
  };
}

function callsText(calls: readonly DescribedCall[], returns: boolean): string {
  const rows = calls.map(
    ({ moment, ticks, hart, mode, vmid, symbol, pc, end, arguments: values, names = [], ...from }) => [
      grouped(moment),
      virtualTime(ticks),
      `hart ${hart} ${mode}${vmid === undefined ? '' : ` VM ${vmid}`}`,
      `${symbol === undefined ? hex(pc, 8) : visible(symbol)}(${values.map((value, n) => argumentText(value, names[n])).join(', ')})`,
      ...(returns ? [end ? endText(end, hart) : ''] : []),
      callerText(from),
    ],
  );
  if (rows.length === 0) return counted(0, 'call');
  const head = ['moment', 'virtual time', 'where', 'call', ...(returns ? ['returned'] : []), 'from'];
  return table([head, ...rows], [0, 1]);
}

const argumentText = (value: bigint, name = ''): string => `${name === '' ? '' : `${visible(name)}=`}${hex(value)}`;

function callerText({ by, ra, caller, source }: Pick<DescribedCall, 'by' | 'ra' | 'caller' | 'source'>): string {
  if (by === 'entry') return 'entered without a call';
  const code = codeText({ ...(caller !== undefined && { symbol: caller }), ...(source !== undefined && { source }) });
  return `${by === 'jump' ? 'jump, ' : ''}${code === '' ? hex(ra, 8) : code}`;
}

function endText(end: FunctionCall['end'], hart: number): string {
  switch (end.kind) {
    case 'returned': {
      const took = end.instructions === undefined ? '' : `, ${counted(end.instructions, 'instruction')} later`;
      const where = end.hart === hart ? '' : ` on hart ${end.hart}`;
      return `${end.results.map((value) => hex(value)).join(', ')} at ${grouped(end.moment)}${took}${where}`;
    }
    case 'abandoned':
      return `not seen: its caller's frame called again at ${grouped(end.moment)}`;
    case 'reset':
      return `never: the machine was reset at ${grouped(end.moment)}`;
    case 'open':
      return 'not up to the end';
    case 'unknown':
      return 'not known: ra leads behind no call';
  }
}
