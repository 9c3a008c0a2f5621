/**
 * When VMs leave V=1 and come back: privilege transitions, observed while a run is executed.
 * Relies on hgatp.VMID naming the VM at both crossings, as the H extension has it, and on sscratch naming its vCPU.
 */
import { insideVm, type MachineEvent } from '../../engine/index.ts';
import type { Position } from '../base/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { ByVcpu } from './vcpus.ts';

/** A transition between a VM and the hypervisor or firmware. */
export interface Crossing extends Position {
  readonly kind: 'exit' | 'entry';
  readonly vmid: number;
  readonly hart: number;
  /** sscratch: where hypervisors keep the address of the vCPU while it runs. */
  readonly context: bigint;
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
  const { moment, ticks, hart, pc, vmid, context, trap } = event;
  const why = trap && { trap: { cause: trap.cause, interrupt: trap.interrupt } };
  const kind = insideVm(event.to) ? 'entry' : 'exit';
  const mode = (kind === 'entry' ? event.to : event.from) === 'VU' ? 'VU' : 'VS';
  return { kind, moment, ticks, hart, pc, vmid, context, mode, ...why };
}

/** Around a recovery: the last exit before the first entry after it. */
export interface AroundRecovery {
  readonly exit?: Crossing;
  readonly entry?: Crossing;
}

export interface VcpuCrossings extends AroundRecovery {
  /** What sscratch held while it ran. */
  readonly vcpu: bigint;
}

/** Of a VM, whichever of its vCPUs that was, and of each vCPU. */
export interface VmCrossings extends AroundRecovery {
  /** In the order in which they ran first; undefined: sscratch has too many values to name vCPUs. */
  readonly vcpus: readonly VcpuCrossings[] | undefined;
}

/** What has been seen of a vCPU or a VM. */
interface Seen {
  readonly vcpu: bigint | undefined;
  exit?: Crossing;
  /** By recovery. */
  readonly around: Map<number, AroundRecovery>;
}

/** Finds, while a run's crossings are told in order, those around each recovery that resumed its VMs. */
export class Crossings {
  private readonly resumptions: readonly Position[];
  private readonly seen = new ByVcpu<Seen>((_, vcpu) => ({ vcpu, around: new Map() }));
  private readonly inside = new Map<number, bigint>();

  constructor(resumptions: readonly Position[]) {
    this.resumptions = resumptions;
  }

  add(crossing: Crossing): void {
    const { kind, vmid, hart, context } = crossing;
    // Who leaves is who was entered, whatever a fault did to sscratch meanwhile.
    const vcpu = (kind === 'exit' ? this.inside.get(hart) : undefined) ?? context;
    if (kind === 'entry') this.inside.set(hart, context);
    else this.inside.delete(hart);
    const n = kind === 'entry' ? this.resumptions.findLastIndex(({ ticks }) => ticks < crossing.ticks) : -1;
    for (const own of this.seen.of(vmid, vcpu)) {
      const { exit, around } = own;
      if (kind === 'exit') own.exit = crossing;
      else if (n >= 0 && !around.has(n)) around.set(n, { ...(exit && { exit }), entry: crossing });
    }
  }

  /** Whether all vCPUs seen of these VMs, or of all VMs seen, have been entered after the last recovery. */
  areAllEntered(vmids: Iterable<number> = this.seen.vms()): boolean {
    const last = this.resumptions.length - 1;
    return [...vmids].every((vmid) => {
      const whole = this.seen.at(vmid, undefined);
      return whole && [whole, ...(this.seen.vcpusOf(vmid) ?? [])].every(({ around }) => around.has(last));
    });
  }

  /**
   * For each recovery, in order, by VMID. What was not entered between two of them belongs to the later one alone;
   * what was not entered after the last belongs to that with its last exit. Without recoveries: one such map.
   */
  found(): Map<number, VmCrossings>[] {
    const last = Math.max(0, this.resumptions.length - 1);
    return Array.from({ length: last + 1 }, (_, n) => {
      const of = ({ exit, around }: Seen) => around.get(n) ?? (n === last ? { ...(exit && { exit }) } : undefined);
      const vms = new Map<number, VmCrossings>();
      for (const vmid of this.seen.vms()) {
        const whole = of(this.seen.at(vmid, undefined)!);
        const vcpus = this.seen.vcpusOf(vmid)?.flatMap((own) => {
          const found = of(own);
          return found ? [{ vcpu: own.vcpu!, ...found }] : [];
        });
        if (whole) vms.set(vmid, { ...whole, vcpus });
      }
      return vms;
    });
  }
}

/** How often progress is reported, in instructions. */
const CHUNK = 1_000_000;

type ObservedRun = Pick<TraceTimeline, 'machine' | 'toTicks' | 'forwardToMoment' | 'first' | 'last'>;

/**
 * Around each recovery that resumed its VMs, in order. Executes the run once, until every vCPU seen has been entered
 * after the last of them.
 */
export function findCrossings(
  run: ObservedRun,
  resumptions: readonly Position[],
  onProgress?: (moment: number) => void,
): Map<number, VmCrossings>[] {
  const crossings = new Crossings(resumptions);
  observeCrossings(run, run.first, onProgress, (crossing) => {
    crossings.add(crossing);
    return crossing.kind === 'entry' && crossings.areAllEntered();
  });
  return crossings.found();
}

/** The first entry of a VM, or of one vCPU of it, after a position; undefined when the run ends before. */
export function nextEntry(
  run: ObservedRun,
  who: { readonly vmid: number; readonly vcpu: bigint | undefined },
  after: Position,
): Crossing | undefined {
  let entry: Crossing | undefined;
  observeCrossings(run, after, undefined, (crossing) => {
    if (isEntryOf(who, crossing, after)) entry ??= crossing;
    return entry !== undefined;
  });
  return entry;
}

/** Whether a VM, or one vCPU of it, is entered behind a position. */
export function isEntryOf(
  { vmid, vcpu }: { readonly vmid: number; readonly vcpu: bigint | undefined },
  crossing: Crossing,
  after: Position,
): boolean {
  if (crossing.kind !== 'entry' || crossing.vmid !== vmid || crossing.ticks <= after.ticks) return false;
  return vcpu === undefined || crossing.context === vcpu;
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
