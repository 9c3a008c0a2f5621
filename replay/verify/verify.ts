/**
 * Replays a trace and compares all that it recorded: every digest, the checkpoints' digests, console bytes, notes, and
 * the end. Stops at the first disagreement and says between which positions it lies.
 * Relies on the player for inputs. Finer than two neighbouring digests is the business of bisect.
 */
import {
  compareStates,
  ENGINE_BEHAVIOUR,
  type Machine,
  type MachineEvent,
  type Moment,
  readMachineSymbols,
  type Snapshot,
  type Ticks,
  vmDigests,
} from '../../engine/index.ts';
import { firstFrom, type RecordList, type Trace, TraceError } from '../../traces/index.ts';
import { type Divergence, MAX_VMID, type Mark, marksToEnd, type Position, type ReplayResult } from '../base/index.ts';
import { createTracePlayer, type Player } from '../timeline/index.ts';

export interface ReplayOptions {
  /** Stop here; undefined: at the last position that the trace vouches for. */
  readonly until?: Moment;
  /** The same in virtual time, which bounds the work whatever the guest does; what is reached first counts. */
  readonly untilTicks?: Ticks;
  /** Start from the state of this checkpoint instead of where the trace begins. */
  readonly fromCheckpoint?: number;
  /** Called after each compared digest. */
  readonly onProgress?: (moment: Moment) => void;
}

/**
 * Replays `trace` and compares. @throws TraceError or UserError when it cannot run here at all; RangeError when it has
 * no such checkpoint
 */
export function replayTrace(trace: Trace, options: ReplayOptions = {}): ReplayResult {
  const player = createTracePlayer(trace);
  const { machine } = player;
  const until = options.until ?? Number.POSITIVE_INFINITY;
  const untilTicks = Math.min(options.untilTicks ?? trace.last.ticks, trace.last.ticks);
  if (options.fromCheckpoint !== undefined) {
    const from = trace.checkpoint(options.fromCheckpoint);
    player.restore(from, player.inputsBefore(from.ticks));
  }
  const output = watchOutput(trace, machine);
  let agreedAt = here(machine);
  let digestsCompared = 0;
  for (const mark of marksToEnd(trace, agreedAt.ticks)) {
    if (mark.moment > until || mark.ticks > untilTicks) break;
    const mismatch = goTo(player, mark, output) ?? compareDigest(machine, mark);
    if (mismatch) {
      const end = here(machine);
      const divergence = {
        agreedAt,
        ...mismatch,
        vms: differingVms(trace, machine),
        ...locate(trace, player, mismatch),
      };
      return { ok: false, complete: false, digestsCompared, end, divergence };
    }
    digestsCompared++;
    agreedAt = here(machine);
    options.onProgress?.(mark.moment);
  }
  // What lies behind the last digest before the limit is run, so that its output is compared.
  const goal = Math.min(until, trace.last.moment);
  const limited = untilTicks < trace.last.ticks;
  const stop = machine.moment < goal ? player.advance({ moment: goal, ticks: untilTicks }, 'applied') : undefined;
  const reached = !stop || stop.kind === 'moment' || (limited && stop.kind === 'ticks');
  const mismatch = output.mismatch ?? output.missing() ?? (reached ? undefined : stoppedBefore(machine, goal));
  if (mismatch)
    return {
      ok: false,
      complete: false,
      digestsCompared,
      end: here(machine),
      divergence: { agreedAt, ...mismatch, vms: [], differences: [] },
    };
  const complete = !limited && until >= trace.last.moment;
  return { ok: true, complete, digestsCompared, end: here(machine) };
}

/**
 * Puts a machine into every checkpoint and digests what it then holds, so that each is what it says. Whether the run
 * comes there is `replayTrace`'s business. States of another engine behaviour mean something else: those are only read.
 * @throws TraceError for the first checkpoint that cannot be right
 */
export function verifyCheckpoints(trace: Trace): void {
  const { checkpoints, header } = trace;
  const isReadable = checkpoints.length > 0 && header.engineBehaviour === ENGINE_BEHAVIOUR;
  const player = isReadable ? createTracePlayer(trace) : undefined;
  for (const n of checkpoints.keys()) {
    const checkpoint = trace.checkpoint(n);
    player?.restore(checkpoint);
  }
}

/** Nothing is recorded about virtual time there, only that the run came so far. */
const stoppedBefore = (machine: Machine, goal: Moment): Mismatch => ({
  what: 'position',
  differsAt: here(machine),
  expected: BigInt(goal),
  actual: BigInt(machine.moment),
});

type Mismatch = Pick<Divergence, 'what' | 'differsAt' | 'expected' | 'actual'>;

const here = ({ moment, ticks }: Position): Position => ({ moment, ticks });

