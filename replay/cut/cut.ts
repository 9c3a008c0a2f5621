/**
 * Cuts a part out of a recording: a trace that begins with a checkpoint of the state at one place and holds what was
 * recorded from there to another, at the moments and virtual times that it has in the whole run. The part is executed,
 * for the state where it ends, and compared with what was recorded of it: what is cut replays.
 * Relies on the timeline for the state at the beginning. Leaves no file behind unless it comes to its end.
 */
import { statSync } from 'node:fs';
import { type Snapshot, UserError } from '../../engine/index.ts';
import {
  copyBookmarks,
  createTraceWriter,
  type DumpedRecord,
  dumpRecords,
  type ImageContent,
  type Trace,
  TraceError,
  type TracePlace,
  type TraceWriter,
} from '../../traces/index.ts';
import { CUT_END, type Place, type Position } from '../base/index.ts';
import { CheckpointWriter, isSameFile } from '../container/index.ts';
import type { Slices } from '../search/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';

export interface CutOptions {
  /** Where the cut is to begin; it begins at the first position of that moment, before its inputs. */
  readonly from: Position;
  /** Where it ends; behind the inputs of that position if they are `applied` there. */
  readonly to: Place;
  /** As for `record`: a trace of that name is replaced when the cut is complete. Not the trace's own. */
  readonly path: TracePlace;
}

export interface CutResult {
  readonly path: string;
  /** Of the new trace. */
  readonly id: string;
  /** `id` of the recording of the whole run. */
  readonly of: string;
  readonly from: Position;
  readonly to: Position;
  readonly bytes: number;
  readonly bookmarks: number;
}

/** Instructions that are executed at a time. */
const SLICE = 1_000_000;

/**
 * Cuts the recording of `run`, whose machine it moves.
 * @throws UserError when nothing lies between `from` and `to`, or the cut would take its recording's place;
 * TraceWriteError; TraceError when the recording does not replay there, or is damaged
 */
export function* cutTrace(run: TraceTimeline, { from, to, path }: CutOptions): Slices<CutResult> {
  const { trace } = run;
  if (typeof path === 'string' && isSameFile(trace.path, path)) {
    throw new UserError(`${path} is the trace that is to be cut: give the new one another name`);
  }
  if (from.moment >= to.moment) {
    throw new UserError(
      `nothing to cut: --from is moment ${from.moment}, --to is moment ${to.moment}; expected one behind it`,
    );
  }
  run.seek(from.moment, 'pending');
  const { moment, ticks } = run.machine;
  const cut = { of: trace.header.cut?.of ?? trace.header.id, from: { moment, ticks }, to: positionOf(to) };
  // It is the same run: what made it is what is wanted to be known of it.
  const writer = createTraceWriter(path, { ...trace.header, cut }, imagesOf(trace));
  let isComplete = false;
  try {
    yield* new Cutting(run, writer, cut.from, to).cut();
    isComplete = true;
  } finally {
    if (!isComplete) writer.discard();
  }
  const { id, bytesWritten: bytes } = writer;
  return { path: writer.path, id, ...cut, bytes, bookmarks: bookmarksTo(writer, trace, cut.from, to) };
}

const positionOf = ({ moment, ticks }: Position): Position => ({ moment, ticks });

const imagesOf = (trace: Trace): ImageContent[] =>
  trace.header.images.map(({ role }) => ({ role, ...trace.image(role)! }));

/** In whatever order its pages were touched on the way there: the same part is the same file. */
const inOrder = (snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  pages: new Map([...snapshot.pages].sort(([a], [b]) => a - b)),
});

class Cutting {
  private readonly run: TraceTimeline;
  private readonly writer: TraceWriter;
  private readonly from: Position;
  private readonly to: Place;
  private readonly checkpoints: CheckpointWriter;

  /** The run stands at `from`, the inputs there pending. */
  constructor(run: TraceTimeline, writer: TraceWriter, from: Position, to: Place) {
    this.run = run;
    this.writer = writer;
    this.from = from;
    this.to = to;
    this.checkpoints = new CheckpointWriter(writer);
  }

  *cut(): Slices<void> {
    const { run, writer, to, from } = this;
    const { machine, trace } = run;
    this.checkpoints.add(inOrder(machine.snapshot()));
    for (const record of dumpRecords(trace, undefined, from.moment, to.moment)) yield* this.take(record);
    yield* this.goTo(to);
    const { end } = trace;
    const digest = machine.digest();
    const isEnd = end?.ticks === to.ticks && to.here === 'applied';
    if (isEnd) this.expect(end.digest, digest);
    writer.finish({ ...positionOf(to), digest, reason: isEnd ? end.reason : CUT_END });
  }

  /** Copies a record that belongs to the part. */
  private *take(record: DumpedRecord): Slices<void> {
    if (record.record === 'header' || record.record === 'end') return;
    const { writer, from, to } = this;
    const { ticks } = record;
    if (ticks < from.ticks || ticks > to.ticks) return;
    switch (record.record) {
      case 'inputs':
        if (ticks < to.ticks || to.here === 'applied') writer.input(record);
        return;
      // Stamped with the position behind their instruction: what has the beginning's came before.
      case 'console':
        if (ticks > from.ticks) writer.console(record);
        return;
      case 'notes':
        if (ticks > from.ticks) writer.note(record);
        return;
      case 'digests':
        yield* this.goTo({ ...record, here: 'pending' });
        this.expect(record.digest, this.run.machine.digest());
        writer.digest(record);
        return;
      case 'vm-digests':
        writer.vmDigest(record);
        return;
      case 'checkpoints':
        yield* this.checkpoint(record);
    }
  }

  private *checkpoint(record: Position & { readonly digest: bigint }): Slices<void> {
    // There is one where the cut begins.
    if (record.ticks === this.from.ticks) return;
    yield* this.goTo({ ...record, here: 'pending' });
    const snapshot = this.run.machine.snapshot();
    this.expect(record.digest, snapshot.digest);
    this.checkpoints.add(inOrder(snapshot));
  }

  /** Executes the run up to a recorded place ahead. */
  private *goTo({ moment, ticks, here }: Place): Slices<void> {
    const { run, from } = this;
    const { machine } = run;
    while (machine.ticks < ticks) {
      const before = machine.ticks;
      run.advance({ moment: machine.moment + SLICE, ticks }, 'pending');
      if (machine.ticks === before) break;
      yield { moment: machine.moment, executed: machine.moment - from.moment };
    }
    run.forwardToTicks(ticks, here);
    if (machine.moment !== moment) throw this.parted();
  }

  private expect(recorded: bigint, actual: bigint): void {
    if (recorded !== actual) throw this.parted();
  }

  private parted(): TraceError {
    const { trace, machine } = this.run;
    return new TraceError(
      'incompatible',
      trace.path,
      `does not replay: the run parts from the recording not later than moment ${machine.moment}, so nothing is cut; ` +
        `'dejavm verify' says where`,
    );
  }
}

/** Copies the bookmarks of the part, unless the cut went into a pipe or device. @throws TraceWriteError */
function bookmarksTo({ path, id }: TraceWriter, trace: Trace, from: Position, to: Position): number {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return 0;
  return copyBookmarks(trace, { path, id }, ({ ticks }) => ticks >= from.ticks && ticks <= to.ticks);
}
