/**
 * What a `.djvm` file holds, as plain data. This folder knows no machine: configurations and states are bytes and
 * numbers to it. Positions are { moment, ticks }: moment = retired instructions, ticks = virtual time.
 */

export interface Position {
  readonly moment: number;
  readonly ticks: number;
}

export interface TraceImage {
  /** What it is loaded as: bios, kernel, initrd, dtb, drive0, drive1, … */
  readonly role: string;
  readonly name: string;
  /** sha256 of the content, hex. */
  readonly sha256: string;
}

/** A device that is plugged into the board; its settings mean something to the machine only. */
export interface TraceDevice {
  readonly kind: string;
  readonly slot: number;
  readonly settings: Readonly<Record<string, string>>;
}

export interface TraceHeader {
  readonly formatMajor: number;
  readonly formatMinor: number;
  /** Version of the engine's behaviour: a trace replays exactly only under the same one. */
  readonly engineBehaviour: number;
  readonly toolVersion: string;
  /** Random-looking but derived from the content of the header (sha256 prefix): names the run. */
  readonly id: string;
  readonly machine: {
    readonly harts: number;
    readonly ramBytes: number;
    readonly quantum: { readonly policy: 'fixed' | 'jittered'; readonly ticks: number; readonly seed: string };
    readonly append: string;
    /** Seed of the devices, decimal. Since format 1.1, as all that follows. */
    readonly seed?: string;
    /** Wall-clock time at tick 0, seconds since 1970. */
    readonly wallClock?: number;
    /** Whether a reset starts the machine over; absent: it ends the run. */
    readonly reboots?: boolean;
    readonly devices?: readonly TraceDevice[];
  };
  readonly images: readonly TraceImage[];
  readonly digestEvery: number;
  readonly checkpointEvery: number;
  /** The command that made the trace, for people. */
  readonly commandLine: readonly string[];
  /** It holds a part of a run, and begins with a checkpoint of the state there. Since format 1.2. */
  readonly cut?: TraceCut;
}

/** Which part of a run a trace holds that was cut out of another. Positions are those of the whole run. */
export interface TraceCut {
  /** `id` of the recording of the whole run. */
  readonly of: string;
  /** Where it begins, before the inputs of that position. */
  readonly from: Position;
  readonly to: Position;
}

/** Input kinds are opaque here: `kind` and a msgpack-able `data`. */
export interface TraceInput extends Position {
  readonly kind: string;
  readonly data: unknown;
}
export interface TraceDigest extends Position {
  readonly digest: bigint;
}
/** Digest of one VM's memory, taken where a state digest was. */
export interface TraceVmDigest extends TraceDigest {
  readonly vmid: number;
}
export interface TraceConsole extends Position {
  readonly byte: number;
}
export interface TraceNote extends Position {
  readonly hart: number;
  readonly code: number;
  readonly arg: number;
}
export interface TracePage {
  readonly index: number;
  readonly hash: bigint;
  readonly bytes: Uint8Array;
}
/** Page content changed since the previous checkpoint; readers join them to the full state. */
export interface TraceCheckpoint extends Position {
  readonly digest: bigint;
  readonly state: Uint8Array;
  readonly changed: readonly TracePage[];
  /** Pages that became all zero since the previous checkpoint. */
  readonly cleared: readonly number[];
}
export interface TraceEnd extends Position {
  readonly digest: bigint;
  /** e.g. "halted pass 0", "idle", "moment" — as the recorder stopped. */
  readonly reason: string;
}

/** A checkpoint with its complete page map. */
export interface FullCheckpoint extends Position {
  readonly digest: bigint;
  readonly state: Uint8Array;
  readonly pages: ReadonlyMap<number, { readonly hash: bigint; readonly bytes: Uint8Array }>;
}

/**
 * Appends records; a block is flushed when it reaches its size, or on `flush`. Everything flushed survives a kill;
 * everything up to the last `sync`, or `finish`, survives a power cut, too. All throw TraceWriteError when the
 * file or the disk fails (full, I/O error): the file's prefix stays readable.
 */
export interface TraceWriter {
  readonly path: string;
  /** The header's. */
  readonly id: string;
  input(record: TraceInput): void;
  digest(record: TraceDigest): void;
  vmDigest(record: TraceVmDigest): void;
  console(record: TraceConsole): void;
  note(record: TraceNote): void;
  /** Writes what is buffered, and the checkpoint. */
  checkpoint(record: TraceCheckpoint): void;
  /** Writes what is buffered. */
  flush(): void;
  /** The same, and waits until the disk has it. */
  sync(): void;
  /** Writes end record, index and footer, waits for the disk, and closes. */
  finish(end: TraceEnd): void;
  /** Closes without an end record (the trace stays readable as truncated). */
  abandon(): void;
  /** Closes and removes the file, when it was not finished: of this trace, a part is of no use. Must not throw. */
  discard(): void;
  readonly bytesWritten: number;
}

/** Where a file stops being readable, and why. */
export interface TraceDamage {
  /** Byte offset in the file. */
  readonly offset: number;
  readonly kind: 'truncated' | 'checksum' | 'malformed';
  readonly message: string;
  /** Last position known good before the damage. */
  readonly lastGood: Position;
}

/**
 * Records of one kind, in order, as long as the trace is: read when they are asked for. An array can stand in for one.
 */
export interface RecordList<R> extends Iterable<R> {
  readonly length: number;
  /** Record `n`, from 0; from the end when negative; undefined when there is none. */
  at(n: number): R | undefined;
  keys(): Iterable<number>;
  find(wanted: (record: R, n: number) => boolean): R | undefined;
  findIndex(wanted: (record: R, n: number) => boolean): number;
  findLastIndex(wanted: (record: R, n: number) => boolean): number;
  some(wanted: (record: R, n: number) => boolean): boolean;
  forEach(visit: (record: R, n: number) => void): void;
  /** These hold what they answer: for what is known to be few. */
  filter(wanted: (record: R, n: number) => boolean): R[];
  map<T>(convert: (record: R, n: number) => T): T[];
  slice(from?: number, to?: number): R[];
}

export interface Trace {
  readonly path: string;
  readonly header: TraceHeader;
  readonly sizeBytes: number;
  readonly inputs: RecordList<TraceInput>;
  readonly digests: RecordList<TraceDigest>;
  readonly vmDigests: RecordList<TraceVmDigest>;
  readonly console: RecordList<TraceConsole>;
  readonly notes: RecordList<TraceNote>;
  /** Positions and digests of the checkpoints, without their content. */
  readonly checkpoints: RecordList<TraceDigest>;
  /** undefined when recording was cut off. */
  readonly end: TraceEnd | undefined;
  readonly damage: TraceDamage | undefined;
  /** Where it begins: where the machine was switched on, or, of a cut, its first checkpoint. */
  readonly first: Position;
  /** Last position the trace vouches for: the end, or the last digest/checkpoint of a truncated trace. */
  readonly last: Position;
  /** Content of an image by role. @throws TraceError when the trace has none. */
  image(role: string): { readonly name: string; readonly bytes: Uint8Array } | undefined;
  /** Complete state of checkpoint `n`. */
  checkpoint(n: number): FullCheckpoint;
}
