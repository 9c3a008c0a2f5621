/**
 * A machine that remembers which memory was read through it, page tables on the way included: what an answer depends
 * on. Writes and runs pass to the machine as they are.
 */
import { isRam, type Machine, type Watch } from '../../engine/index.ts';

const ENTRY_BYTES = 8;

export class Reading {
  readonly machine: Machine;
  private readonly ranges: { from: number; to: number }[] = [];

  constructor(machine: Machine) {
    const read = (paddr: number, bytes: number) => {
      if (bytes > 0) this.ranges.push({ from: paddr, to: paddr + bytes });
      return machine.readPhysical(paddr, bytes);
    };
    const translate: Machine['translate'] = (hart, va, access = 'load') => {
      const { steps, paddr } = machine.explainTranslation(hart, va, access);
      for (const step of steps) this.add(Number(step.paddr), ENTRY_BYTES, machine);
      return paddr === undefined ? undefined : Number(paddr);
    };
    const own: Partial<Machine> = { readPhysical: read, translate };
    this.machine = new Proxy(machine, {
      get: (target, key) => {
        const value = own[key as keyof Machine] ?? Reflect.get(target, key, target);
        // Private fields are the machine's, and not the proxy's.
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  /** What was read, as ranges that do not touch each other; a write to any stops the machine. */
  watches(): Watch[] {
    const merged: { from: number; to: number }[] = [];
    for (const { from, to } of this.ranges.sort((a, b) => a.from - b.from)) {
      const last = merged.at(-1);
      if (last && from <= last.to) last.to = Math.max(last.to, to);
      else merged.push({ from, to });
    }
    return merged.map(({ from, to }) => ({ paddr: from, bytes: to - from, writes: true, stops: true }));
  }

  private add(paddr: number, bytes: number, machine: Machine): void {
    if (isRam(machine, paddr, bytes)) this.ranges.push({ from: paddr, to: paddr + bytes });
  }
}
