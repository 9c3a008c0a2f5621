/**
 * Execution breakpoints: physical addresses for users, linear-memory addresses for the core, which does the stopping.
 */

import { invariant } from '../../base/index.ts';
import { CONSTANTS, type Core } from '../../core/index.ts';
import { RAM_BASE } from '../board/index.ts';
import type { StopReason } from '../types.ts';

/** Stops the core before the instructions at `places` in RAM and nowhere else. Asserts that they can be code there. */
export function setBreakpoints(core: Core, places: readonly number[]): void {
  const distinct = new Set(places);
  invariant(distinct.size <= CONSTANTS.MAX_BREAKPOINTS, `${distinct.size} breakpoints, more than there is room for`);
  const ramBytes = core.machineNumber('ramBytes');
  const hosts = Array.from(distinct, (paddr) => {
    const offset = paddr - RAM_BASE;
    invariant(offset >= 0 && offset < ramBytes && offset % 2 === 0, `a breakpoint at ${paddr}, not code in RAM`);
    return core.machineNumber('ramHost') + offset;
  });
  const list = new Uint32Array(core.memory.buffer, core.machineNumber('breakpointsHost'), hosts.length);
  list.set(Uint32Array.from(hosts).sort());
  core.arch.setBreakpoints(hosts.length);
}

/** Stops the core before the instructions at these virtual addresses, in any address space, and at no others. */
export function setBreakAddresses(core: Core, addresses: readonly bigint[]): void {
  const distinct = BigUint64Array.from(new Set(addresses.map((address) => BigInt.asUintN(64, address))));
  invariant(distinct.length <= CONSTANTS.MAX_BREAKPOINTS, `${distinct.length} break addresses, more than fit`);
  const host = core.machineNumber('breakAddressesHost');
  new BigUint64Array(core.memory.buffer, host, distinct.length).set(distinct.sort());
  core.arch.setBreakAddresses(distinct.length);
}

/** Why the core stopped when it returned STOP_BREAKPOINT. */
export function breakpointStop(core: Core): StopReason {
  const paddr = core.machineNumber('breakpointHost') - core.machineNumber('ramHost') + RAM_BASE;
  return { kind: 'breakpoint', hart: core.machineNumber('breakpointHart'), paddr };
}
