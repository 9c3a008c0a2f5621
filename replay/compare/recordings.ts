/**
 * Whether two recordings are of one run: compares state digests, VMs' memory, console bytes, notes, and the end, record
 * by record with exact positions, and says where the first difference lies. Nothing is executed. `diff` is for two
 * different runs and what differs in them; this is for one run that was recorded twice.
 */
import {
  firstFrom,
  type RecordList,
  type Trace,
  type TraceDigest,
  type TraceEnd,
  type TraceNote,
  type TraceVmDigest,
} from '../../traces/index.ts';
import { type Position, sharedMarks, sharedStart } from '../base/index.ts';

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
  /**
   * The soonest difference, and the last position before it at which everything is equal; absent when there is none.
   */
  readonly mismatch?: StreamDifference & { readonly stream: Stream; readonly agreedAt: Position };
}

/** Compares two recordings of one run, from where both have begun and as far as both go. */
export function compareRecordings(a: Trace, b: Trace): RecordingComparison {
  const start = sharedStart(a, b);
  const covered = { a: coverOf(a), b: coverOf(b) };
  const vmText = ({ vmid, digest }: TraceVmDigest) => `VM ${vmid} ${hex(digest)}`;
  const compared = [
    compareStates(a, b),
    inStep('VM memory', commonVmDigests(a, b), commonVmDigests(b, a), vmText, covered),
    inStep('console', behind(a.console, start), behind(b.console, start), ({ byte }) => `byte ${hex(byte)}`, covered),
    inStep('notes', behind(a.notes, start), behind(b.notes, start), noteText, covered),
    compareEnds(a, b),
  ];
  const streams = compared.map(({ records: _, ...comparison }) => comparison);
  const differing = compared.filter((it): it is Differing => it.difference !== undefined && !it.incomparable);
  const first = differing.sort((x, y) => x.difference.differsAt.ticks - y.difference.differsAt.ticks)[0];
  if (!first) return { equal: true, streams };
  const { stream, difference } = first;
  const agreedAt = lastAgreement(compared, start, difference.differsAt);
  return { equal: false, streams, mismatch: { stream, ...difference, agreedAt } };
}

/** A comparison, and the records of the first recording that it went through, from the start again each time. */
interface Compared extends StreamComparison {
  readonly records: Iterable<Position>;
}
type Differing = Compared & { readonly difference: StreamDifference };

/** The last equal record before a position; where the comparison starts when there is none. */
function lastAgreement(compared: readonly Compared[], start: Position, before: Position): Position {
  let last = start;
  for (const { records, equal } of compared) {
    let left = equal;
    for (const record of records) {
      if (left-- === 0 || record.ticks >= before.ticks) break;
      if (record.ticks > last.ticks) last = at(record);
    }
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
  a: Iterable<R>,
  b: Iterable<R>,
  text: (record: R) => string,
  covered: { readonly a: number; readonly b: number },
): Compared {
  const describe = (record: R | undefined) => (record ? `${text(record)} at ${positionText(record)}` : 'nothing');
  const [allOfA, allOfB] = [a[Symbol.iterator](), b[Symbol.iterator]()];
  for (let equal = 0; ; equal++) {
    const [ofA, ofB] = [nextOf(allOfA), nextOf(allOfB)];
    if (!ofA && !ofB) return { stream, equal, records: a };
    const isSamePlace = ofA && ofB && ofA.moment === ofB.moment && ofA.ticks === ofB.ticks;
    if (isSamePlace && text(ofA) === text(ofB)) continue;
    const isBeyond = (!ofA && ofB!.ticks > covered.a) || (!ofB && ofA!.ticks > covered.b);
    if (isBeyond) return { stream, equal, records: a };
    const differsAt = at(!ofA || (ofB && ofB.ticks < ofA.ticks) ? ofB! : ofA);
    return { stream, equal, records: a, difference: { differsAt, a: describe(ofA), b: describe(ofB) } };
  }
}

function nextOf<R>(records: Iterator<R>): R | undefined {
  const next = records.next();
  return next.done ? undefined : next.value;
}

function compareStates(a: Trace, b: Trace): Compared {
  const records = again(() => firstOfShared(a, b));
  let equal = 0;
  for (const [x, y] of sharedMarks(a, b)) {
    if (markText(x) === markText(y)) {
      equal++;
      continue;
    }
    const difference = { differsAt: at(x.ticks <= y.ticks ? x : y), a: markText(x), b: markText(y) };
    const behaviours = [a, b].map(({ header }) => header.engineBehaviour);
    if (x.ticks > 0 || behaviours[0] === behaviours[1]) return { stream: 'state', equal, records, difference };
    const incomparable = `engine behaviours ${behaviours.join(' and ')} start from different states`;
    return { stream: 'state', equal, records, difference, incomparable };
  }
  return { stream: 'state', equal, records };
}

function* firstOfShared(a: Trace, b: Trace): Generator<TraceDigest> {
  for (const [mark] of sharedMarks(a, b)) yield mark;
}

/** The VMs' digests of a recording that belong to positions at which the other has a state digest, too. */
const commonVmDigests = (of: Trace, other: Trace): Iterable<TraceVmDigest> =>
  again(function* () {
    for (const vm of of.vmDigests) {
      if (other.digests.at(firstFrom(other.digests, 'ticks', vm.ticks))?.ticks === vm.ticks) yield vm;
    }
  });

/** Output of which both recordings have all: it is stamped with the position behind its instruction. */
const behind = <R extends Position>(records: RecordList<R>, { ticks }: Position): Iterable<R> =>
  again(function* () {
    for (let n = firstFrom(records, 'ticks', ticks + 1); n < records.length; n++) yield records.at(n)!;
  });

/** What a generator gives, from the start each time. */
const again = <T>(generate: () => Generator<T>): Iterable<T> => ({ [Symbol.iterator]: generate });

/** Whether both ended, and how. A recording that was stopped or cut off before says nothing about the end. */
function compareEnds(a: Trace, b: Trace): Compared {
  const own = [a, b].map(({ end }) => (end && isOwnEnd(end) ? [end] : []));
  return inStep('end', own[0]!, own[1]!, ({ reason }) => reason, { a: coverOf(a), b: coverOf(b) });
}

const noteText = ({ hart, code, arg }: TraceNote) => `${hex(code)} with ${hex(arg)} by hart ${hart}`;
const at = ({ moment, ticks }: Position): Position => ({ moment, ticks });
const hex = (value: number | bigint) => `0x${value.toString(16)}`;
const positionText = ({ moment, ticks }: Position) => `moment ${moment}, tick ${ticks}`;
const markText = (mark: TraceDigest) => `${hex(mark.digest)} at ${positionText(mark)}`;
