/**
 * Which thread of execution a hart is in: its mode, VM and address space, and how far its stack has grown. So that a
 * call's return is told from the same code run by a recursion, an interrupt's handler, another process or another VM.
 * A thread may go on elsewhere: kernels and hypervisors move it from hart to hart, and run it under the tables of
 * whichever process or VM is at hand. Firmware stays on its hart.
 * Does not tell threads apart that share an address space and stand at one address with one stack pointer.
 */
import { insideVm, type Machine, type Mode } from '../../engine/index.ts';
import { type BreakpointHit, breakpointObserver, canBreakAt, type Observer } from '../search/index.ts';

export interface Context {
  readonly hart: number;
  readonly mode: Mode;
  /** hgatp.VMID. */
  readonly vmid: number;
  /** satp, or vsatp inside a VM. */
  readonly addressSpace: bigint;
  readonly pc: bigint;
  readonly sp: bigint;
  readonly ra: bigint;
}

/** Where a hart is. */
export function contextOf(machine: Machine, hart: number): Context {
  const { mode, vmid, pc, x } = machine.hart(hart);
  return { hart, mode, vmid, addressSpace: machine.csr(hart, 'satp'), pc, sp: x[2]!, ra: x[1]! };
}

/**
 * What the threads that a context may belong to have in common, as text: those of one process, kernel, hypervisor, or
 * of one hart's firmware. A stack pointer tells them apart.
 */
export function threadsOf({ mode, hart, vmid, addressSpace }: Context): string {
  const who = mode === 'M' ? hart : insideVm(mode) ? vmid : 0;
  return `${mode} ${who}${mode === 'U' || mode === 'VU' ? ` ${addressSpace.toString(16)}` : ''}`;
}

/** An arrival in a context, at one of some instructions. */
export interface ArrivalHit extends BreakpointHit {
  readonly context: Context;
}

/**
 * Sees a thread of execution arrive at one of some instructions. Their physical addresses are those of the present.
 * `wanted`: which arrivals count, told by the registers then.
 * Returns undefined when none of them is in RAM now.
 */
export function arrivalObserver(
  machine: Machine,
  from: Context,
  pcs: readonly bigint[],
  wanted: (context: Context) => boolean,
): Observer<ArrivalHit> | undefined {
  const paddrs = pcs.flatMap((pc) => {
    const paddr = machine.translate(from.hart, pc, 'fetch');
    return paddr !== undefined && canBreakAt(machine, paddr) ? [paddr] : [];
  });
  if (paddrs.length === 0) return undefined;
  const threads = threadsOf(from);
  const { stopped } = breakpointObserver(paddrs, (hit) => pcs.includes(hit.pc));
  return {
    breakAt: paddrs,
    stopped: (stop, at) => {
      const hit = stopped?.(stop, at);
      if (!hit) return undefined;
      const context = contextOf(at, hit.hart);
      return threadsOf(context) === threads && wanted(context) ? { ...hit, context } : undefined;
    },
  };
}
