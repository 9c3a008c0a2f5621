/**
 * Time: what recording, replaying, seeking and comparing give to the layers above. Plain data.
 */
import type {
  Input,
  Machine,
  MachineConfig,
  MachineEvent,
  MachineSymbols,
  Moment,
  PrivilegedModes,
  RunLimit,
  StateDifference,
  StopReason,
  Ticks,
} from '../../engine/index.ts';
import type { Trace, TracePlace } from '../../traces/index.ts';

/** When a planned input happens (design section 8). */
export type Trigger =
  | { readonly kind: 'moment'; readonly moment: Moment }
  /** At a virtual time. */
  | { readonly kind: 'ticks'; readonly ticks: Ticks }
  /**
   * Right before the k-th (1 = first) instruction that any hart executes in HS-mode after `after`; or of those in
   * M-mode, or in both, as `of` says.
   */
  | { readonly kind: 'hypervisor'; readonly after: Moment; readonly k: number; readonly of?: PrivilegedModes }
  /** The papers' two levels: the same, counted from a virtual time on. */
  | { readonly kind: 'two-level'; readonly ticks: Ticks; readonly k: number; readonly of?: PrivilegedModes }
  /**
   * Right before the n-th (1 = first) time from `ticks` on that a hart in HS-mode executes symbol+offset of the
   * hypervisor.
   */
  | {
      readonly kind: 'symbol';
      readonly symbol: string;
      readonly offset: number;
      readonly n: number;
      readonly ticks: Ticks;
    };

/**
 * The position at which another recording of the same run applied the input: exactly there when the run comes there.
 * When it does not, because the runs have parted, at that moment or at that virtual time, as `keeps` says.
 */
export interface RecordedPosition extends Position {
  readonly kind: 'recorded';
  readonly keeps: 'moment' | 'ticks';
}

/** An input known beforehand. A fault whose `hart` is -1 hits the hart whose instruction is next. */
export interface PlannedInput {
  readonly trigger: Trigger | RecordedPosition;
  readonly event: Input['event'];
}

export interface Position {
  readonly moment: Moment;
  readonly ticks: Ticks;
}

/** Whether the inputs of the very position where one stands have been applied. */
export type InputsHere = 'pending' | 'applied';

/** A position, and the side of its inputs on which one stands: exactly one state of a run. */
export interface Place extends Position {
  readonly here: InputsHere;
}

/** An input of a workload: planned for a virtual time, whatever the moment is then. */
export interface TimedInput {
  readonly ticks: Ticks;
  readonly event: Input['event'];
}

/** The world at the other end of the cables. */
export interface LiveNetwork {
  /**
   * Takes the oldest frame that came in and that `takes` (given a virtio slot and a number of bytes) has room for;
   * those of one slot keep their order. undefined: there is none now.
   */
  next(
    takes: (slot: number, frameBytes: number) => boolean,
  ): { readonly slot: number; readonly bytes: Uint8Array } | undefined;
  /** A frame that the device in a slot sent. */
  send(slot: number, bytes: Uint8Array): void;
}

export interface RecordOptions {
  /**
   * A trace of that name is replaced when the recording is complete. Of several names, the first that is free is taken.
   */
  readonly path: TracePlace;
  readonly config: MachineConfig;
  readonly planned: readonly PlannedInput[];
  /** Stop at this moment even if the machine has not halted. */
  readonly maxMoment: Moment;
  /** The same in virtual time; `stop` says `ticks` then. By default the end of virtual time, 2^53 - 1 ns. */
  readonly maxTicks?: Ticks;
  readonly digestEvery: number;
  readonly checkpointEvery: number;
  readonly commandLine: readonly string[];
  /**
   * Live console: returns bytes typed since the last call (undefined or none: nothing yet), or 'closed' when no more
   * can come. Called about every 50,000 instructions, and every few milliseconds while the machine is idle, but not
   * before the machine has had room for all that the last call gave.
   */
  readonly pollConsole?: () => Uint8Array | undefined | 'closed';
  /** Cables that lead outside; asked wherever `pollConsole` is. An idle machine waits for them. */
  readonly network?: LiveNetwork;
  /**
   * Asked wherever `pollConsole` is: true ends the recording there in good order (reason "stopped"). When one of the
   * three is given, `record` yields to the event loop at every poll, so that standard input and signals arrive.
   */
  readonly stopRequested?: () => boolean;
  readonly onEvent?: (event: MachineEvent) => void;
  readonly onProgress?: (moment: Moment) => void;
  /** Given the machine where the recording ends, when it is written: to look at, and to run on if one likes. */
  readonly atEnd?: (machine: Machine) => void;
}

/** How a recording went. What the run printed and noted is in the trace. */
export interface RecordResult {
  readonly path: string;
  readonly end: Position & { readonly digest: bigint };
  readonly stop: StopReason;
  /** Where each planned input was applied, in order. */
  readonly applied: readonly (Position & { readonly planned: PlannedInput })[];
  /** Planned inputs whose trigger the run never reached. */
  readonly notReached: readonly PlannedInput[];
  /** Bytes for the console that software has not read: held back for want of room, or waiting in the line. */
  readonly consoleBytesNotTaken: number;
  readonly bytes: number;
}

export interface NoteAt extends Position {
  readonly hart: number;
  readonly code: number;
  readonly arg: number;
}

