/**
 * Records a run: drives a machine to its end and writes what is needed to see it again. Inputs known beforehand arrive
 * by trigger, live console input as it is typed; either way they become records with exact positions.
 * Relies on the engine to stop exactly where it is told. The only place in `replay` that waits for the outside world.
 */
import { setTimeout } from 'node:timers/promises';
import {
  createMachine,
  type InputEvent,
  type Machine,
  type MachineEvent,
  type MachineSymbols,
  readMachineSymbols,
  resolveFault,
  type StopReason,
  type Ticks,
  UserError,
  vmDigests,
} from '../../engine/index.ts';
import { createTraceWriter, type TraceWriter } from '../../traces/index.ts';
import { endReason, type PlannedInput, type Position, type RecordOptions, type RecordResult } from '../base/index.ts';
import { CheckpointWriter, headerFields, imageContents, traceInput } from '../container/index.ts';
import { formatTrigger } from '../language/index.ts';
import { type HandedOver, Outside } from './outside.ts';
import { type Counting, InputPlan } from './plan.ts';
import { findExecution, findInstruction, placeOf, type SearchEnd, staysUntil, type TriggerSearch } from './trigger.ts';

/** Instructions, and ticks in which somebody executes, between two looks outside, and at the room for what came. */
const POLL_EVERY = 50_000;
const POLL_WORK = 1_000_000;
/** The same in virtual time while somebody outside may answer: a guest that sleeps must not sleep through it. */
const POLL_TICKS = 1_000_000;
/** Virtual time ends here, after 104 days: beyond, numbers are not exact. */
const LAST_TICK = Number.MAX_SAFE_INTEGER;
/** How long an idle machine sleeps before it looks at the live console again, host milliseconds. */
const IDLE_SLEEP_MS = 10;
/** How often the disk is waited for at most, host milliseconds: on a busy one, a wait is long. */
const SYNC_EVERY_MS = 1000;
/** Digests that may be lost when the recorder is killed. Each flush costs a block header and a system call. */
const DIGESTS_PER_FLUSH = 8;

/**
 * Records until the machine halts or idles for ever, until `maxMoment`, or until it is asked to stop (`stop` says
 * `moment` then). With a live console an idle machine waits for it.
 * @throws TraceWriteError when the file cannot be written (what was recorded stays readable), UserError for an unusable
 * configuration, image or input
 */
export async function record(options: RecordOptions): Promise<RecordResult> {
  checkOptions(options);
  // The machine first: a bad image must not cost an existing trace.
  const machine = createMachine(options.config);
  tryInputs(machine, options.planned);
  const writer = createTraceWriter(options.path, headerFields(options), imageContents(options.config));
  const recording = new Recording(machine, writer, options);
  let result: RecordResult;
  try {
    result = await recording.run();
  } catch (error) {
    writer.abandon();
    throw error;
  } finally {
    machine.onEvent = undefined;
  }
  options.atEnd?.(machine);
  return result;
}

function checkOptions({ digestEvery, checkpointEvery, planned }: RecordOptions): void {
  for (const [what, value] of Object.entries({ digest: digestEvery, checkpoint: checkpointEvery })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new UserError(`a ${what} every ${value} instructions: expected a whole number from 1`);
  }
  for (const { trigger } of planned) {
    if (trigger.kind === 'hypervisor' && trigger.k < 1) {
      throw new UserError(`instruction ${trigger.k} after moment ${trigger.after}: they are counted from 1`);
    }
    if (trigger.kind === 'recorded') continue;
    if ((trigger.kind === 'two-level' ? trigger.k : trigger.kind === 'symbol' ? trigger.n : 1) < 1) {
      throw new UserError(`the trigger ${formatTrigger(trigger)}: instructions are counted from 1`);
    }
  }
}

/**
 * Inputs that this machine can never take are refused now, not when their moment has come. Whether there is code for a
 * code fault depends on that moment: of those, only the hart is tried.
 * @throws UserError
 */
function tryInputs(machine: Machine, planned: readonly PlannedInput[]): void {
  if (planned.length === 0) return;
  const start = machine.snapshot();
  for (const { event } of planned) {
    // Any console takes any bytes, sooner or later.
    if (event.kind === 'console') continue;
    const isCode = event.kind === 'fault' && event.fault.model === 'code';
    machine.apply(isCode ? { kind: 'fault', fault: { model: 'failstop', hart: event.fault.hart } } : event);
    machine.restore(start);
  }
}

/** Where the machine is to stop; every run has an end in moments and in virtual time. */
type Limits = SearchEnd & { readonly moment: number; readonly ticks: number };

const STOPPED = { stop: { kind: 'moment' }, reason: 'stopped' } as const;

