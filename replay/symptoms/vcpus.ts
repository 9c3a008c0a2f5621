/**
 * vCPUs that the golden run enters again, or leaves, and the failed one does not. Executes both runs once and observes
 * who enters and leaves VMs. vCPUs are matched by what hgatp and sscratch say, and where one stands by how often it has
 * been left and how much it has done inside, for time passes differently in two runs.
 * Relies on sscratch for telling vCPUs apart; of a VM for which it does not, all vCPUs together are looked at.
 */
import { exceptionName, interruptName, type MachineEvent } from '../../engine/index.ts';
import { endReason } from '../base/index.ts';
import { ByVcpu, type Crossing, crossingOf, hasFinished } from '../equivalence/index.ts';
import { observe, type Slices, type Spent } from '../search/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { coverOf, delayOf, type Known } from './cover.ts';
import type { StuckSymptom, SymptomPlace } from './types.ts';

type Transition = Extract<MachineEvent, { kind: 'transition' }>;

/** What one vCPU, or all of a VM together, has done. */
interface Track {
  readonly vmid: number;
  readonly vcpu: bigint | undefined;
  entries: number;
  exits: number;
  /** Ticks inside: instructions, and traps that do not leave the VM. */
  done: number;
  /** Where each hart that is inside came in: what it had worked by then. */
  readonly inside: Map<number, number>;
  last: Crossing | undefined;
  /** The longest time outside before an entry, and inside before an exit. */
  longest: { entry: number; exit: number };
}

/** Of the golden run, how it goes on where the failed one stopped. */
interface Matched extends Track {
  /** What it does next if it has come to the same place by the same number of crossings. */
  byCount?: Next;
  isSameByCount?: boolean;
  /** What it does next after a like exit, or at all, once it has done as much inside. */
  byExit?: Next;
  byWork?: Next;
  likeExit?: boolean;
  /** It has been left at the same instruction for the same cause, whenever. */
  isKnownExit?: boolean;
}

interface Next {
  readonly crossing: Crossing;
  readonly entries: number;
}

/** What the vCPUs of both runs do. */
export interface Vcpus {
  readonly a: ByVcpu<Track>;
  readonly g: ByVcpu<Matched>;
}

/** Executes both runs from beginning to end. @throws TraceError when one of them leaves its recording */
export function* observeVcpus(a: TraceTimeline, g: TraceTimeline, spent: Spent): Slices<Vcpus> {
  const ofA = new ByVcpu<Track>(newTrack);
  yield* follow(a, spent, (crossing, event) => {
    for (const track of ofA.of(crossing.vmid, event.context)) cross(track, crossing, event.work);
  });
  const ofG = new ByVcpu<Matched>(newTrack);
  yield* follow(g, spent, (crossing, event) => {
    for (const track of ofG.of(crossing.vmid, event.context)) {
      match(track, ofA.at(track.vmid, track.vcpu), crossing);
      cross(track, crossing, event.work);
      matchExit(track, ofA.at(track.vmid, track.vcpu), crossing);
    }
  });
  return { a: ofA, g: ofG };
}

/** All vCPUs that are stuck, in no order. `a`: the failed run. */
export function stuckVcpus({ a: ofA, g: ofG }: Vcpus, a: Known): StuckSymptom[] {
  return [...ofG.vms()].flatMap((vmid) => {
    const hasEnded = hasFinished(a.trace.notes, vmid, a.trace.last);
    const vcpus = ofG.vcpusOf(vmid);
    const isTold = vcpus && ofA.vcpusOf(vmid)?.every(({ vcpu }) => ofG.at(vmid, vcpu!));
    const tracks = isTold ? vcpus : [ofG.at(vmid, undefined)!];
    return tracks.flatMap((track) => stuck(a, ofA.at(vmid, track.vcpu), track, hasEnded) ?? []);
  });
}

/** Executes a run from its beginning to its end and hands over who enters and leaves VMs. */
function* follow(run: TraceTimeline, spent: Spent, see: (crossing: Crossing, event: Transition) => void): Slices<void> {
  run.toTicks(run.first.ticks, 'applied');
  const seen = (event: MachineEvent): undefined => {
    const crossing = crossingOf(event);
    if (crossing && event.kind === 'transition') see(crossing, event);
  };
  yield* observe(run, { ticks: run.last.ticks, here: 'applied' }, { transitions: 'vm', seen }, () => false, spent);
}

const newTrack = (vmid: number, vcpu: bigint | undefined): Track => ({
  vmid,
  vcpu,
  entries: 0,
  exits: 0,
  done: 0,
  inside: new Map(),
  last: undefined,
  longest: { entry: 0, exit: 0 },
});

