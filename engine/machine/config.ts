/**
 * What a machine is made of: defaults, limits, and the version of the engine's behaviour. Checks numbers only; the
 * loader checks images.
 */
import { CONSTANTS } from '../core/layout.ts';
import { UserError } from '../errors.ts';
import type { MachineConfig, Quantum } from './types.ts';

/**
 * Version of everything that decides what a run does: instruction semantics, counting, devices, board, loader, layout
 * of saved state. Raise it with any change that could make an old trace replay differently; a trace replays only under
 * the version that it was recorded with.
 */
export const ENGINE_BEHAVIOUR = 3;

export const DEFAULT_HARTS = 2;
export const DEFAULT_RAM_BYTES: number = 128 * 1024 * 1024;
export const DEFAULT_QUANTUM: Quantum = { policy: 'fixed', ticks: 1000, seed: 0n };
export const MAX_HARTS: number = CONSTANTS.MAX_HARTS;
export const MAX_RAM_BYTES: number = 2 * 1024 * 1024 * 1024;
export const MIN_QUANTUM_TICKS = 64;
export const MAX_QUANTUM_TICKS = 1_000_000;

/** Refuses numbers that no machine can have. @throws UserError saying which limit, and the flag that sets it. */
export function checkConfig(config: MachineConfig): void {
  const { harts, ramBytes, quantum } = config;
  if (!isInteger(harts, 1, MAX_HARTS)) throw new UserError(`${harts} harts: expected 1 to ${MAX_HARTS} (-smp)`);
  if (!isInteger(ramBytes, 1, Number.MAX_SAFE_INTEGER) || ramBytes % CONSTANTS.PAGE_BYTES !== 0) {
    throw new UserError(`${ramBytes} bytes of RAM: expected a positive multiple of 4096 (-m)`);
  }
  if (ramBytes > MAX_RAM_BYTES) {
    throw new UserError(`${ramBytes / 1024 / 1024} MiB of RAM: the board takes at most 2048 MiB (-m)`);
  }
  if (!isInteger(quantum.ticks, MIN_QUANTUM_TICKS, MAX_QUANTUM_TICKS)) {
    throw new UserError(
      `a quantum of ${quantum.ticks} ticks: expected ${MIN_QUANTUM_TICKS} to ${MAX_QUANTUM_TICKS} (--quantum)`,
    );
  }
  if (quantum.seed < 0n || quantum.seed >= 1n << 64n) {
    throw new UserError(`schedule seed ${quantum.seed}: expected an unsigned 64-bit integer (--jitter)`);
  }
  if (config.append.includes('\0')) throw new UserError('the kernel command line contains a NUL byte (-append)');
}

const isInteger = (value: number, min: number, max: number) => Number.isInteger(value) && value >= min && value <= max;
