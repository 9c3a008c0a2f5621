/**
 * Injects a fault into a machine between two instructions. Relies on the machine (FaultTarget) for storing so that
 * derived state follows; does not decide when (engine/machine applies, replay plans).
 */
import { invariant, UserError } from '../errors.ts';
import { type Fault, NEXT_HART, PC_REGISTER } from './types.ts';

/** What injection needs of a machine. */
export interface FaultTarget {
  readonly hartCount: number;
  /** Integer register 1–31, or pc (32). */
  readRegister(hart: number, register: number): bigint;
  writeRegister(hart: number, register: number, value: bigint): void;
  /** A byte of RAM, or undefined where there is none. */
  readByte(paddr: number): number | undefined;
  writeByte(paddr: number, value: number): void;
}

/** Applies a resolved fault. @throws UserError when the machine has no such hart or no RAM at the address. */
export function applyFault(target: FaultTarget, fault: Fault): void {
  switch (fault.model) {
    case 'failstop':
      requireHart(target, fault.hart);
      target.writeRegister(fault.hart, PC_REGISTER, 0n);
      return;
    case 'register': {
      requireHart(target, fault.hart);
      invariant(fault.register >= 1 && fault.register <= PC_REGISTER, `register ${fault.register} is not 1…32`);
      const flipped = target.readRegister(fault.hart, fault.register) ^ (1n << BigInt(fault.bit));
      // A pc has no bit 0 (IALIGN = 16): the hardware could not hold it.
      target.writeRegister(fault.hart, fault.register, fault.register === PC_REGISTER ? flipped & ~1n : flipped);
      return;
    }
    case 'memory': {
      const byte = target.readByte(fault.paddr);
      if (byte === undefined) {
        throw new UserError(`memory fault at 0x${fault.paddr.toString(16)}: there is no RAM at this physical address`);
      }
      target.writeByte(fault.paddr, byte ^ (1 << fault.bit));
    }
  }
}

/** The fault with its hart made definite: faults on the "next" hart hit the one whose instruction is next. */
export function resolveFault(machine: { next(): { hart: number } }, fault: Fault): Fault {
  return fault.model !== 'memory' && fault.hart === NEXT_HART ? { ...fault, hart: machine.next().hart } : fault;
}

function requireHart(target: FaultTarget, hart: number): void {
  if (hart >= 0 && hart < target.hartCount) return;
  throw new UserError(`fault on hart ${hart}: the machine has harts 0…${target.hartCount - 1}`);
}
