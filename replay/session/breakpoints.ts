/**
 * A person's breakpoints: any number, each with a number that stays its own. Where one stops is a physical address, so
 * that it holds in every address space; an address as software uses it, a mode, a VM and a hart can narrow it down.
 */
import { type Machine, type Mode, UserError } from '../../engine/index.ts';
import { type BreakpointHit, breakpointObserver, canBreakAt, type Observer } from '../search/index.ts';

/** Where a breakpoint stops. */
export interface BreakpointPlace {
  readonly paddr: number;
  /** Only when the instruction is reached by this address. */
  readonly pc?: bigint;
  readonly mode?: Mode;
  /** Only in this VM: a hart in VS- or VU-mode with this hgatp.VMID. */
  readonly vmid?: number;
  readonly hart?: number;
}

export interface Breakpoint extends BreakpointPlace {
  /** From 1 on; never given twice. */
  readonly id: number;
  /** What the person called it: an address, or a symbol. */
  readonly name: string;
}

/** More are refused: nobody looks through them, and the machine has room for not many more. */
const MAX_BREAKPOINTS = 10_000;

export class Breakpoints {
  private readonly machine: Machine;
  private readonly byId = new Map<number, Breakpoint>();
  private count = 0;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** In the order in which they were set. */
  get all(): readonly Breakpoint[] {
    return [...this.byId.values()];
  }

  /**
   * Sets one. Of what is there already, only the name counts: it is not set twice.
   * @throws UserError where there can be no instruction, for a hart that the machine lacks, and for too many
   */
  add(place: BreakpointPlace, name: string): Breakpoint {
    const { machine } = this;
    const { paddr, hart } = place;
    if (!canBreakAt(machine, paddr)) {
      throw new UserError(`a breakpoint at 0x${paddr.toString(16)}: expected an even address in RAM`);
    }
    if (hart !== undefined && hart >= machine.config.harts) {
      throw new UserError(`no hart ${hart}: this machine has harts 0 to ${machine.config.harts - 1}`);
    }
    const same = this.all.find((one) => KEYS.every((key) => one[key] === place[key]));
    if (same) return same;
    if (this.byId.size >= MAX_BREAKPOINTS) throw new UserError(`there is room for ${MAX_BREAKPOINTS} breakpoints`);
    const breakpoint = { ...place, id: ++this.count, name };
    this.byId.set(breakpoint.id, breakpoint);
    return breakpoint;
  }

  /** Takes one away. @throws UserError when there is none of that number */
  delete(id: number): Breakpoint {
    const breakpoint = this.byId.get(id);
    if (!breakpoint) {
      const known = this.all.map((one) => one.id);
      const list = known.length === 0 ? 'none is set' : `set are ${known.slice(0, 20).join(', ')}`;
      throw new UserError(`there is no breakpoint ${id}: ${list}`);
    }
    this.byId.delete(id);
    return breakpoint;
  }

  /** The first one that stops where a hart stands. */
  at(hit: BreakpointHit): Breakpoint | undefined {
    return this.all.find((one) => stopsAt(one, hit));
  }

  /** Sees what any of them stops at. */
  observer(): Observer<BreakpointHit> {
    const paddrs = [...new Set(this.all.map(({ paddr }) => paddr))];
    return breakpointObserver(paddrs, (hit) => this.at(hit) !== undefined);
  }
}

const KEYS = ['paddr', 'pc', 'mode', 'vmid', 'hart'] as const;

function stopsAt(one: BreakpointPlace, { paddr, pc, mode, vmid, hart }: BreakpointHit): boolean {
  if (one.paddr !== paddr) return false;
  if (one.pc !== undefined && one.pc !== pc) return false;
  if (one.mode !== undefined && one.mode !== mode) return false;
  if (one.hart !== undefined && one.hart !== hart) return false;
  return one.vmid === undefined || (one.vmid === vmid && (mode === 'VS' || mode === 'VU'));
}
