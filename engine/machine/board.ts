/**
 * The board: QEMU virt's address map, one table. Device records are allotted in its order, so the order is part of the
 * engine's behaviour. Relies on the layout's DEVICES range; `allot` asserts that the records fit.
 */
import { CONSTANTS } from '../core/layout.ts';
import { aclint, type Device, finisher, plic, uart } from '../devices/index.ts';
import { invariant } from '../errors.ts';

/** A device at its place. */
export interface Slot {
  readonly device: Device;
  /** Guest physical address. */
  readonly base: number;
  /** Source of the interrupt controller that its output drives; 0 none. */
  readonly irq: number;
  /** Linear-memory address of its record. */
  readonly record: number;
}

export const RAM_BASE: number = CONSTANTS.RAM_BASE;
export const UART_IRQ = 10;

/** Every device, in the order of addresses. */
export const BOARD: readonly Slot[] = allot([
  { device: finisher, base: 0x100000, irq: 0 },
  { device: aclint, base: 0x2000000, irq: 0 },
  { device: plic, base: 0xc000000, irq: 0 },
  { device: uart, base: 0x10000000, irq: UART_IRQ },
]);

/** The slot of a device by name. */
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
