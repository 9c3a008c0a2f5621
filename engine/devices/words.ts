/** 64-bit quantities in the 32-bit words of device records and registers. Relies on the caller for what is in range. */
import type { Port } from './device.ts';

const HIGH = 0x100000000;

/** Two words of a record, low first, as a number: exact below 2^53, rounded above. */
export const getWide = (port: Port, offset: number): number => port.get(offset) + HIGH * port.get(offset + 4);

/** Stores a non-negative safe integer. */
export function setWide(port: Port, offset: number, value: number): void {
  port.set(offset, value >>> 0);
  port.set(offset + 4, Math.floor(value / HIGH));
}

/** Two words of a record as an unsigned 64-bit integer. */
export const getBig = (port: Port, offset: number): bigint =>
  BigInt(port.get(offset)) | (BigInt(port.get(offset + 4)) << 32n);

/** Stores an integer modulo 2^64. */
export function setBig(port: Port, offset: number, value: bigint): void {
  port.set(offset, Number(value & 0xffffffffn));
  port.set(offset + 4, Number((value >> 32n) & 0xffffffffn));
}
