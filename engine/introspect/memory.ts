/**
 * Reads guest RAM as the rest of introspection needs it: bounded, never throwing, little-endian.
 * Relies on `readPhysical` of a machine. Does not see devices: everything outside RAM reads as `undefined`.
 */
import { CONSTANTS } from '../core/index.ts';
import type { Machine } from '../machine/index.ts';

/** What introspection needs of a machine to read its memory. */
export interface PhysicalMemory {
  readonly config: { readonly ramBytes: number };
  readPhysical: Machine['readPhysical'];
}

/** True when all `bytes` bytes at physical address `paddr` are RAM. */
export function isRam(memory: PhysicalMemory, paddr: number, bytes: number): boolean {
  return paddr >= CONSTANTS.RAM_BASE && paddr + bytes <= CONSTANTS.RAM_BASE + memory.config.ramBytes;
}

/** Bytes of RAM; undefined when any of them lies outside RAM. */
export function readRam(memory: PhysicalMemory, paddr: number, bytes: number): Uint8Array | undefined {
  return isRam(memory, paddr, bytes) ? memory.readPhysical(paddr, bytes) : undefined;
}

/** The 32-bit word at `paddr`; undefined outside RAM. */
export function readU32(memory: PhysicalMemory, paddr: number): number | undefined {
  const bytes = readRam(memory, paddr, 4);
  return bytes && view(bytes).getUint32(0, true);
}

/** The 64-bit word at `paddr`; undefined outside RAM. */
export function readU64(memory: PhysicalMemory, paddr: number): bigint | undefined {
  const bytes = readRam(memory, paddr, 8);
  return bytes && view(bytes).getBigUint64(0, true);
}

/** A `char[limit]` at `paddr`, up to its NUL, unprintable bytes as `?`; undefined outside RAM. */
export function readText(memory: PhysicalMemory, paddr: number, limit: number): string | undefined {
  const bytes = readRam(memory, paddr, limit);
  if (!bytes) return undefined;
  const end = bytes.indexOf(0);
  const text = bytes.subarray(0, end < 0 ? limit : end);
  return String.fromCharCode(...text).replace(/[^\x20-\x7e]/g, '?');
}

/** A view over exactly these bytes, wherever they lie in their buffer. */
export const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A pointer as a number when it may be one into RAM; undefined when it is too large to be. */
export const asAddress = (pointer: bigint): number | undefined =>
  pointer <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(pointer) : undefined;

/** Address for people: hexadecimal with `_` between groups of four digits, e.g. `0x8020_1000`. */
export const hex = (value: number | bigint): string => `0x${value.toString(16).replace(/\B(?=(.{4})+$)/g, '_')}`;
