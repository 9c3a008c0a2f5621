/**
 * Finds when VMs leave V=1 and come back, by observing privilege transitions while a trace is re-executed.
 * Relies on hgatp.VMID naming the VM at both crossings, as the H extension has it. Does not tell the vCPUs of one VM
 * apart: of a VM with several, the last exit and the first entry of any of them are taken.
 */
import { insideVm, type MachineEvent } from '../engine/index.ts';
import type { Rerun } from './reexecute.ts';
import type { Position } from './types.ts';

/** A transition between a VM and the hypervisor or firmware. */
export interface Crossing extends Position {
  readonly hart: number;
  /** Exits: the guest's pc at the trap. Entries: where the guest goes on. */
  readonly pc: bigint;
  /** The guest's mode before an exit or after an entry. */
  readonly mode: 'VS' | 'VU';
  /** Why it left; undefined for entries. */
  readonly trap?: { readonly cause: number; readonly interrupt: boolean };
}

/** Around a recovery: the last exit before the VM's first entry after it. */
export interface VmCrossings {
  readonly exit?: Crossing;
  readonly entry?: Crossing;
}

/** How often progress is reported, in instructions. */
const CHUNK = 1_000_000;

/**
 * Re-executes from the start, until every VM seen has been entered after `resumed` or the trace ends. Without
 * `resumed` no entry counts: the last exits of the run.
 */
export function findCrossings(
  run: Rerun,
  resumed: Position | undefined,
  onProgress?: (moment: number) => void,
): Map<number, VmCrossings> {
  const found = new Map<number, VmCrossings>();
  observe(run, { moment: 0, ticks: 0 }, onProgress, ({ vmid, kind, crossing }) => {
    const known = found.get(vmid) ?? {};
    if (known.entry) return false;
    if (kind === 'exit') found.set(vmid, { ...known, exit: crossing });
    else if (resumed && crossing.ticks > resumed.ticks) found.set(vmid, { ...known, entry: crossing });
    else if (!found.has(vmid)) found.set(vmid, known);
    return resumed !== undefined && crossing.ticks > resumed.ticks && [...found.values()].every(({ entry }) => entry);
  });
  return found;
}

/** The first entry of a VM after a position; undefined when the run ends before. */
export function nextEntry(run: Rerun, vmid: number, after: Position): Crossing | undefined {
  let entry: Crossing | undefined;
  observe(run, after, undefined, (seen) => {
    if (!entry && seen.vmid === vmid && seen.kind === 'entry' && seen.crossing.ticks > after.ticks)
      entry = seen.crossing;
    return entry !== undefined;
  });
  return entry;
}

interface Seen {
  readonly vmid: number;
  readonly kind: 'exit' | 'entry';
  readonly crossing: Crossing;
}

/** Runs from a position to the end of the trace, or until `see` says that it has seen enough. */
function observe(
  run: Rerun,
  from: Position,
  onProgress: ((moment: number) => void) | undefined,
  see: (seen: Seen) => boolean,
): void {
  run.toTicks(from.ticks, 'pending');
  let enough = false;
  run.machine.onEvent = (event) => {
    const seen = crossingOf(event);
    if (seen && see(seen)) enough = true;
  };
  try {
    const last = run.trace.last.moment;
    for (let moment = from.moment; !enough && moment < last; ) {
      moment = Math.min(moment + CHUNK, last);
      run.forwardTo(moment);
      onProgress?.(moment);
    }
  } finally {
    run.machine.onEvent = undefined;
  }
}

function crossingOf(event: MachineEvent): Seen | undefined {
  if (event.kind !== 'transition' || insideVm(event.from) === insideVm(event.to)) return undefined;
  const { moment, ticks, hart, pc, vmid, trap } = event;
  const why = trap && { trap: { cause: trap.cause, interrupt: trap.interrupt } };
  const kind = insideVm(event.to) ? 'entry' : 'exit';
  const mode = (kind === 'entry' ? event.to : event.from) === 'VU' ? 'VU' : 'VS';
  return { vmid, kind, crossing: { moment, ticks, hart, pc, mode, ...why } };
}
