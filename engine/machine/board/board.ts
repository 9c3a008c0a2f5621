/**
 * The board: QEMU virt's address map, one table, and what is plugged into its virtio slots. Device records are allotted
 * in its order, so the order is part of the engine's behaviour. Relies on the layout's DEVICES range; `allot` asserts
 * that the records fit.
 */

import { invariant } from '../../base/index.ts';
import { CONSTANTS } from '../../core/index.ts';
import {
  aclint,
  block,
  type Device,
  emptySlot,
  entropy,
  faultUnit,
  finisher,
  MTIMECMP,
  net,
  plic,
  rtc,
  station,
  uart,
  virtioConsole,
  virtioDevice,
} from '../../devices/index.ts';
import { VIRTIO_SLOTS } from '../config.ts';
import type { VirtioConfig } from '../types.ts';

/** A device at its place. */
export interface Slot {
  readonly device: Device;
  /** Guest physical address. */
  readonly base: number;
  /** Source of the interrupt controller that its output drives; 0 none. */
  readonly irq: number;
  /** Linear-memory address of its record. */
  readonly record: number;
  /** What is plugged in, if this is a virtio slot that is taken. */
  readonly virtio?: VirtioConfig;
}

export const RAM_BASE: number = CONSTANTS.RAM_BASE;
export const PAGE_BYTES: number = CONSTANTS.PAGE_BYTES;
export const UART_IRQ = 10;
const RTC_IRQ = 11;
const VIRTIO_BASE = 0x10001000;
/** From slot to slot. A device answers in the first 512 bytes only. */
export const VIRTIO_STRIDE = 0x1000;
const VIRTIO_IRQ = 1;

const ACLINT_BASE = 0x2000000;

/** Physical addresses of the ACLINT's registers that raise interrupts: 4 bytes a hart, and 8 bytes a hart. */
export const CLINT = { msip: ACLINT_BASE, mtimecmp: ACLINT_BASE + MTIMECMP } as const;

const FIXED: readonly Omit<Slot, 'record'>[] = [
  { device: finisher, base: 0x100000, irq: 0 },
  { device: rtc, base: 0x101000, irq: RTC_IRQ },
  { device: aclint, base: ACLINT_BASE, irq: 0 },
  { device: plic, base: 0xc000000, irq: 0 },
  { device: uart, base: 0x10000000, irq: UART_IRQ },
];
/** What can be plugged into a virtio slot, by the kinds of VirtioConfig. */
export const VIRTIO_MODELS = { block, net, console: virtioConsole, entropy } as const;

/**
 * Every device, in the order of addresses; last, at no address, the waiting faults and the station, when there is a
 * network to be on.
 */
export function boardOf(virtio: readonly VirtioConfig[] = []): readonly Slot[] {
  const slots = Array.from({ length: VIRTIO_SLOTS }, (_, n) => {
    const plugged = virtio.find((device) => device.slot === n);
    return {
      device: plugged ? virtioDevice(n, VIRTIO_MODELS[plugged.kind]) : emptySlot(n),
      base: VIRTIO_BASE + n * VIRTIO_STRIDE,
      irq: VIRTIO_IRQ + n,
      ...(plugged && { virtio: plugged }),
    };
  });
  const onSwitch = virtio.some((device) => device.kind === 'net' && device.cable === 'switch');
  return allot([
    ...FIXED,
    ...slots,
    { device: faultUnit, base: 0, irq: 0 },
    ...(onSwitch ? [{ device: station, base: 0, irq: 0 }] : []),
  ]);
}

/** The board with nothing plugged in. The places of its devices are the same on every other. */
export const BOARD: readonly Slot[] = boardOf();

/** The slot of a fixed device, or of an empty virtio slot, by name. */
export function slotOf(name: string): Slot {
  const found = BOARD.find((slot) => slot.device.name === name);
  invariant(found !== undefined, `the board has no device ${name}`);
  return found;
}

function allot(devices: readonly Omit<Slot, 'record'>[]): Slot[] {
  let record: number = CONSTANTS.DEVICES_BASE;
  const slots = devices.map((entry) => {
    const slot = { ...entry, record };
    record += entry.device.record.sizeBytes;
    return slot;
  });
  const used = record - CONSTANTS.DEVICES_BASE;
  invariant(used <= CONSTANTS.DEVICES_BYTES, `device records take ${used} of ${CONSTANTS.DEVICES_BYTES} bytes`);
  return slots;
}
