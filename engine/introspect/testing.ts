/**
 * A machine made of bytes for introspection's tests: RAM one can write words into, harts one can set.
 * Relies on nothing of the engine. Does not execute anything.
 */
import { CONSTANTS } from '../core/layout/index.ts';
import type { HartState, Mode } from '../machine/types.ts';
import type { Inspected } from './vms.ts';

export const RAM = CONSTANTS.RAM_BASE;

export interface FakeHart {
  readonly mode: Mode;
  readonly hgatp: bigint;
}

/** RAM and harts; `readPhysical` throws outside RAM so that a missing bound shows. */
export class FakeMachine implements Inspected {
  readonly config: { readonly ramBytes: number; readonly harts: number };
  readonly bytes: Uint8Array;
  readonly harts: readonly FakeHart[];

  constructor(ramBytes: number, harts: readonly FakeHart[] = [{ mode: 'HS', hgatp: 0n }]) {
    this.config = { ramBytes, harts: harts.length };
    this.bytes = new Uint8Array(ramBytes);
    this.harts = harts;
  }

  readPhysical(paddr: number, bytes: number): Uint8Array {
    const at = paddr - RAM;
    if (at < 0 || at + bytes > this.bytes.length) throw new RangeError(`read outside RAM at ${paddr.toString(16)}`);
    return this.bytes.slice(at, at + bytes);
  }

  hart(n: number): HartState {
    const { mode, hgatp } = this.harts[n]!;
    const vmid = Number((hgatp >> 44n) & 0x3fffn);
    return { x: Array(32).fill(0n), f: Array(32).fill(0n), fcsr: 0, pc: 0n, mode, waiting: false, instret: 0n, vmid };
  }

  csr(hart: number, name: string): bigint {
    if (name !== 'hgatp') throw new RangeError(name);
    return this.harts[hart]!.hgatp;
  }

  /** Identity, as code in M-mode sees memory. */
  translate(_hart: number, va: bigint): number | undefined {
    return va < 1n << 40n ? Number(va) : undefined;
  }

  writeU64(paddr: number, value: bigint): void {
    new DataView(this.bytes.buffer).setBigUint64(paddr - RAM, value, true);
  }

  writeU32(paddr: number, value: number): void {
    new DataView(this.bytes.buffer).setUint32(paddr - RAM, value, true);
  }

  writeText(paddr: number, text: string): void {
    this.bytes.set(new TextEncoder().encode(text), paddr - RAM);
  }
}

export const hgatpOf = (mode: 8 | 9 | 10, vmid: number, root: number): bigint =>
  (BigInt(mode) << 60n) | (BigInt(vmid) << 44n) | BigInt(root / 4096);

export interface PlannedMapping {
  readonly gpa: bigint;
  /** 0 = 4 KiB, 1 = 2 MiB, … */
  readonly level: number;
  readonly spa: number;
  /** PTE bits 7–0. */
  readonly flags: number;
}

/**
 * Writes G-stage tables for the mappings, top-down with tables handed out from `root` on; an independent
 * statement of the format (the walk under test shares no code with it). Mappings must not overlap.
 */
export function buildGStage(machine: FakeMachine, levels: number, root: number, plan: readonly PlannedMapping[]): void {
  let free = root + 16384;
  for (const { gpa, level, spa, flags } of plan) {
    let table = root;
    for (let at = levels - 1; at >= level; at--) {
      const width = at === levels - 1 ? 11n : 9n;
      const index = (gpa >> BigInt(12 + 9 * at)) & ((1n << width) - 1n);
      const slot = table + Number(index) * 8;
      if (at === level) {
        machine.writeU64(slot, (BigInt(spa / 4096) << 10n) | BigInt(flags));
        break;
      }
      const present = new DataView(machine.bytes.buffer).getBigUint64(slot - RAM, true);
      if (present === 0n) {
        machine.writeU64(slot, (BigInt(free / 4096) << 10n) | 1n);
        table = free;
        free += 4096;
      } else table = Number(present >> 10n) * 4096;
    }
  }
}