/** Runs to a mark. What parts first on the way: output, or a position that cannot be reached. */
function goTo(player: Player, mark: Mark, output: OutputWatch): Mismatch | undefined {
  const { machine } = player;
  const reached = player.toTicks(mark.ticks, mark.isEnd ? 'applied' : 'pending');
  const mismatch = output.mismatch ?? output.missing();
  if (mismatch) return mismatch;
  if (reached && machine.moment === mark.moment) return undefined;
  // Same time, another number of instructions; or the machine stopped on the way.
  const [expected, actual] = reached ? [mark.moment, machine.moment] : [mark.ticks, machine.ticks];
  return { what: 'position', differsAt: here(mark), expected: BigInt(expected), actual: BigInt(actual) };
}

function compareDigest(machine: Machine, mark: Mark): Mismatch | undefined {
  const actual = machine.digest();
  if (actual === mark.digest) return undefined;
  return { what: 'state digest', differsAt: here(mark), expected: mark.digest, actual };
}

/** VMs whose recorded memory at this position is another. */
function differingVms(trace: Trace, machine: Machine): number[] {
  const { hypervisor } = readMachineSymbols(machine.config);
  const actual = new Map(vmDigests(machine, hypervisor).map(({ vmid, digest }) => [vmid, digest]));
  const differing = new Set<number>();
  for (let n = firstFrom(trace.vmDigests, 'ticks', machine.ticks); n < trace.vmDigests.length; n++) {
    const { ticks, vmid, digest } = trace.vmDigests.at(n)!;
    if (ticks !== machine.ticks) break;
    if (vmid <= MAX_VMID && actual.get(vmid) !== digest) differing.add(vmid);
  }
  return [...differing];
}

/** What differs, from the first checkpoint at or after the mismatch: the only recorded state to compare with. */
function locate(trace: Trace, player: Player, mismatch: Mismatch): Pick<Divergence, 'differences' | 'differencesAt'> {
  const { machine } = player;
  const n = firstFrom(trace.checkpoints, 'ticks', machine.ticks);
  const checkpoint = trace.checkpoints.at(n);
  if (!checkpoint || mismatch.what === 'position' || !player.toTicks(checkpoint.ticks, 'pending'))
    return { differences: [] };
  const actual = machine.snapshot();
  const recorded = recordedState(trace, n, player);
  if (!recorded) return { differences: [] };
  return { differences: compareStates(recorded, actual, machine.config), differencesAt: here(checkpoint) };
}

/** undefined when the checkpoint cannot be right: then it says nothing about the mismatch. Moves the machine there. */
function recordedState(trace: Trace, n: number, player: Player): Snapshot | undefined {
  try {
    const recorded = trace.checkpoint(n);
    player.restore(recorded);
    return recorded;
  } catch (error) {
    if (error instanceof TraceError) return undefined;
    throw error;
  }
}

interface OutputWatch {
  /** The first console byte or note that is not the recorded one. */
  readonly mismatch: Mismatch | undefined;
  /** Recorded output up to the present that did not come. */
  missing(): Mismatch | undefined;
}

/** Compares console bytes and notes with the recording as they come, from the present on. */
function watchOutput(trace: Trace, machine: Machine): OutputWatch {
  // Output is stamped with the position behind its instruction: what has the present's ticks came before.
  const start = machine.ticks;
  const console = createComparer('console', trace.console, start, (record) => record.byte);
  const notes = createComparer('note', trace.notes, start, noteValue);
  let mismatch: Mismatch | undefined;
  machine.observed = { ...machine.observed, transitions: 'none' };
  machine.onEvent = (event: MachineEvent) => {
    if (mismatch || event.ticks > trace.last.ticks) return;
    if (event.kind === 'console') mismatch = console.next(event, event.byte);
    else if (event.kind === 'note') mismatch = notes.next(event, noteValue(event));
  };
  return {
    get mismatch() {
      return mismatch;
    },
    missing: () => console.missing(machine.ticks) ?? notes.missing(machine.ticks),
  };
}

/** Hart, argument and code in one number. */
const noteValue = (note: { hart: number; arg: number; code: number }): number =>
  (note.hart * 2 ** 16 + note.arg) * 2 ** 16 + note.code;

/** Stands for "nothing" where a value was expected or came. */
const NONE = -1n;

function createComparer<R extends Position>(
  what: 'console' | 'note',
  records: RecordList<R>,
  start: number,
  value: (record: R) => number,
): { next(event: Position, actual: number): Mismatch | undefined; missing(ticks: number): Mismatch | undefined } {
  let at = firstFrom(records, 'ticks', start + 1);
  return {
    next(event, actual) {
      const record = records.at(at++);
      if (record && record.ticks === event.ticks && record.moment === event.moment && value(record) === actual)
        return undefined;
      const expected = record ? BigInt(value(record)) : NONE;
      return { what, differsAt: here(event), expected, actual: BigInt(actual) };
    },
    missing(ticks) {
      const record = records.at(at);
      if (!record || record.ticks > ticks) return undefined;
      return { what, differsAt: here(record), expected: BigInt(value(record)), actual: NONE };
    },
  };
}
