/**
 * Harts in a trap loop: they take one exception again and again and get nothing else done, because their handler traps
 * itself, or returns to an instruction that it has not helped. Finds out by running the machine on and putting it back.
 * Does not see loops of several exceptions, nor those of harts whose turn does not come for MOST_TICKS.
 */

import { type Machine, type MachineEvent, type Mode, STUCK_CODE } from '../machine/index.ts';

export interface TrapLoop {
  readonly hart: number;
  /** Mode that traps, and the one that takes the trap. */
  readonly from: Mode;
  readonly to: Mode;
  /** hgatp.VMID: the VM, where `from` is VS or VU. */
  readonly vmid: number;
  /** Number of the exception, as in xcause. */
  readonly cause: number;
  readonly pc: bigint;
  readonly tval: bigint;
}

/** Stretches in each of which a hart must do nothing else, behind a first one that finds candidates. */
const STRETCHES = 5;
/** Ticks of a stretch: several turns of each hart, but not without bound. */
const LEAST_TICKS = 1 << 16;
const MOST_TICKS = 1 << 21;
/** Of so many traps one may look as if the hart had got further: another hart's turn came between return and trap. */
const EXCUSED = 4;

/** The harts that are in a trap loop where the machine stands. The machine is left as it was found. */
export function trapLoops(machine: Machine): TrapLoop[] {
  const { onEvent, observed } = machine;
  const start = machine.snapshot();
  const watch = new Watch();
  machine.observed = { transitions: 'all', accesses: false, csrWrites: false };
  machine.onEvent = (event) => watch.see(event);
  try {
    return find(machine, watch);
  } finally {
    machine.onEvent = onEvent;
    machine.observed = observed;
    machine.restore(start);
  }
}

function find(machine: Machine, watch: Watch): TrapLoop[] {
  const { harts, quantum } = machine.config;
  const work = Math.min(Math.max(LEAST_TICKS, 3 * harts * quantum.ticks), MOST_TICKS);
  for (let n = 0; n <= STRETCHES; n++) {
    const stop = machine.run({ work });
    if (stop.kind === 'halted') return stop.status === 'fail' && stop.code === STUCK_CODE ? loopsOfStuck(machine) : [];
    if (stop.kind === 'idle' || watch.endStretch().length === 0) return [];
  }
  return watch.loops;
}

/** What happened to one level (M, HS, VS) of one hart in this stretch. */
interface Level {
  /** The last exception that it took. */
  readonly last: TrapLoop;
  /** How often it came again, and how often the hart had got further meanwhile. */
  again: number;
  gotFurther: number;
  /** Moment of the last return from the level since then. */
  returned: number | undefined;
}

class Watch {
  /** The loops of all stretches that have ended. */
  loops: TrapLoop[] = [];
  private levels = new Map<string, Level>();
  private isFirst = true;

  see(event: MachineEvent): void {
    if (event.kind !== 'transition') return;
    const { hart, from, to, trap, moment, pc, vmid } = event;
    if (!trap) {
      const level = this.levels.get(`${hart} ${from}`);
      if (level) level.returned = moment;
    } else if (!trap.interrupt) this.take({ hart, from, to, vmid, cause: trap.cause, pc, tval: trap.tval }, moment);
  }

  private take(trap: TrapLoop, moment: number): void {
    const key = `${trap.hart} ${trap.to}`;
    const level = this.levels.get(key);
    if (level && isSame(level.last, trap)) {
      level.again++;
      if (level.returned !== undefined && level.returned < moment) level.gotFurther++;
      level.returned = undefined;
    } else if (this.isFirst) this.levels.set(key, begun(trap));
    else this.levels.delete(key);
  }

  /** Goes on with what was a loop until here. */
  endStretch(): readonly TrapLoop[] {
    const loops = this.levels.entries().filter(([, its]) => its.again >= 2 && its.gotFurther * EXCUSED <= its.again);
    this.levels = new Map(loops.map(([key, { last }]) => [key, begun(last)]));
    this.isFirst = false;
    this.loops = this.levels
      .values()
      .map(({ last }) => last)
      .toArray();
    return this.loops;
  }
}

const begun = (last: TrapLoop): Level => ({ last, again: 0, gotFurther: 0, returned: undefined });

const isSame = (a: TrapLoop, b: TrapLoop): boolean =>
  a.pc === b.pc && a.cause === b.cause && a.tval === b.tval && a.from === b.from && a.vmid === b.vmid;

/** A machine that stopped because nothing but traps happened: each hart that does not wait is in a loop of its mode. */
function loopsOfStuck(machine: Machine): TrapLoop[] {
  return Array.from({ length: machine.config.harts }, (_, hart) => ({ hart, ...machine.hart(hart) }))
    .filter(({ waiting }) => !waiting)
    .map(({ hart, mode, vmid }) => {
      const csr = (name: string) => machine.csr(hart, trapCsr(mode, name));
      return { hart, from: mode, to: mode, vmid, cause: Number(csr('cause')), pc: csr('epc'), tval: csr('tval') };
    });
}

/** `mcause`, `scause` or `vscause` for `cause`: the register of the mode that takes a trap. */
export const trapCsr = (to: Mode, name: string): string => `${to === 'M' ? 'm' : to === 'VS' ? 'vs' : 's'}${name}`;
