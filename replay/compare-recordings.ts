/**
 * Whether two recordings are of one run: compares state digests, VMs' memory, console bytes, notes, and the end, record
 * by record with exact positions, and says where the first difference lies. Nothing is executed. `diff` is for two
 * different runs and what differs in them; this is for one run that was recorded twice.
 */
import type { Trace, TraceEnd, TraceNote, TraceVmDigest } from '../traces/index.ts';
import type { Position } from './types.ts';

/** What a recording holds of a run. */
export type Stream = 'state' | 'VM memory' | 'console' | 'notes' | 'end';

export interface StreamComparison {
  readonly stream: Stream;
  /** Records that are equal in both, before the first difference. */
  readonly equal: number;
  readonly difference?: StreamDifference;
  /** Why a difference of this stream says nothing about the run. */
  readonly incomparable?: string;
}

export interface StreamDifference {
  /** The sooner of the two records that differ. */
  readonly differsAt: Position;
  /** The records for people; `nothing` where a recording has none. */
  readonly a: string;
  readonly b: string;
}

export interface RecordingComparison {
  readonly equal: boolean;
  readonly streams: readonly StreamComparison[];
  /** The soonest difference, and the last position before it at which everything is equal; absent when there is none. */
  readonly parting?: StreamDifference & { readonly stream: Stream; readonly agreedAt: Position };
}

/** Compares two recordings of one run, as far as both go. */
export function compareRecordings(a: Trace, b: Trace): RecordingComparison {
  const covered = { a: coverOf(a), b: coverOf(b) };
  const [vmsOfA, vmsOfB] = commonVmDigests(a, b);
  const compared = [
    compareStates(a, b),
    inStep('VM memory', vmsOfA, vmsOfB, ({ vmid, digest }) => `VM ${vmid} ${hex(digest)}`, covered),
    inStep('console', a.console, b.console, ({ byte }) => `byte ${hex(byte)}`, covered),
    inStep('notes', a.notes, b.notes, noteText, covered),
    compareEnds(a, b),
  ];
  const streams = compared.map(({ agreed: _, ...comparison }) => comparison);
  const differing = compared.filter((it): it is Differing => it.difference !== undefined && !it.incomparable);
  const first = differing.sort((x, y) => x.difference.differsAt.ticks - y.difference.differsAt.ticks)[0];
  if (!first) return { equal: true, streams };
  const { stream, difference } = first;
  const agreedAt = lastAgreement(compared, difference.differsAt);
  return { equal: false, streams, parting: { stream, ...difference, agreedAt } };
}

/** A comparison, and the records of the first recording up to `equal` that it found equal in both. */
interface Compared extends StreamComparison {
  readonly agreed: readonly Position[];
}
type Differing = Compared & { readonly difference: StreamDifference };

/** The last equal record before a position; the start of the run when there is none. */
function lastAgreement(compared: readonly Compared[], before: Position): Position {
  let last: Position = { moment: 0, ticks: 0 };
  for (const { agreed, equal } of compared) {
    let n = equal - 1;
    while (n >= 0 && agreed[n]!.ticks >= before.ticks) n--;
    if (n >= 0 && agreed[n]!.ticks > last.ticks) last = at(agreed[n]!);
  }
  return last;
}

/** Up to where a recording has everything that the run did. A run that ended by itself does nothing afterwards. */
const coverOf = ({ end, last }: Trace): number => (end && isOwnEnd(end) ? Number.POSITIVE_INFINITY : last.ticks);

/** Whether the run ended there, as opposed to the recording; reasons are those that `record` writes. */
export const isOwnEnd = ({ reason }: TraceEnd): boolean => reason === 'idle' || reason.startsWith('halted');

/** Compares two streams record by record. What one has beyond the cover of the other is no difference. */
function inStep<R extends Position>(
  stream: Stream,
  a: readonly R[],
  b: readonly R[],
  text: (record: R) => string,
  covered: { readonly a: number; readonly b: number },
): Compared {
  const describe = (record: R | undefined) => (record ? `${text(record)} at ${positionText(record)}` : 'nothing');
  let equal = 0;
  for (; equal < Math.max(a.length, b.length); equal++) {
    const [ofA, ofB] = [a[equal], b[equal]];
    const isSamePlace = ofA && ofB && ofA.moment === ofB.moment && ofA.ticks === ofB.ticks;
    if (isSamePlace && text(ofA) === text(ofB)) continue;
    if ((!ofA && ofB!.ticks > covered.a) || (!ofB && ofA!.ticks > covered.b)) break;
    const differsAt = at(!ofA || (ofB && ofB.ticks < ofA.ticks) ? ofB! : ofA);
    return { stream, equal, agreed: a, difference: { differsAt, a: describe(ofA), b: describe(ofB) } };
  }
  return { stream, equal, agreed: a };
}