class Recording {
  private readonly machine: Machine;
  private readonly writer: TraceWriter;
  private readonly options: RecordOptions;
  private readonly plan: InputPlan;
  private readonly applied: (Position & { planned: PlannedInput })[] = [];
  private readonly hypervisor: MachineSymbols['hypervisor'];
  private readonly maxTicks: number;
  private nextDigest: number;
  private nextCheckpoint = 0;
  private readonly outside: Outside;
  private nextPoll = 0;
  private unflushedDigests = 0;
  /** Virtual times of the last digest and of the last input. */
  private lastDigest: Ticks | undefined;
  private lastInput: Ticks | undefined;
  /** Something live was applied, and no digest covers it yet. */
  private isLiveUncovered = false;
  /** The disk was not waited for since something live was applied or covered; when it was waited for last. */
  private isLiveUnsynced = false;
  private syncedMs = performance.now();
  private readonly checkpoints: CheckpointWriter;

  constructor(machine: Machine, writer: TraceWriter, options: RecordOptions) {
    this.machine = machine;
    this.writer = writer;
    this.checkpoints = new CheckpointWriter(writer);
    this.options = options;
    this.plan = new InputPlan(options.planned);
    this.hypervisor = readMachineSymbols(options.config).hypervisor;
    this.nextDigest = options.digestEvery;
    this.maxTicks = Math.min(options.maxTicks ?? LAST_TICK, LAST_TICK);
    this.outside = new Outside(machine, options);
  }

  async run(): Promise<RecordResult> {
    const { machine, writer } = this;
    // Nothing of them goes into a trace.
    machine.observed = { ...machine.observed, transitions: this.options.onEvent ? 'all' : 'none' };
    machine.onEvent = (event) => this.observe(event);
    const { stop, reason } = await this.runToEnd();
    const end = { moment: machine.moment, ticks: machine.ticks, digest: machine.digest() };
    writer.finish({ ...end, reason });
    return {
      path: writer.path,
      end,
      stop,
      applied: this.applied,
      notReached: this.plan.remaining(),
      consoleBytesNotTaken: this.outside.heldBytes + machine.consoleUnread,
      bytes: writer.bytesWritten,
    };
  }

  private async runToEnd(): Promise<{ stop: StopReason; reason: string }> {
    const { machine, options } = this;
    for (;;) {
      this.mark();
      for (const planned of this.plan.due(machine, (ticks) => staysUntil(machine, ticks))) this.applyPlanned(planned);
      this.handOver(() => this.outside.nextTyped());
      if (machine.moment >= this.nextPoll) {
        this.nextPoll = machine.moment + POLL_EVERY;
        if (this.outside.isAsked && (await this.poll()) === 'stop') return STOPPED;
      }
      if (machine.moment >= options.maxMoment) return { stop: { kind: 'moment' }, reason: 'moment' };
      if (machine.ticks >= this.maxTicks) return { stop: { kind: 'ticks' }, reason: 'time' };
      const stop = this.advance();
      const goesOn = stop.kind === 'idle' ? await this.wake() : stop.kind !== 'halted';
      if (goesOn === 'stop') return STOPPED;
      if (!goesOn) return { stop, reason: endReason(stop) };
    }
  }

  /** Takes the digest and checkpoint due here: before the inputs of this position, as replay expects. */
  private mark(): void {
    const { machine, writer, options } = this;
    const { moment, ticks } = machine;
    const checkpointDue = moment >= this.nextCheckpoint;
    if (moment >= this.nextDigest) {
      this.nextDigest = after(moment, options.digestEvery);
      this.digest();
      for (const vm of vmDigests(machine, this.hypervisor)) writer.vmDigest({ moment, ticks, ...vm });
      if (++this.unflushedDigests >= DIGESTS_PER_FLUSH && !checkpointDue) this.flush();
      options.onProgress?.(moment);
    }
    if (checkpointDue) {
      this.nextCheckpoint = after(moment, options.checkpointEvery);
      this.checkpoint();
    }
  }

  private checkpoint(): void {
    this.checkpoints.add(this.machine.snapshot());
    this.unflushedDigests = 0;
    this.syncWhenDue();
  }

  private digest(): void {
    const { moment, ticks } = this.machine;
    this.writer.digest({ moment, ticks, digest: this.machine.digest() });
    this.lastDigest = ticks;
  }

  private flush(): void {
    this.writer.flush();
    this.unflushedDigests = 0;
  }

  /** Lets the outside world in. `input`: something was typed or sent and is applied. */
  private async poll(): Promise<'stop' | 'input' | 'nothing'> {
    if ((await this.outside.ask()) === 'stop') return 'stop';
    if (this.isLiveUncovered && this.cover()) {
      this.flush();
      this.isLiveUnsynced = true;
    }
    const frames = this.handOver(() => this.outside.nextFrame());
    const typed = this.handOver(() => this.outside.nextTyped());
    if (this.isLiveUnsynced) this.syncWhenDue();
    return frames || typed ? 'input' : 'nothing';
  }

  /** Applies what there is room for. False when there was nothing. */
  private handOver(next: () => HandedOver | undefined): boolean {
    let [any, live] = [false, false];
    for (let input = next(); input; input = next()) {
      if (input.live) this.cover();
      this.apply(input.event);
      if (input.planned) this.taken(input.planned);
      any = true;
      live ||= input.live;
    }
    // What a person typed or somebody sent cannot be had again by running again.
    if (live) {
      this.flush();
      this.isLiveUncovered = true;
      this.isLiveUnsynced = true;
    }
    return any;
  }