/** Replay disagreed with the recording. */
export interface Divergence {
  /** The last position at which they agreed, and the first at which they did not. */
  readonly agreedAt: Position;
  readonly differsAt: Position;
  /**
   * What disagreed; decides what `expected` and `actual` are: digests, bytes, notes, moments or virtual times; -1 =
   * none.
   */
  readonly what: 'state digest' | 'console' | 'note' | 'position';
  readonly expected: bigint;
  readonly actual: bigint;
  /** State digests only: the VMs whose memory is not as recorded; empty when it is the hypervisor's or a register. */
  readonly vms: readonly number[];
  /** When a checkpoint allows it: what differs (a: recorded, b: replayed). */
  readonly differences: readonly StateDifference[];
  /** Where they were found: the first checkpoint at or after `differsAt`. */
  readonly differencesAt?: Position;
}

export interface ReplayResult {
  readonly ok: boolean;
  /** False when it parted, or when a limit ended it before the recording ends. */
  readonly complete: boolean;
  readonly digestsCompared: number;
  readonly end: Position;
  readonly divergence?: Divergence;
}

/** A trace opened for travel. Moments run from `first.moment` to `last.moment`. */
export interface TimeTravel {
  readonly trace: Trace;
  readonly machine: Machine;
  readonly moment: Moment;
  readonly first: Position;
  readonly last: Position;
  /**
   * Nearest state before, then forward. Returns when `machine.moment === moment`. `pending`: before the inputs of that
   * position, so that a fault's own moment can be looked at before it strikes. @throws MomentError past the end.
   */
  seek(moment: Moment, here?: InputsHere): void;
  /** Symbols of the images in the trace. */
  readonly symbols: MachineSymbols;
  /** Goes to exactly this virtual time. @throws TraceError when the run does not get there */
  toTicks(ticks: Ticks, here: InputsHere): void;
  /** As `toTicks`, but executes every instruction from here on. The virtual time lies ahead. */
  forwardToTicks(ticks: Ticks, here: InputsHere): void;
  /** Executes every instruction from here on to a limit, or to where the machine is told to stop. */
  advance(until: RunLimit, here: InputsHere): StopReason;
  /** Forward n instructions (clamped to the end). */
  stepForward(n?: number): void;
  /** Back n instructions (clamped to the beginning). */
  stepBackward(n?: number): void;
  /**
   * Console text written up to the present moment, per line with the moment of its first byte: the last 64 KiB of it.
   */
  consoleLines(): readonly { readonly moment: Moment; readonly text: string }[];
}

/** First difference between two runs. */
export interface BisectResult {
  readonly identical: boolean;
  /** The first moment whose states differ. */
  readonly moment?: Moment;
  readonly ticks?: Ticks;
  /**
   * The hart, pc and instruction where it happened, in run A. When an input is the cause: the instruction that was
   * about to run there. Else the one that ran between `moment - 1` and `moment`.
   */
  readonly hart?: number;
  readonly pc?: bigint;
  readonly instruction?: string;
  readonly symbol?: string;
  /** `lazarus/sched.c:123`. */
  readonly source?: string;
  /** Why: an input that only one run has, or the instruction's effect. */
  readonly cause?: string;
  readonly differences: readonly (StateDifference & { readonly symbol?: string; readonly owner?: string })[];
  readonly probes: number;
}

export interface VmVerdict {
  readonly vmid: number;
  readonly name: string;
  /** False when the VM was never entered again, although it had not finished. */
  readonly survived: boolean;
  /**
   * `unchanged`: entered exactly as it was left (interrupted, or the hypercall is retried). `completed`: its last exit
   * asked the hypervisor for something, and it was entered behind the asking instruction with the answer. `unknown`:
   * it was entered otherwise, but maybe with another vCPU, for its vCPUs cannot be told apart. Of several vCPUs: the
   * worst.
   */
  readonly resumedAs: 'unchanged' | 'completed' | 'unknown' | 'changed' | 'not-resumed';
  /** vCPUs whose registers were compared. */
  readonly vcpusCompared: number;
  /** Addresses of vCPUs that were interrupted and never entered again, although the VM never finished. */
  readonly vcpusLost: readonly bigint[];
  readonly pagesCompared: number;
  readonly memoryEqual: boolean;
  readonly memoryDifferences: readonly { readonly gpa: bigint; readonly before: bigint; readonly after: bigint }[];
  readonly registersEqual: boolean;
  readonly registerDifferences: readonly {
    /** Its address; undefined: the VM has one, or they cannot be told apart. */
    readonly vcpu?: bigint;
    readonly name: string;
    readonly before: bigint;
    readonly after: bigint;
  }[];
  /** Last exit of any vCPU before recovery resumed it, first entry of any after. */
  readonly exitMoment: Moment | undefined;
  readonly entryMoment: Moment | undefined;
  /** Final output against the golden run; undefined when no golden run was given. */
  readonly outputEqual?: boolean;
  /** How the output differs from the golden run's. */
  readonly outputDifference?: string;
}

export interface EquivalenceVerdict {
  readonly equivalent: boolean;
  /** Why not, one line per reason; empty when equivalent. */
  readonly reasons: readonly string[];
  readonly detectedAt: Moment;
  /** undefined when no VM was resumed after the detection. */
  readonly resumedAt: Moment | undefined;
  readonly vms: readonly VmVerdict[];
}