interface Mark extends Position {
  readonly digest: bigint;
}

/**
 * Joins the state digests of the same virtual time, and those that are due at a moment: these are taken when the run
 * first comes there. Either recording may have more.
 */
function compareStates(a: Trace, b: Trace): Compared {
  const marksOfB = marksOf(b);
  const byTicks = new Map(marksOfB.map((mark) => [mark.ticks, mark]));
  const dueOfA = dueMarks(a);
  const dueOfB = dueMarks(b);
  const pairs: (readonly [Mark, Mark])[] = [];
  for (const mark of marksOf(a)) {
    const other = byTicks.get(mark.ticks) ?? (dueOfA.get(mark.moment) === mark ? dueOfB.get(mark.moment) : undefined);
    if (other) pairs.push([mark, other]);
  }
  if (a.end && b.end?.ticks === a.end.ticks) pairs.push([a.end, b.end]);
  const agreed = pairs.map(([mark]) => mark);
  const equal = pairs.findIndex(([x, y]) => markText(x) !== markText(y));
  if (equal < 0) return { stream: 'state', equal: pairs.length, agreed };
  const [x, y] = pairs[equal]!;
  const difference = { differsAt: at(x.ticks <= y.ticks ? x : y), a: markText(x), b: markText(y) };
  const behaviours = [a, b].map(({ header }) => header.engineBehaviour);
  if (x.ticks > 0 || behaviours[0] === behaviours[1]) return { stream: 'state', equal, agreed, difference };
  const incomparable = `engine behaviours ${behaviours.join(' and ')} start from different states`;
  return { stream: 'state', equal, agreed, difference, incomparable };
}

/** All positions with a digest before the end, in order. */
const marksOf = ({ digests, checkpoints }: Trace): Mark[] =>
  [...digests, ...checkpoints].sort((a, b) => a.ticks - b.ticks);

/** The marks that are due at their moment, by moment. */
function dueMarks({ digests, checkpoints, header }: Trace): Map<number, Mark> {
  const due = new Map<number, Mark>();
  const take = (marks: readonly Mark[], every: number) => {
    for (const mark of marks) if (mark.moment % every === 0 && !due.has(mark.moment)) due.set(mark.moment, mark);
  };
  take(digests, header.digestEvery);
  take(checkpoints, header.checkpointEvery);
  return due;
}

/** VMs' digests of the positions at which both recordings have a state digest. */
function commonVmDigests(a: Trace, b: Trace): [readonly TraceVmDigest[], readonly TraceVmDigest[]] {
  const within = (vms: readonly TraceVmDigest[], other: Trace) => {
    const ticks = new Set(other.digests.map((digest) => digest.ticks));
    return vms.filter((vm) => ticks.has(vm.ticks));
  };
  return [within(a.vmDigests, b), within(b.vmDigests, a)];
}

/** Whether both ended, and how. A recording that was stopped or cut off before says nothing about the end. */
function compareEnds(a: Trace, b: Trace): Compared {
  const own = [a, b].map(({ end }) => (end && isOwnEnd(end) ? [end] : []));
  return inStep('end', own[0]!, own[1]!, ({ reason }) => reason, { a: coverOf(a), b: coverOf(b) });
}

const noteText = ({ hart, code, arg }: TraceNote) => `${hex(code)} with ${hex(arg)} by hart ${hart}`;
const at = ({ moment, ticks }: Position): Position => ({ moment, ticks });
const hex = (value: number | bigint) => `0x${value.toString(16)}`;
const positionText = ({ moment, ticks }: Position) => `moment ${moment}, tick ${ticks}`;
const markText = (mark: Mark) => `${hex(mark.digest)} at ${positionText(mark)}`;