  /** Waits until the disk has what was recorded, unless it was waited for a moment ago. */
  private syncWhenDue(): void {
    if (performance.now() - this.syncedMs < SYNC_EVERY_MS) return;
    this.writer.sync();
    this.syncedMs = performance.now();
    this.isLiveUnsynced = false;
  }

  /**
   * Takes a digest for what live input did up to here, so that a recording that is killed vouches for it. Digests stand
   * before the inputs of their position: behind one, none can be taken (false).
   */
  private cover(): boolean {
    const { ticks } = this.machine;
    if (this.lastInput === ticks) return false;
    if (this.lastDigest !== ticks) this.digest();
    this.isLiveUncovered = false;
    return true;
  }

  /** Applies a planned input, or as much of it as there is room for. False when the machine got nothing. */
  private applyPlanned(planned: PlannedInput): boolean {
    const { event, trigger } = planned;
    // What another recording took at this position is no more than that, whatever became of it.
    if (event.kind === 'console' && trigger.kind !== 'recorded') {
      this.outside.type(planned, event.bytes);
      return this.handOver(() => this.outside.nextTyped());
    }
    this.apply(event);
    this.taken(planned);
    return true;
  }

  private taken(planned: PlannedInput): void {
    const { moment, ticks } = this.machine;
    this.applied.push({ moment, ticks, planned });
  }

  private apply(event: InputEvent): void {
    const { machine } = this;
    const resolved: InputEvent =
      event.kind === 'fault' ? { kind: 'fault', fault: resolveFault(machine, event.fault) } : event;
    const { moment, ticks } = machine;
    // Applied first: an impossible input (no such hart) must not stand in the trace.
    machine.apply(resolved);
    this.writer.input(traceInput({ moment, ticks, event: resolved }));
    this.lastInput = ticks;
  }

  /** Runs to the next position at which something is due. */
  private advance(): StopReason {
    const { machine, plan, options } = this;
    const planned = plan.next(machine);
    const until = {
      moment: Math.min(this.nextDigest, this.nextCheckpoint, options.maxMoment, planned.moment),
      ticks: Math.min(this.maxTicks, planned.ticks),
    };
    const { isAsked, isAwaited } = this.outside;
    if (!isAsked && !isAwaited) return machine.run(this.untilTrigger(until));
    const soon = {
      moment: Math.min(until.moment, this.nextPoll),
      ticks: isAwaited ? Math.min(until.ticks, machine.ticks + POLL_TICKS) : until.ticks,
      work: POLL_WORK,
    };
    const stop = machine.run(this.untilTrigger(soon));
    // Moments alone would not do: a guest that mostly waits, or traps, retires few instructions.
    if (stop.kind === 'ticks' || stop.kind === 'work') this.nextPoll = machine.moment;
    return stop;
  }

  /** The position right before the first instruction that a counting trigger awaits, or `until` when none does. */
  private untilTrigger(until: Limits): Limits {
    const { plan } = this;
    let { ticks } = until;
    const found = plan.counting().map((trigger) => {
      // What lies behind the soonest one is not this stop's business.
      const search = this.search(trigger, { ...until, ticks: Math.min(until.ticks, ticks + 1) });
      ticks = Math.min(ticks, search.ticks ?? search.gaveUpAt ?? ticks);
      return { trigger, search };
    });
    for (const { trigger, search } of found) {
      const reached = search.ticks === ticks;
      const { executed } = reached ? search : this.search(trigger, { moment: until.moment, ticks });
      plan.passed(trigger, executed, reached);
    }
    return { ...until, ticks };
  }

  private search({ of, left }: Counting, until: SearchEnd): TriggerSearch {
    if (typeof of === 'string') return findInstruction(this.machine, of, left, until);
    return findExecution(this.machine, placeOf(this.hypervisor, of.symbol, of.offset), left, until);
  }

  /** Gives an idle machine its next input, waiting for a person or a frame if need be. False when none can come. */
  private async wake(): Promise<boolean | 'stop'> {
    if (this.handOver(() => this.outside.nextTyped())) return true;
    for (let planned = this.plan.nextFromOutside(); planned; planned = this.plan.nextFromOutside()) {
      if (this.applyPlanned(planned)) return true;
    }
    while (this.outside.isOpen) {
      const polled = await this.poll();
      if (polled !== 'nothing') return polled === 'stop' ? 'stop' : true;
      await setTimeout(IDLE_SLEEP_MS);
    }
    return false;
  }

  private observe(event: MachineEvent): void {
    if (event.kind === 'console') {
      const { moment, ticks, byte } = event;
      this.writer.console({ moment, ticks, byte });
    } else if (event.kind === 'note') {
      const { moment, ticks, hart, code, arg } = event;
      this.writer.note({ moment, ticks, hart, code, arg });
    } else if (event.kind === 'net') {
      this.options.network?.send(event.slot, event.bytes);
    }
    this.options.onEvent?.(event);
  }
}

/** The next multiple of `every` after `moment`. */
const after = (moment: number, every: number): number => (Math.floor(moment / every) + 1) * every;
