/**
 * What a person wants to be stopped at: breakpoints at instructions, watchpoints on memory, each with a number that
 * stays its own. A place that is not physical holds in every address space, unless a mode, a VM or a hart narrows it.
 * Relies on searches for seeing them; decides nothing about moves.
 */
import { type Machine, type Mode, UserError } from '../../engine/index.ts';
import { anyOf, type BreakpointHit, breakpointObserver, canBreakAt, type Observer } from '../search/index.ts';
import { type MemoryHit, memoryObserver, type WatchedMemory } from '../watch/index.ts';

/** Where a breakpoint stops: at a physical address, or at the address that software uses, or only where both hold. */
export interface BreakpointPlace {
  readonly paddr?: number;
  readonly pc?: bigint;
  readonly mode?: Mode;
  /** Only in this VM: a hart in VS- or VU-mode with this hgatp.VMID. */
  readonly vmid?: number;
  readonly hart?: number;
}

interface Named {
  /** From 1 on, counted over breakpoints and watchpoints; never given twice. */
  readonly id: number;
  /** What the person called it. */
  readonly name: string;
}
export interface Breakpoint extends Named, BreakpointPlace {
  readonly kind: 'breakpoint';
}
export interface Watchpoint extends Named, WatchedMemory {
  readonly kind: 'watchpoint';
}
export type StopPoint = Breakpoint | Watchpoint;

export type StopHit = BreakpointHit | MemoryHit;

/** More are refused: nobody looks through them. */
const MAX_STOPS = 1_000;

/** What has been set. */
export class Stops {
  private readonly machine: Machine;
  private readonly byId = new Map<number, StopPoint>();
  /** Which watchpoint has seen an access. */
  private readonly watched = new WeakMap<MemoryHit, Watchpoint>();
  private count = 0;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** In the order in which they were set. */
  get all(): readonly StopPoint[] {
    return [...this.byId.values()];
  }

  /**
   * Sets a breakpoint, unless the same is set already; returns it.
   * @throws UserError where there can be no instruction, for a hart that the machine lacks, and for too many
   */
  breakAt(place: BreakpointPlace, name: string): Breakpoint {
    checkPlace(this.machine, place);
    const same = breakpointsOf(this.all).find((one) => KEYS.every((key) => one[key] === place[key]));
    return same ?? this.add({ kind: 'breakpoint', ...place, ...this.named(name) });
  }

  /** Sets a watchpoint. @throws UserError when it watches for nothing, and for too many */
  watch(memory: WatchedMemory, name: string): Watchpoint {
    if (!memory.reads && !memory.writes && !memory.changes) {
      throw new UserError('a watchpoint: expected reads, writes or changes to watch for');
    }
    return this.add({ kind: 'watchpoint', ...memory, ...this.named(name) });
  }

  /** Takes one away. @throws UserError when there is none of that number */
  delete(id: number): StopPoint {
    const stop = this.byId.get(id);
    if (!stop) {
      const known = this.all.slice(0, 20).map((one) => one.id);
      const list = known.length === 0 ? 'none is set' : `set are ${known.join(', ')}`;
      throw new UserError(`there is no breakpoint or watchpoint ${id}: ${list}`);
    }
    this.byId.delete(id);
    return stop;
  }

  /** Which one a hit is of; the first, when several are. */
  of(hit: StopHit): StopPoint | undefined {
    if (hit.kind !== 'breakpoint') return this.watched.get(hit);
    return breakpointsOf(this.all).find((one) => stopsAt(one, hit));
  }

  /** Sees what those of a kind stop at; of all kinds, unless one is given. */
  observer(kind?: StopPoint['kind']): Observer<StopHit> {
    const wanted = this.all.filter((one) => kind === undefined || one.kind === kind);
    const watches = wanted.flatMap((one) => (one.kind === 'watchpoint' ? [this.watcher(one)] : []));
    return anyOf<StopHit>([executionsAt(breakpointsOf(wanted)), ...watches]);
  }

  private watcher(one: Watchpoint): Observer<MemoryHit> {
    const { accessed, stopped, ...rest } = memoryObserver(one);
    const mine = (hit: MemoryHit | undefined) => {
      if (hit) this.watched.set(hit, one);
      return hit;
    };
    return {
      ...rest,
      ...(accessed && { accessed: (access) => mine(accessed(access)) }),
      ...(stopped && { stopped: (stop, machine) => mine(stopped(stop, machine)) }),
    };
  }

  private named(name: string): Named {
    if (this.byId.size >= MAX_STOPS) throw new UserError(`there is room for ${MAX_STOPS} breakpoints and watchpoints`);
    return { id: ++this.count, name };
  }

  private add<S extends StopPoint>(stop: S): S {
    this.byId.set(stop.id, stop);
    return stop;
  }
}

const KEYS = ['paddr', 'pc', 'mode', 'vmid', 'hart'] as const;

const breakpointsOf = (stops: readonly StopPoint[]): Breakpoint[] =>
  stops.flatMap((one) => (one.kind === 'breakpoint' ? [one] : []));

/** @throws UserError where there can be no instruction, and for a hart that the machine lacks */
export function checkPlace(machine: Machine, { paddr, pc, hart }: BreakpointPlace): void {
  const at = paddr ?? pc;
  if (paddr !== undefined ? !canBreakAt(machine, paddr) : pc === undefined || pc % 2n !== 0n) {
    const where = paddr === undefined ? 'an even address' : 'an even address in RAM';
    throw new UserError(
      `a breakpoint at ${at === undefined ? 'no address' : `0x${at.toString(16)}`}: expected ${where}`,
    );
  }
  if (hart !== undefined && hart >= machine.config.harts) {
    throw new UserError(`no hart ${hart}: this machine has harts 0 to ${machine.config.harts - 1}`);
  }
}

/** Sees each execution of the instructions at some places. */
export function executionsAt(places: readonly BreakpointPlace[]): Observer<BreakpointHit> {
  return breakpointObserver(
    [...new Set(places.flatMap(({ paddr }) => paddr ?? []))],
    (hit) => places.some((one) => stopsAt(one, hit)),
    [...new Set(places.flatMap(({ paddr, pc }) => (paddr === undefined && pc !== undefined ? [pc] : [])))],
  );
}

function stopsAt(one: BreakpointPlace, { paddr, pc, mode, vmid, hart }: BreakpointHit): boolean {
  if (one.paddr !== undefined && one.paddr !== paddr) return false;
  if (one.pc !== undefined && one.pc !== pc) return false;
  if (one.mode !== undefined && one.mode !== mode) return false;
  if (one.hart !== undefined && one.hart !== hart) return false;
  return one.vmid === undefined || (one.vmid === vmid && (mode === 'VS' || mode === 'VU'));
}
