/**
 * Runs along a trace and tells what happens, stretch by stretch, in bounded memory whatever the run does. Compares the
 * recorded digests on the way, so that what is told of a run that leaves its recording ends where it does.
 * Relies on the timeline for the place to begin at, and on the player for inputs. A trace that is still being recorded
 * can be read on when it has grown.
 */
import {
  insideVm,
  type Machine,
  type MachineEvent,
  type MachineSymbols,
  type Observed,
  readPublishedCalls,
  type StopReason,
} from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import { type Mark, marksToEnd, type Position } from '../base/index.ts';
import type { Player, TraceTimeline } from '../timeline/index.ts';
import { Decoder, type Running } from './decoder.ts';
import { LogQueue } from './queue.ts';
import { type LogBatch, type LogEnd, type LogEntry, type LogFilter, type LogKind, USUAL_KINDS } from './types.ts';

/** Ticks that are executed at a time: at most so many events come of it. */
const STRETCH = 100_000;

export class LogReader {
  private readonly timeline: TraceTimeline;
  private readonly player: Player;
  private readonly filter: LogFilter;
  private readonly kinds: ReadonlySet<LogKind>;
  private readonly queue = new LogQueue();
  private readonly decoder: Decoder;
  private nextInput: number;
  private agreedAt: Position;

  /** VMs that have been seen to run, by VMID. */
  readonly vmids: Set<number> = new Set();
  /** Of what runs. */
  readonly symbols: MachineSymbols;

  /** Begins where `timeline` stands, and moves its machine: the timeline is of no use to others meanwhile. */
  constructor(timeline: TraceTimeline, filter: LogFilter = {}) {
    const { machine, player, symbols } = timeline;
    this.timeline = timeline;
    this.player = player;
    this.symbols = symbols;
    this.filter = filter;
    this.kinds = new Set(filter.kinds ?? USUAL_KINDS);
    this.agreedAt = here(machine);
    this.nextInput = player.applied;
    const running = runningNow(machine);
    for (const { vmid } of running.values()) this.vmids.add(vmid);
    this.decoder = new Decoder((entry) => this.take(entry), {
      ...(symbols.hypervisor && { published: readPublishedCalls(symbols.hypervisor) }),
      running,
    });
  }

  /** Where the run stands. */
  get position(): Position {
    return here(this.player.machine);
  }

  /**
   * Executes the run to the end of the trace as it is now, or to `filter.to`, and yields what happens. `growing`: what
   * waits for a result at the end of a trace without an end record goes on waiting.
   */
  *read(growing = false): Generator<LogBatch, LogEnd> {
    const { machine } = this.player;
    const before = { onEvent: machine.onEvent, observed: machine.observed };
    machine.observed = observedFor(this.kinds, this.filter);
    machine.onEvent = (event) => this.see(event);
    try {
      for (const mark of marksToEnd(this.trace, machine.ticks)) {
        const stop = yield* this.runTo(mark);
        if (stop === 'enough') return yield* this.finish({ complete: true }, true);
        const hasAgreed = stop === 'arrived' && machine.moment === mark.moment && machine.digest() === mark.digest;
        if (!hasAgreed) {
          const differsAt = machine.ticks < mark.ticks ? here(machine) : here(mark);
          return yield* this.finish({ complete: false, diverged: { agreedAt: this.agreedAt, differsAt } }, true);
        }
        this.agreedAt = here(mark);
      }
      const complete = this.trace.end !== undefined;
      return yield* this.finish({ complete }, complete || !growing);
    } finally {
      Object.assign(machine, before);
    }
  }

  /** What still waits for a result, when no more is read. */
  rest(): readonly LogEntry[] {
    return this.queue.take(true);
  }

  /** Goes on with the same trace, of which more has been written. @throws TraceError as `TraceTimeline.grow` */
  grow(trace: Trace): void {
    this.timeline.grow(trace);
  }

  private get trace(): Trace {
    return this.timeline.trace;
  }

  private *runTo(mark: Mark): Generator<LogBatch, 'arrived' | 'enough' | 'parted'> {
    const { machine } = this.player;
    const to = this.filter.to ?? Number.POSITIVE_INFINITY;
    for (;;) {
      if (machine.moment > to) return 'enough';
      const limits = { ticks: mark.ticks, work: STRETCH, ...(Number.isFinite(to) && { moment: to + 1 }) };
      const stop = this.player.advance(limits, mark.isEnd ? 'applied' : 'pending');
      yield this.batch(false);
      if (stop.kind === 'work') continue;
      if (stop.kind === 'moment' && machine.moment > to) return 'enough';
      return stop.kind !== 'misplaced' && hasArrived(stop, machine, mark) ? 'arrived' : 'parted';
    }
  }

  private *finish(end: Pick<LogEnd, 'complete' | 'diverged'>, isLast: boolean): Generator<LogBatch, LogEnd> {
    yield this.batch(isLast);
    return { ...end, ...this.position };
  }

  private batch(isLast: boolean): LogBatch {
    const { machine } = this.player;
    this.tellInputsBefore(isLast ? machine.ticks + 1 : machine.ticks);
    return { entries: this.queue.take(isLast), ...here(machine) };
  }

  private see(event: MachineEvent): void {
    // An input of a position comes before all that stands behind it.
    this.tellInputsBefore(event.ticks);
    this.decoder.see(event);
  }

  /** Tells the inputs that have been applied before a virtual time. */
  private tellInputsBefore(ticks: number): void {
    const { inputs } = this.player;
    while (this.nextInput < this.player.applied) {
      const input = inputs.at(this.nextInput)!;
      if (input.ticks >= ticks) return;
      this.nextInput++;
      const { moment } = this.trace.inputs.at(this.nextInput - 1)!;
      const kind = input.event.kind === 'fault' ? 'fault' : 'input';
      this.take({ kind, moment, ticks: input.ticks, input: input.event });
    }
  }

  private take(entry: LogEntry): void {
    const { vmid, hart, to = Number.POSITIVE_INFINITY } = this.filter;
    if (entry.vmid !== undefined) this.vmids.add(entry.vmid);
    if (!this.kinds.has(entry.kind) || entry.moment > to) return;
    if (hart !== undefined && entry.hart !== hart) return;
    if (vmid !== undefined && entry.vmid !== vmid) return;
    this.queue.add(entry);
  }
}

const here = ({ moment, ticks }: Position): Position => ({ moment, ticks });

const hasArrived = (stop: StopReason, machine: Machine, mark: Mark): boolean =>
  machine.ticks === mark.ticks && stop.kind !== 'breakpoint';

function observedFor(kinds: ReadonlySet<LogKind>, { vmid }: LogFilter): Observed {
  const all = kinds.has('sbi') || kinds.has('trap') || kinds.has('interrupt');
  const vm = kinds.has('exit') || kinds.has('entry') || kinds.has('hypercall') || kinds.has('sched');
  // Which VMs there are is to be known, too.
  return {
    transitions: all ? 'all' : vm || vmid !== undefined ? 'vm' : 'none',
    accesses: kinds.has('mmio'),
    csrWrites: kinds.has('csr'),
  };
}

/** The VMs that harts are inside of. */
function runningNow(machine: Machine): Map<number, Running> {
  const running = new Map<number, Running>();
  for (let hart = 0; hart < machine.config.harts; hart++) {
    const { mode, vmid } = machine.hart(hart);
    if (insideVm(mode)) running.set(hart, { vmid, vcpu: machine.csr(hart, 'sscratch') });
  }
  return running;
}
