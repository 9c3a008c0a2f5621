/**
 * What a machine is made of: defaults, limits, and the version of the engine's behaviour. Checks numbers only; the
 * loader checks images.
 */

import { splitmix64, UserError } from '../base/index.ts';
import { CONSTANTS } from '../core/index.ts';
import type { Image, MachineConfig, Quantum, Ticks, VirtioConfig } from './types.ts';

/**
 * Version of everything that decides what a run does: instruction semantics, counting, devices, board, loader, layout
 * of saved state. Raise it with any change that could make an old trace replay differently; a trace replays only under
 * the version that it was recorded with.
 */
export const ENGINE_BEHAVIOUR = 6;

export const DEFAULT_HARTS = 2;
export const DEFAULT_RAM_BYTES: number = 128 * 1024 * 1024;
export const DEFAULT_QUANTUM: Quantum = { policy: 'fixed', ticks: 1000, seed: 0n };
export const MAX_HARTS: number = CONSTANTS.MAX_HARTS;
export const MAX_RAM_BYTES: number = 2 * 1024 * 1024 * 1024;
export const MIN_QUANTUM_TICKS = 64;
export const MAX_QUANTUM_TICKS = 1_000_000;
/** 2025-01-01T00:00:00Z: a run that says nothing about the date has the same one every time. */
export const DEFAULT_WALL_CLOCK = 1_735_689_600;
/** Seconds whose nanoseconds stay exact as ticks: the year 2255. */
export const MAX_WALL_CLOCK = 9_000_000_000;
/**
 * Seed of what is drawn from a power-on or reset at some tick on: the machine's own when it is switched on, and another
 * one after each reset, so that software which starts over does not meet the same entropy again.
 */
export const seedAt = (seed: bigint, ticks: Ticks): bigint =>
  ticks === 0 ? seed : splitmix64(seed ^ BigInt(ticks), 1)[0]!;

export const VIRTIO_SLOTS = 8;
export const SECTOR_BYTES = 512;
const SERIAL_BYTES = 20;

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
  const { seed = 0n, wallClock = DEFAULT_WALL_CLOCK } = config;
  if (seed < 0n || seed >= 1n << 64n) {
    throw new UserError(`device seed ${seed}: expected an unsigned 64-bit integer (--seed)`);
  }
  if (!isInteger(wallClock, 0, MAX_WALL_CLOCK)) {
    throw new UserError(`wall-clock time ${wallClock}: expected whole seconds from 1970 to 2255 (-rtc)`);
  }
  checkVirtio(config.virtio ?? []);
}

function checkVirtio(devices: readonly VirtioConfig[]): void {
  for (const [n, device] of devices.entries()) {
    const { slot } = device;
    if (!isInteger(slot, 0, VIRTIO_SLOTS - 1)) {
      throw new UserError(`virtio slot ${slot}: the board has slots 0 to ${VIRTIO_SLOTS - 1} (-device)`);
    }
    if (devices.findIndex((other) => other.slot === slot) !== n) {
      throw new UserError(`two devices in virtio slot ${slot}: give one of them another bus (-device)`);
    }
    if (device.kind === 'block') checkDisk(device.image, device.serial);
    if (device.kind === 'net' && !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(device.mac)) {
      throw new UserError(`hardware address '${device.mac}': expected one such as 52:54:00:12:34:56 (mac=)`);
    }
    if (device.kind === 'net' && Number.parseInt(device.mac.slice(0, 2), 16) % 2 === 1) {
      throw new UserError(
        `hardware address '${device.mac}' is a multicast address: its first byte must be even (mac=)`,
      );
    }
  }
}

function checkDisk({ name, bytes }: Image, serial: string): void {
  if (bytes.length === 0) throw new UserError(`disk image '${name}' is empty: expected content (-drive)`);
  if (bytes.length % SECTOR_BYTES !== 0) {
    const whole = Math.ceil(bytes.length / SECTOR_BYTES) * SECTOR_BYTES;
    throw new UserError(
      `disk image '${name}' has ${bytes.length} bytes, expected a multiple of ${SECTOR_BYTES}: ` +
        `pad it with 'truncate -s ${whole}', and give raw images only (-drive)`,
    );
  }
  if (serial.length > SERIAL_BYTES || /[^ -~]/.test(serial)) {
    throw new UserError(`disk serial '${serial}': expected at most ${SERIAL_BYTES} ASCII characters (serial=)`);
  }
}

const isInteger = (value: number, min: number, max: number) => Number.isInteger(value) && value >= min && value <= max;
