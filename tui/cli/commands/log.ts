/**
 * `dejavm log TRACE`: what happens in a run, an entry a line, or counted; also of a run that is being recorded. Relies
 * on replay/log, which bounds what is held.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  followLog,
  type LogBatch,
  type LogEnd,
  type LogEntry,
  type LogKind,
  LogReader,
  LogSummarizer,
  USUAL_KINDS,
} from '../../../replay/index.ts';
import { isBeingWritten, openTrace, type Trace } from '../../../traces/index.ts';
import { EXIT, type ExitCode, grouped, type Io, progressLine, UsageError } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import type { FlagValues } from '../flags.ts';
import { toJson, toJsonLine } from '../json/index.ts';
import { entryLine, summaryText } from '../log-text.ts';
import { openRun } from '../symbol-files.ts';
import { isTaken } from '../taken.ts';
import { travelTo } from '../travel-to.ts';
import { openNamedTrace } from './open.ts';

type LogFlag = 'kinds' | 'vm' | 'hart' | 'from' | 'to' | 'summary' | 'limit' | 'follow' | 'symbols' | 'json';

/** What the summary needs to see, whatever is counted. */
const TIMED: readonly LogKind[] = ['exit', 'entry', 'hypercall'];
const FOLLOW_MS = 200;

export async function logCommand({ args, flags, io }: CommandContext<LogFlag>): Promise<ExitCode> {
  const trace = openNamedTrace(args[0]!, io, flags.follow ? { damageIsSaid: true } : {});
  const reader = await openReader(trace, flags, io);
  if (!reader) return EXIT.interrupted;
  const told = flags.summary ? countedIn(flags, io) : printedTo(reader, flags, io);
  let interrupted = false;
  const release = io.onInterrupt(() => {
    interrupted = true;
  });
  const progress = progressLine(io, io.errIsTerminal && (flags.summary || !io.outIsTerminal));
  let isRead = true;
  const isOver = () => interrupted || told.isFull() || !isRead;
  const batches = flags.follow
    ? followLog(reader, trace, {
        mayGrow: () => isBeingWritten(trace.path),
        reopen: () => openTrace(trace.path),
        pause: () => pause(isOver),
      })
    : reader.read();
  let end: LogEnd | undefined;
  try {
    end = await each(batches, async (batch) => {
      told.add(batch.entries);
      progress.show(() => `reading: moment ${grouped(batch.moment)} of ${grouped(trace.last.moment)}`);
      isRead = await isTaken(io);
      return isOver();
    });
  } finally {
    release();
    progress.clear();
  }
  if (!told.isFull()) told.add(reader.rest());
  told.end();
  if (interrupted) return EXIT.interrupted;
  return end ? conclude(trace, reader, end, { told: told.count(), ...flags }, io) : EXIT.ok;
}

/** Goes where the log begins. undefined: Ctrl-C came first. @throws UsageError for what the machine does not have */
async function openReader(
  trace: Trace,
  flags: FlagValues<Exclude<LogFlag, 'json'>>,
  io: Io,
): Promise<LogReader | undefined> {
  const { kinds, vm, hart, from, to } = flags;
  const timeline = openRun(trace, flags, io);
  const { harts } = timeline.machine.config;
  if (hart !== undefined && hart >= harts) {
    throw new UsageError(`--hart ${hart}: the machine of ${trace.path} has harts 0 to ${harts - 1}`);
  }
  if (to && !(await travelTo(timeline, to, io))) return undefined;
  const last = to && timeline.machine.moment;
  if (from && !(await travelTo(timeline, from, io))) return undefined;
  // What enters the machine at that very position belongs to it.
  if (from) timeline.toTicks(timeline.machine.ticks, 'pending');
  else timeline.seek(timeline.first.moment, 'pending');
  if (last !== undefined && last < timeline.machine.moment) {
    throw new UsageError(`--to is moment ${grouped(last)}, before --from, ${grouped(timeline.machine.moment)}`);
  }
  const shown = kinds ?? USUAL_KINDS;
  return new LogReader(timeline, {
    kinds: flags.summary ? [...shown, ...TIMED] : shown,
    ...(vm !== undefined && { vmid: vm }),
    ...(hart !== undefined && { hart }),
    ...(last !== undefined && { to: last }),
  });
}

/** Takes each batch until `see` has seen enough. */
async function each(
  batches: Generator<LogBatch, LogEnd> | AsyncGenerator<LogBatch, LogEnd>,
  see: (batch: LogBatch) => Promise<boolean>,
): Promise<LogEnd | undefined> {
  for (;;) {
    const step = await batches.next();
    if (step.done) return step.value;
    if (await see(step.value)) {
      await batches.return(undefined as unknown as LogEnd);
      return undefined;
    }
  }
}

/** Waits for more of a recording. False: nothing more is wanted. */
async function pause(isOver: () => boolean): Promise<boolean> {
  await sleep(FOLLOW_MS);
  return !isOver();
}

/** Where entries go. */
interface Told {
  add(entries: readonly LogEntry[]): void;
  /** No more is wanted. */
  isFull(): boolean;
  count(): number;
  end(): void;
}

function printedTo(reader: LogReader, { json, limit = Number.POSITIVE_INFINITY }: FlagValues<LogFlag>, io: Io): Told {
  let count = 0;
  return {
    add(entries) {
      const shown = entries.slice(0, limit - count);
      count += shown.length;
      const lines = shown.map((entry) => (json ? toJsonLine('log', entry) : `${entryLine(entry, reader.symbols)}\n`));
      if (lines.length > 0) io.out(lines.join(''));
    },
    isFull: () => count >= limit,
    count: () => count,
    end() {},
  };
}

function countedIn({ json, kinds }: FlagValues<LogFlag>, io: Io): Told {
  const summarizer = new LogSummarizer();
  const shown = new Set(kinds ?? USUAL_KINDS);
  let count = 0;
  return {
    add(entries) {
      for (const entry of entries) summarizer.add(entry, shown.has(entry.kind));
      count += entries.length;
    },
    isFull: () => false,
    count: () => count,
    end() {
      const { summary } = summarizer;
      io.out(json ? toJson('log --summary', summary) : `${summaryText(summary)}\n`);
    },
  };
}

function conclude(
  { path }: Trace,
  reader: LogReader,
  { complete, diverged }: LogEnd,
  { told, vm, follow }: Pick<FlagValues<LogFlag>, 'vm' | 'follow'> & { readonly told: number },
  io: Io,
): ExitCode {
  if (diverged) {
    const { agreedAt, differsAt } = diverged;
    io.err(
      `dejavm: ${path} diverged: the run agrees with the recording at moment ${grouped(agreedAt.moment)}, and no more at ` +
        `${grouped(differsAt.moment)}; the log ends there, 'dejavm verify' says in what they differ\n`,
    );
    return EXIT.difference;
  }
  if (vm !== undefined && told === 0 && !reader.vmids.has(vm)) {
    const others = [...reader.vmids].sort((a, b) => a - b);
    const known = others.length === 0 ? 'no VM runs there' : `VMs that run there: ${others.slice(0, 20).join(', ')}`;
    throw new UsageError(`--vm ${vm}: no such VM runs in what was looked at of ${path}; ${known}`);
  }
  if (follow && !complete) {
    io.err(`dejavm: ${path} was cut off: nobody records it any more, and it has no end\n`);
    return EXIT.damaged;
  }
  return EXIT.ok;
}
