/**
 * Finds, exactly, when triggers that count fire: the k-th instruction executed in HS-mode, the n-th execution of one
 * instruction of the hypervisor. The search runs ahead on the machine itself and comes back by snapshot; nobody else
 * sees what it runs through: the machine's observer is away meanwhile.
 * Relies on the engine's count of HS-mode instructions; for places, on the hypervisor running where it was loaded or is linked.
 */
import {
  didYouMean,
  type Machine,
  type MachineSymbols,
  type Moment,
  RAM_BASE,
  type Ticks,
  UserError,
} from '../engine/index.ts';

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
 * Looks for the k-th (1 = the first from here) HS-mode instruction to retire on any hart before `until`. The machine
 * and its observer are left as they were.
 */
export function findHypervisorInstruction(machine: Machine, k: number, until: SearchEnd): TriggerSearch {
  return lookAhead(machine, () => {
    const from = machine.hypervisorInstructions;
    const stop = machine.run({ ...until, hypervisor: k });
    const executed = machine.hypervisorInstructions - from;
    // It retired in the tick before this position: an instruction takes exactly one.
    if (executed === k) return { ticks: machine.ticks - 1, executed: k - 1 };
    return { ticks: undefined, executed, ...(stop.kind === 'work' && { gaveUpAt: machine.ticks }) };
  });
}

/** Whether the machine, as it stands, comes to a virtual time before another instruction retires. It is left as it was. */
export function staysUntil(machine: Machine, ticks: Ticks): boolean {
  return lookAhead(machine, () => {
    const { moment } = machine;
    machine.run({ moment: moment + 1, ticks });
    return machine.ticks === ticks && machine.moment === moment;
  });
}

const CAUSE_BREAKPOINT = 3;
/** What is executed before it is looked whether the breakpoint was hit (RunLimit.work); doubled as long as it was not. */
const FIRST_LEAP = 2048;
const MAX_LEAP = 1 << 20;

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
    const guess = didYouMean(symbol, hypervisor?.placeNames() ?? []);
    throw new UserError(`there is no symbol '${symbol}' in ${image}${guess}`);
  }
  if (at < BigInt(RAM_BASE)) throw new UserError(`'${symbol}' is a value, not a place in ${image}`);
  return { paddr: Number(at) + offset, linked: linked + BigInt(offset) };
}

/**
 * Looks for the n-th (1 = the first from here) time that a hart in HS-mode is about to execute the instruction at a
 * place. Works as a debugger does, with a breakpoint, but one that a hypervisor which looks at its own code does not
 * see; leaves the machine as it was.
 * @throws UserError when there is no RAM at the place
 */
export function findExecution(machine: Machine, place: Place, n: number, until: SearchEnd): TriggerSearch {
  const { paddr } = place;
  const end = RAM_BASE + machine.config.ramBytes;
  if (paddr < RAM_BASE || paddr + 2 > end || paddr % 2 !== 0) {
    throw new UserError(`a trigger at 0x${paddr.toString(16)}: no instruction of the hypervisor can be there`);
  }
  return lookAhead(machine, () => {
    for (let executed = 0; ; executed++) {
      const { ticks, gaveUpAt } = nextExecution(machine, place, until);
      if (ticks === undefined) return { ticks, executed, ...(gaveUpAt !== undefined && { gaveUpAt }) };
      if (executed + 1 === n) return { ticks, executed };
      machine.run({ ticks: ticks + 1 });
    }
  });
}

/** When the place is reached next, by either of its addresses; the machine is brought back to where it was. */
function nextExecution(machine: Machine, place: Place, until: SearchEnd): Pick<TriggerSearch, 'ticks' | 'gaveUpAt'> {
  const pcs = [BigInt(place.paddr), place.linked];
  const start = machine.snapshot();
  let hit: Ticks | undefined;
  machine.onEvent = (event) => {
    if (event.kind !== 'transition' || event.from !== 'HS' || !pcs.includes(event.pc)) return;
    // A trap takes a tick, which the event counts.
    if (event.trap?.cause === CAUSE_BREAKPOINT && !event.trap.interrupt) hit ??= event.ticks - 1;
  };
  const { moment = Number.POSITIVE_INFINITY, ticks: last = Number.POSITIVE_INFINITY } = until;
  let left = until.work ?? Number.POSITIVE_INFINITY;
  let gaveUpAt: Ticks | undefined;
  machine.breakAt = place.paddr;
  try {
    for (let leap = FIRST_LEAP; hit === undefined; leap = Math.min(2 * leap, MAX_LEAP)) {
      const stop = machine.run({ ...until, work: Math.min(leap, left) });
      if (stop.kind !== 'work') break;
      left -= leap;
      if (left <= 0) {
        gaveUpAt = machine.ticks;
        break;
      }
    }
  } finally {
    machine.onEvent = undefined;
    machine.breakAt = undefined;
  }
  machine.restore(start);
  if (hit !== undefined) machine.run({ ticks: hit });
  if (hit !== undefined && machine.moment < moment && hit < last) return { ticks: hit };
  return { ticks: undefined, ...(hit === undefined && gaveUpAt !== undefined && { gaveUpAt }) };
}

function lookAhead<T>(machine: Machine, search: () => T): T {
  const start = machine.snapshot();
  const observer = machine.onEvent;
  machine.onEvent = undefined;
  const { observedTransitions } = machine;
  machine.observedTransitions = 'all';
  try {
    return search();
  } finally {
    machine.restore(start);
    machine.observedTransitions = observedTransitions;
    machine.onEvent = observer;
  }
}
