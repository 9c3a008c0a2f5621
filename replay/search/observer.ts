/**
 * What a search looks for: what the machine must be told to report while it runs, and which of its reports count. An
 * observer is plain data and two functions, so that several can be put together into one that sees what each of them
 * sees. Relies on the machine for reporting without being influenced.
 */
import {
  isRam,
  type Machine,
  type MachineEvent,
  type Mode,
  type Observed,
  type StopReason,
  type Watch,
  type WatchHit,
} from '../../engine/index.ts';
import type { InputsHere, Position } from '../base/index.ts';

/** What an observer saw, at the position right before it happened: going there shows the state that led to it. */
export interface Hit extends Position {
  /** Whether the inputs of that position come before it (`applied`, unless given) or it is one of them. */
  readonly here?: InputsHere;
}

export interface Observer<H extends Hit = Hit> {
  /** Physical addresses of instructions that the machine stops before; each stop is given to `stopped`. */
  readonly breakAt?: readonly number[];
  /**
   * The same by the addresses that software uses, in any address space. More may be added behind each of `stopped`:
   * what is added is stopped before from there on.
   */
  readonly breakAtVirtual?: readonly bigint[];
  /** Transitions that the machine reports; none unless given. Each event of the run is given to `seen`. */
  readonly transitions?: Exclude<Observed['transitions'], 'none'>;
  /**
   * Stops the machine behind each transition of any kind and each write to a CSR, or behind each in or out of a VM;
   * each stop is given to `stopped`.
   */
  readonly stopsAtEvents?: 'all' | 'vm';
  /**
   * Memory that the machine watches: asked when the observation begins, and again where a watch or an event has stopped
   * the machine, behind `stopped`.
   */
  readonly watches?: (machine: Machine) => readonly Watch[];
  /** The hit that an access to watched memory is. The machine may have run on since. */
  readonly accessed?: (access: WatchHit) => H | undefined;
  /** The hit that an event is. The machine may have run on since. */
  readonly seen?: (event: MachineEvent) => H | undefined;
  /** The hit that a stop is; the machine stands there. */
  readonly stopped?: (stop: StopReason, machine: Machine) => H | undefined;
}

/** An instruction that is about to be executed. */
export interface BreakpointHit extends Hit {
  readonly kind: 'breakpoint';
  readonly hart: number;
  readonly mode: Mode;
  /** hgatp.VMID of the hart. */
  readonly vmid: number;
  readonly pc: bigint;
  readonly paddr: number;
}

/** Whether there can be a breakpoint at a physical address: an instruction in RAM. */
export const canBreakAt = (machine: Machine, paddr: number): boolean => isRam(machine, paddr, 2) && paddr % 2 === 0;

/**
 * Sees each execution of the instructions at physical addresses, in RAM and even, or at virtual ones.
 * `wanted`: which of them count, asked while the machine stands there; all unless given.
 */
export function breakpointObserver(
  paddrs: readonly number[],
  wanted: (hit: BreakpointHit, machine: Machine) => boolean = () => true,
  virtual: readonly bigint[] = [],
): Observer<BreakpointHit> {
  return {
    breakAt: paddrs,
    ...(virtual.length > 0 && { breakAtVirtual: virtual }),
    stopped: (stop, machine) => {
      if (stop.kind !== 'breakpoint') return undefined;
      const { mode, vmid, pc } = machine.hart(stop.hart);
      if (!paddrs.includes(stop.paddr) && !virtual.includes(pc)) return undefined;
      const { moment, ticks } = machine;
      const hit = { kind: stop.kind, moment, ticks, hart: stop.hart, mode, vmid, pc, paddr: stop.paddr } as const;
      return wanted(hit, machine) ? hit : undefined;
    },
  };
}

/** Without what a hart has done so far: that depends on the way, and a hit is the same by whatever way it is found. */
export type Transition = Omit<Extract<MachineEvent, { kind: 'transition' }>, 'work'>;

/** A trap about to be taken, or an instruction about to return from one. */
export interface TransitionHit extends Hit {
  readonly kind: 'transition';
  readonly transition: Transition;
}

/**
 * Sees the wanted transitions between privilege modes.
 * `which`: `vm` when only those in and out of VMs can be wanted, which is quicker
 */
export function transitionObserver(
  which: Exclude<Observed['transitions'], 'none'>,
  wanted: (transition: Transition) => boolean,
): Observer<TransitionHit> {
  return {
    transitions: which,
    seen: (event) => {
      if (event.kind !== 'transition' || !wanted(event)) return undefined;
      // An event stands behind what happened, which took one tick; a return has retired in it.
      const { moment, ticks } = event;
      const { work: _, ...transition } = event;
      return { kind: 'transition', moment: event.trap ? moment : moment - 1, ticks: ticks - 1, transition };
    },
  };
}

/** Sees what any of the observers sees. */
export function anyOf<H extends Hit>(observers: readonly Observer<H>[]): Observer<H> {
  const first = <A extends unknown[]>(pick: (one: Observer<H>) => ((...args: A) => H | undefined) | undefined) => {
    const asked = observers.flatMap((one) => pick(one) ?? []);
    return (...args: A): H | undefined => {
      // All are told, for some remember; the first one's hit counts.
      const hits = asked.map((ask) => ask(...args));
      return hits.find((hit) => hit !== undefined);
    };
  };
  const watching = observers.flatMap(({ watches }) => watches ?? []);
  const stopping = observers.flatMap(({ stopsAtEvents }) => stopsAtEvents ?? []);
  const wanted = observers.map(({ transitions }) => transitions);
  const transitions = wanted.includes('all') ? 'all' : wanted.includes('vm') ? 'vm' : undefined;
  return {
    breakAt: observers.flatMap(({ breakAt = [] }) => breakAt),
    breakAtVirtual: observers.flatMap(({ breakAtVirtual = [] }) => breakAtVirtual),
    ...(watching.length > 0 && { watches: (machine: Machine) => watching.flatMap((watches) => watches(machine)) }),
    accessed: first((one) => one.accessed),
    ...(transitions && { transitions }),
    ...(stopping.length > 0 && { stopsAtEvents: stopping.includes('all') ? 'all' : 'vm' }),
    seen: first((one) => one.seen),
    stopped: first((one) => one.stopped),
  };
}
