/**
 * When VMs leave V=1 and come back: privilege transitions, observed while a run is executed.
 * Relies on hgatp.VMID naming the VM at both crossings, as the H extension has it. Does not tell the vCPUs of one VM
 * apart: of a VM with several, the last exit and the first entry of any of them are taken.
 */
import { insideVm, type MachineEvent } from '../../engine/index.ts';
import type { Position } from '../base/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';

/** A transition between a VM and the hypervisor or firmware. */
export interface Crossing extends Position {
  readonly kind: 'exit' | 'entry';
  readonly vmid: number;
  readonly hart: number;
  /** Exits: the guest's pc at the trap. Entries: where the guest goes on. */
  readonly pc: bigint;
  /** The guest's mode before an exit or after an entry. */
  readonly mode: 'VS' | 'VU';
  /** Why it left; undefined for entries. */
  readonly trap?: { readonly cause: number; readonly interrupt: boolean };
}

/** The crossing that a transition is; undefined for one that does not leave or enter a VM. */
export function crossingOf(event: MachineEvent): Crossing | undefined {
  if (event.kind !== 'transition' || insideVm(event.from) === insideVm(event.to)) return undefined;
  const { moment, ticks, hart, pc, vmid, trap } = event;
  const why = trap && { trap: { cause: trap.cause, interrupt: trap.interrupt } };
  const kind = insideVm(event.to) ? 'entry' : 'exit';
  const mode = (kind === 'entry' ? event.to : event.from) === 'VU' ? 'VU' : 'VS';
  return { kind, moment, ticks, hart, pc, vmid, mode, ...why };
}

/** Around a recovery: the last exit before the VM's first entry after it. */
export interface VmCrossings {
  readonly exit?: Crossing;
  readonly entry?: Crossing;
}

/** Around one recovery, per VMID. `resumed` undefined: no entry counts. */
export function crossingsAround(
  crossings: readonly Crossing[],
  resumed: Position | undefined,
): Map<number, VmCrossings> {
  const found = new Map<number, { exit?: Crossing; entry?: Crossing }>();
  for (const crossing of crossings) {
    let known = found.get(crossing.vmid);
    if (!known) found.set(crossing.vmid, (known = {}));
    if (known.entry) continue;
    if (crossing.kind === 'exit') known.exit = crossing;
    else if (resumed && crossing.ticks > resumed.ticks) known.entry = crossing;
  }
  return found;
}

/** How often progress is reported, in instructions. */
const CHUNK = 1_000_000;

type ObservedRun = Pick<TraceTimeline, 'machine' | 'toTicks' | 'forwardToMoment' | 'first' | 'last'>;

/**
 * Around each recovery that resumed its VMs, in order: what `crossingsAround` says; a VM that was not entered between
 * two of them belongs to the later one alone. Without `resumptions`: the last exits of the run. Executes the run once,
 * until every VM seen has been entered after the last of them.
 */
export function findCrossings(
  run: ObservedRun,
  resumptions: readonly Position[],
  onProgress?: (moment: number) => void,
): Map<number, VmCrossings>[] {
  const around = Array.from({ length: Math.max(1, resumptions.length) }, () => new Map<number, VmCrossings>());
  const last = around.at(-1)!;
  const exits = new Map<number, Crossing | undefined>();
  observeCrossings(run, run.first, onProgress, (crossing) => {
    const { vmid } = crossing;
    const n = resumptions.findLastIndex(({ ticks }) => ticks < crossing.ticks);
    if (crossing.kind === 'exit') exits.set(vmid, crossing);
    else if (!exits.has(vmid)) exits.set(vmid, undefined);
    const exit = exits.get(vmid);
    const entry = around[n]?.get(vmid)?.entry;
    if (crossing.kind === 'entry' && n >= 0 && !entry) around[n]!.set(vmid, { ...(exit && { exit }), entry: crossing });
    return n === resumptions.length - 1 && n >= 0 && [...exits.keys()].every((vm) => last.get(vm)?.entry);
  });
  for (const [vmid, exit] of exits) if (!last.has(vmid)) last.set(vmid, { ...(exit && { exit }) });
  return around;
}

/** The first entry of a VM after a position; undefined when the run ends before. */
export function nextEntry(run: ObservedRun, vmid: number, after: Position): Crossing | undefined {
  let entry: Crossing | undefined;
  observeCrossings(run, after, undefined, (crossing) => {
    if (crossing.vmid === vmid && crossing.kind === 'entry' && crossing.ticks > after.ticks) entry ??= crossing;
    return entry !== undefined;
  });
  return entry;
}

/** Runs from a position to the end of the trace, or until `see` says that it has seen enough. */
function observeCrossings(
  run: ObservedRun,
  from: Position,
  onProgress: ((moment: number) => void) | undefined,
  see: (crossing: Crossing) => boolean,
): void {
  run.toTicks(from.ticks, 'pending');
  let enough = false;
  run.machine.onEvent = (event) => {
    const crossing = crossingOf(event);
    if (crossing && see(crossing)) enough = true;
  };
  try {
    const last = run.last.moment;
    for (let moment = from.moment; !enough && moment < last; ) {
      moment = Math.min(moment + CHUNK, last);
      run.forwardToMoment(moment);
      onProgress?.(moment);
    }
  } finally {
    run.machine.onEvent = undefined;
  }
}
