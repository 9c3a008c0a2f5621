/**
 * The translation caches as generated code looks them up: engine/core/README.md, "Translation caches". A miss is for
 * the architecture, which fills them.
 */
import { CONSTANTS, MACHINE, offsetOf, TLB } from '../layout/index.ts';
import type { FunctionBody } from '../wasm/index.ts';

/** Byte distance of the read, write and fetch caches from the hart's first entry. */
export const CACHES = {
  read: 0,
  write: CONSTANTS.TLB_ENTRIES * CONSTANTS.TLB_ENTRY_BYTES,
  fetch: 2 * CONSTANTS.TLB_ENTRIES * CONSTANTS.TLB_ENTRY_BYTES,
} as const;
export type CacheName = keyof typeof CACHES;

/** Leaves the address of a hart's caches on the stack (i32): MACHINE.tlbHost + hart number * TLB_HART_BYTES. */
export function emitCachesAddress(code: FunctionBody, hart: number): void {
  const shift = Math.log2(CONSTANTS.HART_STRIDE);
  code.get(hart).i32(CONSTANTS.HART_BASE).op('i32.sub').i32(shift).op('i32.shr_u');
  code.i32(CONSTANTS.TLB_HART_BYTES).op('i32.mul');
  code.i32(CONSTANTS.MACHINE_BASE).memory('i32.load', offsetOf(MACHINE, 'tlbHost')).op('i32.add');
}

/** Locals that a probe works on. */
export interface Probe {
  /** i32, as `emitCachesAddress` gives it. */
  readonly caches: number;
  /** i64: the virtual address. */
  readonly address: number;
  /** i64: the context that an entry must have. */
  readonly context: number;
  /** i32, set by the probe: the entry, for `emitAddend`. */
  readonly entry: number;
}

/** Leaves on the stack whether `cache` translates an access of `bytes` bytes (i32). A misaligned one it does not. */
export function emitProbe(code: FunctionBody, cache: CacheName, bytes: number, probe: Probe): void {
  // ((va >> 12) & 4095) * 16 in one shift.
  code.get(probe.caches).get(probe.address).op('i32.wrap_i64').i32(8).op('i32.shr_u');
  code
    .i32((CONSTANTS.TLB_ENTRIES - 1) * CONSTANTS.TLB_ENTRY_BYTES)
    .op('i32.and', 'i32.add')
    .tee(probe.entry);
  code.memory('i64.load', CACHES[cache] + offsetOf(TLB, 'tag'));
  code
    .get(probe.address)
    .i64(BigInt(-CONSTANTS.PAGE_BYTES | (bytes - 1)))
    .op('i64.and');
  code.get(probe.context).op('i64.or', 'i64.eq');
}

/** Leaves the addend of the entry that a probe of `cache` found on the stack (i32). */
export function emitAddend(code: FunctionBody, cache: CacheName, entry: number): void {
  code.get(entry).memory('i32.load', CACHES[cache] + offsetOf(TLB, 'addend'));
}
