/**
 * `dejavm record`: runs a machine and writes its trace. Guest console output goes to standard output, everything else
 * to standard error. Ctrl-C and Ctrl-A x end the recording in good order.
 */
import {
  formatFault,
  haltText,
  type MachineConfig,
  parseFault,
  shellLine,
  type VirtioConfig,
} from '../../../engine/index.ts';
import {
  defaultTracePaths,
  openUdpNetwork,
  type PlannedInput,
  parseTrigger,
  type RecordResult,
  record,
} from '../../../replay/index.ts';
import { byteSize, counted, EXIT, type ExitCode, grouped, type Io, progressLine } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import type { FlagValues } from '../flags.ts';
import { loadImages, plugIn } from '../machine/index.ts';
import { trapLoopLines } from '../trap-loops.ts';
import { becomesLatest } from './latest.ts';
import { runLimits } from './limits.ts';
import { type LiveConsole, openLiveConsole } from './live-console.ts';

type RecordFlag =
  | 'smp'
  | 'memory'
  | 'bios'
  | 'kernel'
  | 'initrd'
  | 'append'
  | 'dtb'
  | 'drive'
  | 'netdev'
  | 'device'
  | 'seed'
  | 'rtc'
  | 'out'
  | 'quantum'
  | 'jitter'
  | 'fault'
  | 'input'
  | 'poke'
  | 'maxMoment'
  | 'maxTime'
  | 'digestEvery'
  | 'checkpointEvery'
  | 'noReboot'
  | 'console';

export async function recordCommand({ flags, io, argv }: CommandContext<RecordFlag>): Promise<ExitCode> {
  const { virtio, cables } = plugIn(flags);
  const config = machineConfig(flags, virtio);
  const planned = plannedInputs(flags);
  const path = flags.out ?? defaultTracePaths('run');
  const network = cables.length === 0 ? undefined : await openUdpNetwork(cables);
  const live = flags.console ? openLiveConsole(io) : undefined;
  const output = consoleOutput(io);
  let interrupted = false;
  let loops: readonly string[] = [];
  const release = io.onInterrupt(() => {
    interrupted = true;
  });
  // A status line on the terminal that also shows the guest's console would tear it apart.
  const progress = progressLine(io, io.errIsTerminal && !io.outIsTerminal);
  try {
    const result = await record({
      path,
      config,
      planned,
      ...runLimits(flags),
      digestEvery: flags.digestEvery,
      checkpointEvery: flags.checkpointEvery,
      commandLine: ['dejavm', ...argv],
      ...(live && { pollConsole: live.poll }),
      ...(network && { network }),
      stopRequested: () => {
        output.flush();
        return interrupted || live?.quit() === true;
      },
      onEvent: (event) => {
        if (event.kind === 'console') output.push(event.byte);
      },
      atEnd: (machine) => {
        loops = trapLoopLines(machine);
      },
      onProgress: (moment) => progress.show(() => `recording: ${grouped(moment)} instructions`),
    });
    output.flush();
    progress.clear();
    if (!interrupted) becomesLatest(result.path, io);
    for (const line of loops) io.err(`dejavm: warning: ${line}\n`);
    warnOfInputs(result, live, network?.notTaken ?? 0, io);
    return report(result, interrupted ? 'interrupted' : live?.quit() ? 'quit' : undefined, flags, io);
  } finally {
    output.flush();
    progress.clear();
    live?.close();
    network?.close();
    release();
  }
}

/** The guest writes bytes; a write for each would be slow. Lines go out at once, the rest at the next flush. */
function consoleOutput(io: Io): { readonly push: (byte: number) => void; readonly flush: () => void } {
  let pending: number[] = [];
  const flush = () => {
    if (pending.length > 0) io.guestConsole(Uint8Array.from(pending));
    pending = [];
  };
  return {
    push(byte) {
      pending.push(byte);
      if (byte === 10) flush();
    },
    flush,
  };
}

/** The machine that the flags describe. */
export function machineConfig(
  flags: FlagValues<
    | 'smp'
    | 'memory'
    | 'bios'
    | 'kernel'
    | 'initrd'
    | 'append'
    | 'dtb'
    | 'seed'
    | 'rtc'
    | 'quantum'
    | 'jitter'
    | 'noReboot'
  >,
  virtio: readonly VirtioConfig[],
): MachineConfig {
  const { jitter, seed, rtc, noReboot } = flags;
  return {
    harts: flags.smp,
    ramBytes: flags.memory,
    quantum: { policy: jitter === undefined ? 'fixed' : 'jittered', ticks: flags.quantum, seed: jitter ?? 0n },
    append: flags.append,
    ...loadImages(flags),
    ...(virtio.length > 0 && { virtio }),
    ...(seed !== undefined && { seed }),
    ...(rtc !== undefined && { wallClock: rtc === 'now' ? Math.floor(Date.now() / 1000) : rtc }),
    ...(!noReboot && { reboots: true }),
  };
}

/** Faults, typed input and pokes as the recorder wants them. @throws UserError for an unknown fault model */
export function plannedInputs(flags: FlagValues<'fault' | 'input' | 'poke'>): PlannedInput[] {
  const faults = flags.fault.map(({ model, when }): PlannedInput => {
    return { trigger: parseTrigger(when), event: { kind: 'fault', fault: parseFault(model) } };
  });
  return [...faults, ...flags.input, ...flags.poke];
}

function report(
  result: RecordResult,
  stopped: 'interrupted' | 'quit' | undefined,
  flags: FlagValues<'maxTime'>,
  io: Io,
): ExitCode {
  const { stop, path, end } = result;
  io.err(
    `dejavm: recorded ${grouped(end.moment)} instructions, ${stopped ?? stopText(stop, flags.maxTime !== undefined)}; ` +
      `${byteSize(result.bytes)} in ${path}\n  replay it with: ${shellLine(['dejavm', 'replay', path])}\n`,
  );
  if (stopped === 'interrupted') {
    io.err('  (interrupted: latest stays the trace it was)\n');
    return EXIT.interrupted;
  }
  return stop.kind === 'halted' && stop.status === 'fail' ? EXIT.difference : EXIT.ok;
}

/** What was to enter and did not get in. */
function warnOfInputs(result: RecordResult, live: LiveConsole | undefined, frames: number, io: Io): void {
  const warn = (text: string) => io.err(`dejavm: warning: ${text}\n`);
  for (const { event } of result.notReached) {
    const what = event.kind === 'fault' ? `fault ${formatFault(event.fault)}` : `${event.kind} input`;
    warn(`the run ended before the moment of the ${what}: it was not applied`);
  }
  const { bytes = 0, ended = true } = live?.notPolled ?? {};
  const typed = result.consoleBytesNotTaken + bytes;
  const isHeldBack = !ended && bytes > 0;
  if (typed > 0) {
    warn(
      `the guest never read ${counted(typed, 'byte')} of its console input${isHeldBack ? ', nor what was to follow' : ''}`,
    );
  }
  if (frames > 0) warn(`the guest never took ${counted(frames, 'frame')} that came in from the network`);
}

function stopText(stop: RecordResult['stop'], timeGiven: boolean): string {
  if (stop.kind === 'halted') return `the machine halted: ${haltText(stop)}`;
  if (stop.kind === 'idle') return 'every hart waits for nothing';
  if (stop.kind !== 'ticks') return 'stopped at --max-moment';
  return timeGiven ? 'stopped at --max-time' : 'virtual time came to its end, after 104 days';
}
