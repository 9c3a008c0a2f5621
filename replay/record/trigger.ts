/**
 * Finds, exactly, when triggers that count fire: the k-th instruction executed in HS-mode, M-mode or both, the n-th
 * execution of one instruction of the hypervisor. The search runs ahead on the machine itself and comes back by
 * snapshot; nobody else sees what it runs through: the machine's observer is away meanwhile.
 * Relies on the engine's counts of privileged instructions; for places, on the hypervisor running where it was loaded
 * or is linked.
 */
import {
  type Machine,
  type MachineSymbols,
  type Moment,
  type PrivilegedModes,
  RAM_BASE,
  type Ticks,
  UserError,
} from '../../engine/index.ts';
import { noSuchSymbol } from '../language/index.ts';

export interface TriggerSearch {
  /** Virtual time right before the awaited instruction; undefined when it lies beyond the search's end. */
  readonly ticks: Ticks | undefined;
  /** HS-mode instructions (executions of the place) that retire between here and there (or the end). */
  readonly executed: number;
  /** Virtual time at which the search was given up, because it had cost as much as it may; else undefined. */
  readonly gaveUpAt?: Ticks;
}

/** Where a search ends. */
export interface SearchEnd {
  readonly moment?: Moment;
  readonly ticks?: Ticks;
  /** What it may cost at most (RunLimit.work); for places, between two executions. */
  readonly work?: number;
}

/**
 * Looks for the k-th (1 = the first from here) instruction to retire on any hart in some privileged modes before
 * `until`. The machine and its observer are left as they were.
 */
export function findInstruction(machine: Machine, of: PrivilegedModes, k: number, until: SearchEnd): TriggerSearch {
  return lookAhead(machine, () => {
    const from = machine.retired(of);
    const stop = machine.run({ ...until, count: { of, instructions: k } });
    const executed = machine.retired(of) - from;
    // It retired in the tick before this position: an instruction takes exactly one.
    if (executed === k) return { ticks: machine.ticks - 1, executed: k - 1 };
    return { ticks: undefined, executed, ...(stop.kind === 'work' && { gaveUpAt: machine.ticks }) };
  });
}

/**
 * Whether the machine, as it stands, comes to a virtual time before another instruction retires. It is left as it was.
 */
export function staysUntil(machine: Machine, ticks: Ticks): boolean {
  return lookAhead(machine, () => {
    const { moment } = machine;
    machine.run({ moment: moment + 1, ticks });
    return machine.ticks === ticks && machine.moment === moment;
  });
}

/** An instruction of the hypervisor. */
export interface Place {
  /** Physical. */
  readonly paddr: number;
  /** What the software itself has for it, once it has turned translation on; the physical address unless given. */
  readonly linked?: bigint;
}

/**
 * The instruction at a symbol, or `offset` bytes behind it.
 * @throws UserError when the image that -kernel names has no such symbol, or it is a value and not a place
 */
export function placeOf(hypervisor: MachineSymbols['hypervisor'], symbol: string, offset: number): Place {
  const at = hypervisor?.loadAddress(symbol);
  const linked = hypervisor?.address(symbol);
  const image = hypervisor?.image ?? 'the image that -kernel names';
  if (at === undefined || linked === undefined) {
    throw noSuchSymbol(symbol, hypervisor ? [hypervisor] : [], image);
  }
  if (at < BigInt(RAM_BASE)) throw new UserError(`'${symbol}' is a value, not a place in ${image}`);
  return { paddr: Number(at) + offset, linked: linked + BigInt(offset) };
}

/**
 * Looks for the n-th (1 = the first from here) time that a hart in HS-mode is about to execute the instruction at a
 * place. Stops there by a breakpoint of the core, which a hypervisor that looks at its own code does not see; leaves
 * the machine as it was.
 * @throws UserError when there is no RAM at the place
 */
export function findExecution(machine: Machine, place: Place, n: number, until: SearchEnd): TriggerSearch {
  const { paddr } = place;
  const end = RAM_BASE + machine.config.ramBytes;
  if (paddr < RAM_BASE || paddr + 2 > end || paddr % 2 !== 0) {
    throw new UserError(`a trigger at 0x${paddr.toString(16)}: no instruction of the hypervisor can be there`);
  }
  return lookAhead(machine, () => {
    const before = machine.breakAt;
    machine.breakAt = paddr;
    try {
      for (let executed = 0; ; executed++) {
        const { ticks, gaveUpAt } = runToExecution(machine, place, until);
        if (ticks === undefined) return { ticks, executed, ...(gaveUpAt !== undefined && { gaveUpAt }) };
        if (executed + 1 === n) return { ticks, executed };
      }
    } finally {
      machine.breakAt = before;
    }
  });
}

/** Runs to where HS-mode comes to the place next, by either of its addresses. */
function runToExecution(machine: Machine, place: Place, until: SearchEnd): Pick<TriggerSearch, 'ticks' | 'gaveUpAt'> {
  const pcs = [BigInt(place.paddr), place.linked];
  const from = machine.work;
  for (;;) {
    const work = until.work === undefined ? undefined : until.work - (machine.work - from);
    const stop = machine.run({ ...until, ...(work !== undefined && { work }) });
    if (stop.kind === 'work') return { ticks: undefined, gaveUpAt: machine.ticks };
    if (stop.kind !== 'breakpoint') return { ticks: undefined };
    const { mode, pc } = machine.hart(stop.hart);
    if (mode === 'HS' && pcs.includes(pc)) return { ticks: machine.ticks };
  }
}

function lookAhead<T>(machine: Machine, search: () => T): T {
  const start = machine.snapshot();
  const observer = machine.onEvent;
  machine.onEvent = undefined;
  try {
    return search();
  } finally {
    machine.restore(start);
    machine.onEvent = observer;
  }
}
