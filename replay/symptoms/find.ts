/**
 * All symptoms of a failed run, in order of time. Relies on the golden run being the same machine with the same images
 * and inputs, but for what was injected; that is not looked at. Each run is executed once, and near each symptom.
 */
import { NOTES, noteText } from '../../engine/index.ts';
import type { Trace, TraceNote } from '../../traces/index.ts';
import type { Place } from '../base/index.ts';
import { compareRecordings } from '../compare/index.ts';
import { type Recovery, recoveriesIn } from '../equivalence/index.ts';
import type { Slices, Spent } from '../search/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { insistGolden, insistLongEnough } from './check.ts';
import { type ConsoleDifference, consoleDifferences, firstDifferentByte } from './console.ts';
import { coverOf, hadTimeFor, type Known, knownFrom, knownOf } from './cover.ts';
import { otherDisks } from './disks.ts';
import { otherEnd } from './ends.ts';
import { endPlace, placeBefore } from './place.ts';
import type { MissingSymptom, OutputSymptom, Symptom, SymptomPlace } from './types.ts';
import { observeVcpus, stuckVcpus } from './vcpus.ts';

/** Symptoms of a kind, at most: far more than anybody looks at. The first ones are found. */
const MAX_OF_KIND = 64;

/**
 * What a user sees of the failed run `a` that its golden run `g` does not show: none when the runs are equal. In order
 * of time: that of `a`, or of `g` for what is missing. Both timelines stand where they stood, afterwards.
 * @throws UserError when the runs are of different machines, images or typed input, or when there is no symptom as far
 * as the golden run goes and the failed run goes further; TraceError when one of them leaves its recording
 */
export function* findSymptoms(a: TraceTimeline, g: TraceTimeline): Slices<Symptom[]> {
  insistGolden(a.trace, g.trace);
  const origins = [a.place, g.place] as const;
  let golden = knownFrom(g.trace);
  const found: Symptom[] = [];
  try {
    if (!areOneRun(a.trace, g.trace)) golden = yield* collect(a, g, found);
  } finally {
    back(a, origins[0]);
    back(g, origins[1]);
  }
  if (found.length === 0) insistLongEnough(a.trace, golden);
  return found.sort((x, y) => timeOf(x) - timeOf(y));
}

/**
 * Whether both recordings say the same as far as both go: what is injected may do nothing at all, and then there is
 * nothing to be looked for. At one position in one state, it does not matter what made their recordings end.
 */
function areOneRun(a: Trace, g: Trace): boolean {
  const differing = compareRecordings(a, g).streams.filter(({ difference }) => difference);
  return differing.length === 0 || (a.last.ticks === g.last.ticks && differing.every(({ stream }) => stream === 'end'));
}

/** Adds all symptoms to `found`, in no order. Returns what is known of the golden run. */
function* collect(a: TraceTimeline, g: TraceTimeline, found: Symptom[]): Slices<Known> {
  const spent: Spent = { executed: 0 };
  // Events first: going to single places is quick once both runs have left snapshots on their way.
  const vcpus = yield* observeVcpus(a, g, spent);
  const known = { a: knownOf(a), g: knownOf(g) };
  found.push(...stuckVcpus(vcpus, known.a).sort(inTime).slice(0, MAX_OF_KIND));
  const progress = () => ({ moment: a.machine.moment, executed: spent.executed });
  for (const { detected, failure } of detections(known.a, known.g)) {
    const { code, arg } = detected;
    const said = { code, arg, message: noteText(code, arg), ...(failure !== undefined && { failure }) };
    found.push({ kind: 'detected', at: placeBefore(a, detected), ...said });
    yield progress();
  }
  for (const difference of bounded(known.a, known.g)) {
    found.push(...consoleSymptoms(a, g, difference));
    yield progress();
  }
  for (const note of unfinished(known.a, known.g)) {
    const golden = placeBefore(g, note);
    found.push({ kind: 'missing', what: 'finished', speaker: note.arg, further: 0, golden });
    yield progress();
  }
  found.push(...(yield* otherEnd(a, g, known, spent)));
  yield progress();
  found.push(...otherDisks(a, g, known));
  return known.g;
}

