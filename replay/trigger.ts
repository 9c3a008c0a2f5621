/**
 * Finds the k-th instruction executed in HS-mode, exactly and without walking every instruction of the guests: leaps
 * over stretches in which no hart can have been in HS-mode, and goes tick by tick through the others.
 * Relies on snapshots (the search runs ahead and comes back) and on observed privilege transitions. Nobody else sees
 * what the search runs through: the machine's observer is away meanwhile.
 */
import type { Machine, MachineEvent, Moment, Snapshot, Ticks } from '../engine/index.ts';

export interface HypervisorSearch {
  /** Virtual time right before the k-th instruction; undefined when it lies beyond `until`. */
  readonly ticks: Ticks | undefined;
  /** HS-mode instructions that retire between here and there (or `until`). */
  readonly executed: number;
}

/** Ticks of a leap. A leap costs a snapshot, and the instructions of the last one are run twice. */
const LEAP_TICKS = 65_536;

/**
 * Looks for the k-th (1 = the first from here) HS-mode instruction to retire on any hart before moment `until`. The
 * machine and its observer are left as they were.
 */
export function findHypervisorInstruction(machine: Machine, k: number, until: Moment): HypervisorSearch {
  const start = machine.snapshot();
  const observer = machine.onEvent;
  machine.onEvent = undefined;
  try {
    return search(machine, k, until);
  } finally {
    machine.restore(start);
    machine.onEvent = observer;
  }
}

function search(machine: Machine, k: number, until: Moment): HypervisorSearch {
  let executed = 0;
  let leap = LEAP_TICKS;
  while (machine.moment < until) {
    if (leap > 1 && !hypervisorRuns(machine)) {
      const outcome = tryLeap(machine, leap, until);
      if (outcome === 'stopped') break;
      leap = outcome === 'clean' ? LEAP_TICKS : outcome;
      continue;
    }
    leap = LEAP_TICKS;
    const { moment, ticks } = machine;
    const isHypervisor = machine.hart(machine.next().hart).mode === 'HS';
    const stop = machine.run({ ticks: ticks + 1 });
    // A tick without a retired instruction was a trap or idle time.
    if (isHypervisor && machine.moment > moment && ++executed === k) return { ticks, executed: k - 1 };
    if (stop.kind === 'halted' || stop.kind === 'idle') break;
  }
  return { ticks: undefined, executed };
}

/** True when a hart that does not wait is in HS-mode. */
function hypervisorRuns(machine: Machine): boolean {
  for (let n = 0; n < machine.config.harts; n++) {
    const { mode, waiting } = machine.hart(n);
    if (mode === 'HS' && !waiting) return true;
  }
  return false;
}

/**
 * Leaps ahead while no hart runs in HS-mode. `clean`: none did on the way. A number: some may have; the machine is back
 * where it was, and a leap of so many ticks is worth trying.
 */
function tryLeap(machine: Machine, leap: number, until: Moment): 'clean' | 'stopped' | number {
  const base: Snapshot = machine.snapshot();
  const before = instructionsOfEach(machine);
  let entered: Ticks | undefined;
  const stops: Array<() => boolean> = [];
  // A hart that waits in HS-mode goes on there without any transition.
  for (let n = 0; n < machine.config.harts; n++) {
    if (machine.hart(n).mode === 'HS') stops.push(() => machine.hart(n).instret === before[n]);
  }
  machine.onEvent = (event: MachineEvent) => {
    if (event.kind === 'transition' && event.to === 'HS') entered ??= event.ticks;
  };
  const stop = machine.run({ moment: until, ticks: machine.ticks + leap });
  machine.onEvent = undefined;
  if (entered === undefined && stops.every((asleep) => asleep())) {
    return stop.kind === 'halted' || stop.kind === 'idle' ? 'stopped' : 'clean';
  }
  machine.restore(base);
  return Math.max(1, entered === undefined ? leap >> 1 : Math.min(leap >> 1, entered - base.ticks - 1));
}

const instructionsOfEach = (machine: Machine): bigint[] =>
  Array.from({ length: machine.config.harts }, (_, n) => machine.hart(n).instret);
