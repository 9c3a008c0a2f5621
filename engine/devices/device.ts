/**
 * The shape that every device has. A device is code and a declaration: its whole state lives in a *device record* in
 * linear memory, laid out from `record`, so that snapshot = bytes and a difference has a field's name.
 * Relies on the bus (engine/machine/bus.ts) for address decoding and natural alignment; devices do not check either.
 */
import type { Block } from '../core/layout.ts';

/** What a device may touch: its own record, and the board around it. Numbers are unsigned 32-bit unless said otherwise. */
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
  /** Interrupt input `bit` of a hart, as numbered in mip. */
  hartLine(hart: number, bit: number): boolean;
  setHartLine(hart: number, bit: number, level: boolean): void;
  /** Half of a hart's mtimecmp: 0 low, 1 high. */
  mtimecmp(hart: number, half: 0 | 1): number;
  setMtimecmp(hart: number, half: 0 | 1, value: number): void;
  /** Drives this device's own interrupt output, wired to an input of the interrupt controller. */
  drive(level: boolean): void;
  /** A byte left the machine through the console. */
  console(byte: number): void;
  /** Software told the observer something (engine/machine/notes.ts). */
  note(code: number, arg: number): void;
  /** Stops the machine for good; `word` is what was written to the finisher. */
  halt(word: number): void;
}

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
  /** A byte arrives at the console (UARTs only). */
  receive?(port: Port, byte: number): void;
}