/** What is missing has no time of its own but that of the golden run. */
function timeOf(symptom: Symptom): number {
  if (symptom.kind === 'missing') return symptom.golden.ticks;
  return symptom.kind === 'stuck' ? (symptom.at ?? symptom.golden).ticks : symptom.at.ticks;
}

const inTime = (x: Symptom, y: Symptom): number => timeOf(x) - timeOf(y);

function back(run: TraceTimeline, { ticks, here }: Place): void {
  run.toTicks(ticks, here);
}

/** Recoveries whose detection the golden run does not have. */
function detections(a: Known, g: Known): Recovery[] {
  const others = recoveriesIn(g.trace.notes).map(({ detected }) => detected);
  const isOther = ({ detected: { code, arg, ticks } }: Recovery) => {
    const same = others.findIndex((other) => other.code === code && other.arg === arg);
    if (same < 0) return ticks <= coverOf(g);
    others.splice(same, 1);
    return false;
  };
  return recoveriesIn(a.trace.notes).filter(isOther).slice(0, MAX_OF_KIND);
}

/** VMs that say in the golden run only that they have finished. */
function unfinished(a: Known, g: Known): TraceNote[] {
  const finished = ({ trace }: Known) => trace.notes.filter(({ code }) => code === NOTES.VM_DONE.code);
  const done = new Set(finished(a).map(({ arg }) => arg));
  const found = new Map<number, TraceNote>();
  for (const note of finished(g)) {
    if (!done.has(note.arg) && hadTimeFor(a, note.ticks) && !found.has(note.arg)) found.set(note.arg, note);
  }
  return [...found.values()].slice(0, MAX_OF_KIND);
}

/** The differences of those speakers whose first ones are soonest: a guest can speak for any number of VMs. */
function bounded(a: Known, g: Known): ConsoleDifference[] {
  const when = ({ output, missing }: ConsoleDifference) =>
    Math.min(
      output ? a.trace.console.at(output.line.first)!.ticks : Number.POSITIVE_INFINITY,
      missing ? g.trace.console.at(missing.golden.first)!.ticks : Number.POSITIVE_INFINITY,
    );
  return consoleDifferences(a, g)
    .sort((x, y) => when(x) - when(y))
    .slice(0, MAX_OF_KIND);
}

function consoleSymptoms(
  a: TraceTimeline,
  g: TraceTimeline,
  { speaker, output, missing }: ConsoleDifference,
): (OutputSymptom | MissingSymptom)[] {
  const found: (OutputSymptom | MissingSymptom)[] = [];
  if (output) {
    const { line, golden, isOrder } = output;
    const bytes = golden
      ? firstDifferentByte(a.trace, line, g.trace, golden)
      : { byte: 0, a: line.first, g: undefined };
    found.push({
      kind: 'output',
      speaker,
      line: line.line,
      text: line.text,
      ...(golden && { golden: { line: golden.line, text: golden.text, at: printedAt(g, bytes.g!) } }),
      isOrder,
      byte: bytes.byte,
      at: printedAt(a, bytes.a),
    });
  }
  if (missing) {
    const { golden, printed, further } = missing;
    const { byte, g: first } = printed
      ? firstDifferentByte(a.trace, printed, g.trace, golden)
      : { byte: 0, g: golden.first };
    const { line, text } = golden;
    const at = printedAt(g, first);
    found.push({ kind: 'missing', what: 'line', speaker, line, text, byte, further, golden: at });
  }
  return found;
}

/** What prints the n-th byte of the console; the end of the run when there are not so many. */
function printedAt(run: TraceTimeline, n: number): SymptomPlace {
  const record = run.trace.console.at(n);
  return record ? placeBefore(run, record) : endPlace(run);
}
