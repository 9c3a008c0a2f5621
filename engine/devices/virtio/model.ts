/**
 * What a virtio device is to the transport: identity, features, configuration, and work to be done. The transport does
 * registers, queues and interrupts, so that a model only says what happens to a chain.
 *
 * Nothing happens within an access: a notification makes the device busy, and when its time has come it does one piece
 * of work, which takes time again. So what a guest can make the host do is bounded by virtual time.
 */
import type { Port } from '../device.ts';
import type { RecordField } from '../record.ts';
import type { Chain } from './queue.ts';

export interface VirtioModel {
  /** `block`, `net`, … */
  readonly name: string;
  /** Virtio device id (chapter 5). */
  readonly deviceId: number;
  readonly queues: number;
  /** Bytes of configuration space. */
  readonly configBytes: number;
  /** Its own state, placed in the device's record behind the transport's. */
  readonly fields: readonly RecordField[];
  /** Largest chain that it takes; a longer one is an error of the driver. */
  readonly maxChainBytes: number;
  /** Feature bits 0–31; the transport adds its own. */
  features(unit: VirtioUnit): number;
  /** Power-on state of its own fields. */
  powerOn?(unit: VirtioUnit): void;
  /** The driver resets the device. */
  reset?(unit: VirtioUnit): void;
  /** A byte of configuration space, at most configBytes. */
  config(unit: VirtioUnit, offset: number): number;
  setConfig?(unit: VirtioUnit, offset: number, value: number): void;
  /** Ticks from a notification or arrival, when idle, to the first piece of work. */
  latency(unit: VirtioUnit): number;
  /** One piece of work. Ticks that it takes, or 0 when there was nothing to do. */
  work(unit: VirtioUnit): number;
  /** As those of Device. */
  receive?(unit: VirtioUnit, byte: number): boolean;
  room?(unit: VirtioUnit): number | undefined;
  unread?(unit: VirtioUnit): number;
  receiveFrame?(unit: VirtioUnit, frame: Uint8Array): void;
  takesFrame?(unit: VirtioUnit, frameBytes: number): boolean;
}

/** The transport as a model sees it. */
export interface VirtioUnit {
  /** The record, for the model's own fields, and the board. */
  readonly port: Port;
  /** Record offset of a field of the model. */
  at(field: string): number;
  /** The driver has said DRIVER_OK and the device needs no reset. */
  readonly live: boolean;
  /** The driver has taken VIRTIO_F_VERSION_1. */
  readonly isModern: boolean;
  /** A feature that was negotiated, by bit number below 32. */
  has(feature: number): boolean;
  /** Takes the next chain of a queue, if one waits there. Errors of the driver make the device need a reset. */
  take(queue: number): Chain | undefined;
  /** Returns it. */
  give(queue: number, chain: Chain, written: number): void;
  /** The driver broke the rules: NEEDS_RESET. */
  fail(): void;
  /** Makes the device busy, so that `work` is called. */
  wake(): void;
}
