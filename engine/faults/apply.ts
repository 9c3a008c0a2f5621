/**
 * Injects a fault into a machine between two instructions. Relies on the machine (FaultTarget) for storing so that
 * derived state follows, and for keeping what waits for its occasion; does not decide when (engine/machine applies,
 * replay plans).
 */

import { invariant, UserError } from '../base/index.ts';
import { CONSTANTS } from '../core/index.ts';
import { type ArmedFault, type Fault, NEXT_HART, PC_REGISTER, WINDOW_BITS } from './types.ts';

/** What injection needs of a machine. */
export interface FaultTarget {
  readonly hartCount: number;
  /** Integer register 1–31, or pc (32). */
  readRegister(hart: number, register: number): bigint;
  writeRegister(hart: number, register: number, value: bigint): void;
  /** A CSR by name as M-mode reads and writes it: WARL fields keep what they cannot hold. */
  csr(hart: number, name: string): bigint;
  writeCsr(hart: number, name: string, value: bigint): void;
  /** Physical address of code, as the hart fetches in its present mode. */
  translate(hart: number, va: bigint, access: 'fetch'): number | undefined;
  /** A byte of RAM, or undefined where there is none. */
  readByte(paddr: number): number | undefined;
  writeByte(paddr: number, value: number): void;
  /** Keeps a fault until its occasion. @throws UserError when there is no such device, or too many wait. */
  arm(fault: ArmedFault): void;
  /** Raises a hart's machine software interrupt, or an input of the interrupt controller. */
  raise(line: { readonly hart: number } | { readonly source: number }): void;
}

/** stimecmp of a timer that never fires. */
const NO_TIMER = (1n << 64n) - 1n;
const TICKS_PER_MTIME = 100;

/** Applies a resolved fault. @throws UserError when the machine has no such hart or no RAM at the address. */
export function applyFault(target: FaultTarget, fault: Fault): void {
  if (hitsHart(fault)) requireHart(target.hartCount, fault.hart);
  switch (fault.model) {
    case 'failstop':
      target.writeRegister(fault.hart, PC_REGISTER, 0n);
      return;
    case 'register': {
      invariant(fault.register >= 1 && fault.register <= PC_REGISTER, `register ${fault.register} is not 1…32`);
      const flipped = target.readRegister(fault.hart, fault.register) ^ (1n << BigInt(fault.bit));
      // A pc has no bit 0 (IALIGN = 16): the hardware could not hold it.
      target.writeRegister(fault.hart, fault.register, fault.register === PC_REGISTER ? flipped & ~1n : flipped);
      return;
    }
    case 'memory':
      flipByte(target, fault.paddr, fault.bit, 'memory fault');
      return;
    case 'code': {
      const { paddr, bit } = placeOfCode(target, fault);
      const before = flipByte(target, paddr, bit, 'code fault');
      const mask = 1 << bit;
      const ramOffset = paddr - CONSTANTS.RAM_BASE;
      if (fault.repair === 'on-detection') target.arm({ kind: 'repair', ramOffset, mask, value: before & mask });
      else if (fault.repair === 'stuck') target.arm({ kind: 'stuck', ramOffset, mask, value: ~before & mask });
      return;
    }
    case 'csr':
      target.writeCsr(fault.hart, fault.csr, target.csr(fault.hart, fault.csr) ^ (1n << BigInt(fault.bit)));
      return;
    case 'interrupt':
      disturbInterrupt(target, fault);
      return;
    case 'device':
      target.arm({ kind: fault.effect, slot: fault.slot });
  }
}

/**
 * The fault with its hart made definite: faults on the "next" hart hit the one whose instruction is next.
 * @throws UserError when the machine has no such hart
 */
export function resolveFault(
  machine: { readonly config: { readonly harts: number }; next(): { hart: number } },
  fault: Fault,
): Fault {
  if (!hitsHart(fault)) return fault;
  const definite = fault.hart === NEXT_HART ? { ...fault, hart: machine.next().hart } : fault;
  requireHart(machine.config.harts, definite.hart);
  return definite;
}

/**
 * Physical address and bit (0–7) that a code fault flips.
 * @throws UserError when the hart cannot fetch there: its next step is a trap, not an instruction
 */
function placeOfCode(
  target: Pick<FaultTarget, 'readRegister' | 'translate' | 'readByte'>,
  fault: Extract<Fault, { readonly model: 'code' }>,
): { readonly paddr: number; readonly bit: number } {
  const pc = target.readRegister(fault.hart, PC_REGISTER);
  const place = (bit: number) => {
    const paddr = target.translate(fault.hart, BigInt.asUintN(64, pc + BigInt(bit >> 3)), 'fetch');
    if (paddr !== undefined && target.readByte(paddr) !== undefined) return { paddr, bit: bit & 7 };
    throw new UserError(`code fault at pc 0x${pc.toString(16)} of hart ${fault.hart}: there is no code in RAM`);
  };
  if (fault.span === 'window') return place(fault.bit % WINDOW_BITS);
  // Compressed instructions do not end in 11 (manual, "Base Instruction-Length Encoding").
  const isLong = ((target.readByte(place(0).paddr) ?? 0) & 3) === 3;
  return place(fault.bit % (isLong ? 32 : 16));
}

function disturbInterrupt(target: FaultTarget, fault: Extract<Fault, { readonly model: 'interrupt' }>): void {
  const { line, effect, hart, ticks } = fault;
  if (line === 'timer') {
    const due = target.csr(hart, 'stimecmp');
    const later = due + BigInt(Math.ceil(ticks / TICKS_PER_MTIME));
    if (effect === 'duplicated') target.writeCsr(hart, 'stimecmp', target.csr(hart, 'time'));
    else if (effect === 'lost' || later > NO_TIMER) target.writeCsr(hart, 'stimecmp', NO_TIMER);
    else target.writeCsr(hart, 'stimecmp', later);
  } else if (line === 'ipi') {
    if (effect === 'duplicated') target.raise({ hart });
    else target.arm({ kind: 'ipi', hart, ticks });
  } else if (effect === 'duplicated') target.raise({ source: line });
  else target.arm({ kind: 'source', source: line, ticks });
}

/** Flips a bit and returns the byte as it was. */
function flipByte(target: FaultTarget, paddr: number, bit: number, what: string): number {
  const byte = target.readByte(paddr);
  if (byte === undefined) {
    throw new UserError(`${what} at 0x${paddr.toString(16)}: there is no RAM at this physical address`);
  }
  target.writeByte(paddr, byte ^ (1 << bit));
  return byte;
}

function requireHart(harts: number, hart: number): void {
  if (hart >= 0 && hart < harts) return;
  throw new UserError(`fault on hart ${hart}: the machine has harts 0…${harts - 1}`);
}

/** Faults of an interrupt source are the controller's, whatever hart they name. */
function hitsHart(fault: Fault): fault is Extract<Fault, { readonly hart: number }> {
  return 'hart' in fault && !(fault.model === 'interrupt' && typeof fault.line === 'number');
}