function cross(track: Track, crossing: Crossing, work: number): void {
  const { kind, hart, ticks, trap } = crossing;
  if (track.last) track.longest[kind] = Math.max(track.longest[kind], ticks - track.last.ticks);
  if (kind === 'entry') {
    track.entries++;
    track.inside.set(hart, work);
  } else {
    track.exits++;
    const before = track.inside.get(hart);
    // The trap that leaves takes a tick of its own.
    if (before !== undefined) track.done += Math.max(0, work - before - (trap ? 1 : 0));
    track.inside.delete(hart);
  }
  track.last = crossing;
}

/** Before a crossing of the golden run counts: whether it is the next one of a vCPU that stopped in the other run. */
function match(track: Matched, other: Track | undefined, crossing: Crossing): void {
  const stopped = other?.last?.kind;
  const isNext = crossing.kind === (stopped === 'entry' ? 'exit' : 'entry');
  if (!isNext) return;
  const next = { crossing, entries: track.entries };
  if (track.entries === (other?.entries ?? 0) && track.exits === (other?.exits ?? 0)) track.byCount ??= next;
  if (!other || track.done < other.done) return;
  track.byWork ??= next;
  if (track.likeExit) track.byExit ??= next;
}

/** After a crossing of the golden run counts: whether it stands where the vCPU stopped in the other run. */
function matchExit(track: Matched, other: Track | undefined, crossing: Crossing): void {
  const last = other?.last;
  if (last?.kind !== 'exit' || crossing.kind !== 'exit') return;
  const { trap } = last;
  const isKnown =
    crossing.pc === last.pc && crossing.trap?.cause === trap?.cause && crossing.trap?.interrupt === trap?.interrupt;
  if (isKnown) track.isKnownExit = true;
  const isLike = isKnown && track.done === other!.done;
  if (isLike) track.likeExit = true;
  if (isLike && track.exits === other!.exits && track.entries === other!.entries) track.isSameByCount = true;
}

/**
 * The symptom, if it is one: the golden run goes on with the vCPU and gets something done. `hasEnded`: its VM is said
 * to have finished, which may be since it was given up.
 */
function stuck(a: Known, other: Track | undefined, track: Matched, hasEnded: boolean): StuckSymptom | undefined {
  const { vmid, vcpu } = track;
  const last = other?.last;
  const next = nextOf(track, last, hasEnded);
  // What is done in a stay that the recording does not see the end of is not known.
  const getsOn = track.done > (other?.done ?? 0) || track.inside.size > 0;
  if (!next || !getsOn || !(hasEnded || isLate(a, last, track, next.crossing))) return undefined;
  const { trap } = last ?? {};
  const name = trap && (trap.interrupt ? interruptName(trap.cause) : exceptionName(trap.cause));
  return {
    kind: 'stuck',
    vmid,
    ...(vcpu !== undefined && { vcpu }),
    where: last?.kind === 'entry' ? 'inside' : 'outside',
    isGivenUp: hasEnded,
    ...(last && { at: before(last) }),
    ...(trap && { cause: { number: trap.cause, interrupt: trap.interrupt, name: name! } }),
    entries: { a: other?.entries ?? 0, g: next.entries },
    golden: before(next.crossing),
  };
}

/** How the golden run goes on with a vCPU that has come as far as it has in the other run. */
function nextOf(track: Matched, last: Crossing | undefined, hasEnded: boolean): Next | undefined {
  const { byCount, byExit, byWork, isSameByCount, isKnownExit } = track;
  if (last?.kind !== 'exit' || isSameByCount) return byCount;
  // A VM that has finished ends with the exit that the golden run has, too; one that is given up with one of its own.
  const isOwn = !isKnownExit && last.trap?.interrupt === false;
  return byExit ?? (hasEnded && !isOwn ? undefined : byWork);
}

const IDLE = endReason({ kind: 'idle' });

/** Whether a run has gone on for longer than the golden run ever takes to the next crossing. */
function isLate(a: Known, last: Crossing | undefined, { longest }: Track, next: Crossing): boolean {
  // A machine that idles would do so for ever.
  const end = a.ended === IDLE ? coverOf(a) : a.trace.last.ticks;
  return last ? end - last.ticks > longest[next.kind] : end > next.ticks + delayOf(a);
}

/** Crossings stand behind what happened, which took one tick; a return has retired in it. */
function before({ moment, ticks, hart, pc, mode, vmid, trap }: Crossing): SymptomPlace {
  const position = { moment: trap ? moment : moment - 1, ticks: ticks - 1, hart, vmid };
  // A crossing names the guest's pc and mode: of an entry those that follow.
  return trap ? { ...position, pc, mode } : position;
}
