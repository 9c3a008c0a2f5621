/**
 * What a fault hits, for people: the register, instruction, structure or page that the bit belongs to. Called right
 * before the fault is applied. Relies on introspection; knows no heap blocks that introspection does not explain.
 */

import {
  type Fault,
  hex,
  instructionAt,
  type Machine,
  type MachineSymbols,
  NEXT_HART,
  PC_REGISTER,
  readOwnership,
} from '../../../engine/index.ts';
import { codeChange } from './code-change.ts';
import { describeFirmware } from './firmware.ts';
import { regionOf } from './region.ts';
import type { Hit } from './types.ts';

/** Where and what an injection hits; the machine stands at the trigger. `fault` has a definite hart. */
export function describeHit(machine: Machine, symbols: MachineSymbols, fault: Fault): Hit {
  const next = machine.next();
  const hart = 'hart' in fault && fault.hart !== NEXT_HART ? fault.hart : next.hart;
  const { pc, mode, vmid } = hart === next.hart ? { ...machine.hart(hart), pc: next.pc } : machine.hart(hart);
  const symbol = symbols.describe(mode, pc, vmid);
  return {
    moment: machine.moment,
    ticks: machine.ticks,
    hart,
    pc: Number(pc),
    ...(symbol !== undefined && { symbol }),
    instruction: instructionAt(machine, hart, pc, symbols),
    target: targetOf(machine, symbols, fault, pc),
    vmid,
    region: regionOf(machine, hart, symbols),
  };
}

function targetOf(machine: Machine, symbols: MachineSymbols, fault: Fault, pc: bigint): string {
  switch (fault.model) {
    case 'failstop':
      return 'pc';
    case 'register':
      return fault.register === PC_REGISTER ? 'pc' : `x${fault.register}`;
    case 'memory':
      return (
        describeFirmware(machine, symbols, fault.paddr) ??
        readOwnership(machine, symbols).describe(fault.paddr) ??
        `memory at ${hex(fault.paddr)}, which has no owner`
      );
    case 'code':
      return codeChange(machine, symbols, fault, pc) ?? `code at ${hex(pc)}`;
    case 'csr':
      return fault.csr;
    case 'interrupt':
      return typeof fault.line === 'number' ? `interrupt source ${fault.line}` : `${fault.line} of hart ${fault.hart}`;
    case 'device':
      return `virtio${fault.slot}`;
  }
}
