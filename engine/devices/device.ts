/**
 * The shape that every device has. A device is code and a declaration: its whole state lives in a *device record* in
 * linear memory, laid out from `record`, so that snapshot = bytes and a difference has a field's name.
 * Relies on the bus (engine/machine/bus/bus.ts) for address decoding and natural alignment; devices do not check
 * either.
 */
import type { Block } from '../core/index.ts';

/**
 * What a device may touch: its own record, and the board around it. Numbers are unsigned 32-bit unless said otherwise.
 */
export interface Port {
  /** Word of the record at byte `offset` (a multiple of 4). */
  get(offset: number): number;
  set(offset: number, value: number): void;
  getByte(offset: number): number;
  setByte(offset: number, value: number): void;
  readonly board: Board;
}

/** Services of the board for its devices. */
export interface Board {
  readonly hartCount: number;
  /** Virtual time in units of the 10 MHz timer; a safe integer. The same for all accesses of one instruction. */
  mtime(): number;
  /** Half of what software has set the ACLINT's mtime ahead of that, modulo 2^64: 0 low, 1 high. */
  mtimeOffset(half: 0 | 1): number;
  setMtimeOffset(half: 0 | 1, value: number): void;
  /** Interrupt input `bit` of a hart, as numbered in mip. */
  hartLine(hart: number, bit: number): boolean;
  setHartLine(hart: number, bit: number, level: boolean): void;
  /** Half of a hart's mtimecmp: 0 low, 1 high. */
  mtimecmp(hart: number, half: 0 | 1): number;
  setMtimecmp(hart: number, half: 0 | 1, value: number): void;
  /** Virtual time in ticks, as `mtime`. */
  ticks(): number;
  /**
   * RAM as a bus master sees it: a view that the next access may change, or undefined when the range is not all RAM.
   * `paddr` may be any non-negative number.
   */
  readRam(paddr: number, bytes: number): Uint8Array | undefined;
  /** Whether the range is all RAM. */
  hasRam(paddr: number, bytes: number): boolean;
  /** Stores to RAM as a hart would, for everybody who caches it. False, and nothing stored, when it is not all RAM. */
  writeRam(paddr: number, bytes: Uint8Array): boolean;
  /** Tells the observer which request the writes to RAM that follow belong to; nothing in the machine can see it. */
  attribute(request: { readonly queue: number; readonly head: number } | undefined): void;
  /** The medium of a disk; its content is part of the machine's state, but not of any record. */
  readonly disk: Disk | undefined;
  /** Hardware address of a network device: 6 bytes. */
  readonly mac: Uint8Array;
  /** An Ethernet frame leaves through this device's cable. */
  transmit(frame: Uint8Array): void;
  /** Wall-clock time at tick 0, in seconds since 1970. */
  readonly wallClock: number;
  /** Seed of everything that this device draws from a reset on: the machine's seed, the device's place and the time. */
  readonly seed: bigint;
  /** Drives this device's own interrupt output, wired to an input of the interrupt controller. */
  drive(level: boolean): void;
  /** Takes an injected fault of this kind that waits for this virtio slot. */
  takeFault(kind: 'ioError' | 'dropFrame'): boolean;
  /** A byte left the machine through the console. */
  console(byte: number): void;
  /** Software told the observer something (engine/machine/bus/notes.ts). */
  note(code: number, arg: number): void;
  /** Stops the machine, for good or for a reset; `word` is what was written to the finisher. */
  halt(word: number): void;
}

/** Content that a device writes to in place of a file: an image, and what was written over it. */
export interface Disk {
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  /** At most 20 bytes of ASCII that name the medium. */
  readonly serial: string;
  /** A copy of bytes that lie within the disk. */
  read(offset: number, bytes: number): Uint8Array;
  /** Overwrites bytes that lie within it. */
  write(offset: number, bytes: Uint8Array): void;
}

/** `deadline()` of a device that waits for nothing. */
export const NEVER: number = Number.POSITIVE_INFINITY;

export interface Device {
  /** Name of the record: prefixes its fields in differences, e.g. `plic.level[0]`. */
  readonly name: string;
  /** Length of its address range. */
  readonly sizeBytes: number;
  /** Access sizes that it answers; others are access faults. An 8-byte access arrives as two of 4 bytes, low first. */
  readonly accessSizes: readonly number[];
  readonly record: Block;
  /** Brings the record, all zeros, to the reset state. */
  reset(port: Port): void;
  load(port: Port, offset: number, sizeBytes: number): number;
  store(port: Port, offset: number, sizeBytes: number, value: number): void;
  /** Interrupt input `line` changes level (interrupt controllers only). */
  setInput?(port: Port, line: number, level: boolean): void;
  /** A byte arrives at the console (UARTs and virtio consoles only). False: nobody listens, try another. */
  receive?(port: Port, byte: number): boolean;
  /**
   * Bytes that it can receive now without losing one (consoles only): `ahead` counts what may wait outside the
   * hardware, with a sender under flow control. undefined: nobody listens, ask another.
   */
  room?(port: Port, ahead: boolean): number | undefined;
  /** Bytes that it has received and software has not read (consoles only). */
  unread?(port: Port): number;
  /** A frame arrives through the cable (network devices only). */
  receiveFrame?(port: Port, frame: Uint8Array): void;
  /** False: a frame of so many bytes would be lost now, but not later (network devices only). */
  takesFrame?(port: Port, frameBytes: number): boolean;
  /** Ticks at which it wants `tick`, from its record; NEVER when it waits for nothing. Asked after every access. */
  deadline?(port: Port): number;
  /** Its deadline is reached; leaves another one, later. */
  tick?(port: Port): void;
}
