/**
 * Opens a `.djvm` file: walks its block headers, and gives whatever stands before the first damage. Contents are
 * checked and decoded when they are asked for, so opening takes little time and memory however long the run was;
 * `thorough` checks all of them at once. Nothing is ever guessed: what does not check is not shown. Does not check that
 * the records describe a run; replay does.
 */
import { inOrder } from './columns.ts';
import { Contents } from './contents.ts';
import { TraceError } from './errors.ts';
import { imageLoader } from './images.ts';
import { checkpointLoader } from './pages.ts';
import { decodePreamble, FORMAT_MINOR, PREAMBLE_BYTES } from './preamble.ts';
import { digestGap } from './records/header.ts';
import { type Break, scanBlocks } from './scan.ts';
import { type ByteSource, fileSource, memorySource } from './source.ts';
import { contentChecker } from './thorough.ts';
import type { Position, Trace, TraceEnd, TraceHeader } from './types.ts';

export interface OpenOptions {
  /**
   * Check and decode every byte of the file now, so that each one that changed is found and everything before it is
   * given. Else damage inside a block shows when something in that block is asked for, as a TraceError.
   */
  readonly thorough?: boolean;
}

/**
 * Opens a trace. A damaged or cut off one opens too when its header is intact: `damage` tells where it ends.
 * @throws TraceError `missing`, `unreadable`, `empty`, `not-a-trace`, `newer`, or `damaged` (no usable header)
 */
export function openTrace(path: string, options: OpenOptions = {}): Trace {
  return readTrace(fileSource(path), options);
}

/** As `openTrace`, from bytes in memory; `path` is what messages call it. @throws TraceError */
export function openTraceBytes(path: string, bytes: Uint8Array, options: OpenOptions = {}): Trace {
  return readTrace(memorySource(path, bytes), options);
}

function readTrace(source: ByteSource, { thorough = false }: OpenOptions): Trace {
  return source.batch(() => {
    const preamble = decodePreamble(source.path, source.read(0, PREAMBLE_BYTES));
    const contents = new Contents(source, preamble, preamble.minor > FORMAT_MINOR);
    const first = { sequence: 0, offset: PREAMBLE_BYTES, previousCheck: preamble.check };
    const check = thorough ? contentChecker(contents, first) : undefined;
    const broken = scanBlocks(source, preamble, {
      contents: thorough,
      take(record) {
        contents.expect(record);
        check?.(record);
        contents.add(record);
      },
    });
    if (!contents.header) {
      const why = broken ? `: ${broken.message} at byte ${broken.offset}` : '';
      throw new TraceError('damaged', source.path, `the header cannot be read${why}; use another copy of the file`);
    }
    try {
      return traceOf(contents, contents.header, broken);
    } catch (error) {
      // What vouches for the run cannot be read: everything is looked at, to give what stands before the damage.
      if (thorough || !(error instanceof TraceError) || error.kind !== 'damaged') throw error;
      return readTrace(source, { thorough: true });
    }
  });
}

function traceOf(contents: Contents, header: TraceHeader, broken: Break | undefined): Trace {
  const { source, inputs, digests, vmDigests, console, notes, checkpoints } = contents;
  const end = contents.end();
  const first = firstOf(contents, header);
  const last = lastVouchedFor(contents, header, first, end);
  return {
    path: source.path,
    header,
    sizeBytes: source.sizeBytes,
    inputs,
    digests,
    vmDigests,
    console,
    notes,
    checkpoints,
    end,
    damage: broken && { ...broken, lastGood: last },
    first,
    last,
    image: imageLoader(contents, header, broken),
    checkpoint: checkpointLoader(contents),
  };
}

/** Where the run begins. @throws TraceError for a cut that does not have the state there */
function firstOf({ source, checkpoints }: Contents, { cut }: TraceHeader): Position {
  if (!cut) return { moment: 0, ticks: 0 };
  const { moment, ticks } = cut.from;
  const state = checkpoints.at(0);
  if (state?.moment === moment && state.ticks === ticks) return { moment, ticks };
  throw new TraceError('damaged', source.path, `the state at moment ${moment}, where it begins, is not there`);
}

/**
 * The last position that something vouches for.
 * @throws TraceError when that is further from the start than the digests before it allow
 */
function lastVouchedFor(
  { source, digests, checkpoints }: Contents,
  header: TraceHeader,
  first: Position,
  end?: TraceEnd,
): Position {
  const digest = digests.at(-1);
  const vouched = [end, digest, checkpoints.at(-1)].filter((p) => p !== undefined);
  const { moment, ticks } = vouched.reduce<Position>((a, b) => (inOrder(a, b) ? b : a), first);
  const digestMoment = digest?.moment ?? first.moment;
  const gap = digestGap(header);
  const isNear = digestMoment - first.moment <= digests.length * gap && moment - digestMoment <= gap;
  if (isNear && vouched.every((at) => at.moment <= moment)) return { moment, ticks };
  throw new TraceError('damaged', source.path, `it has too few digests for a run of ${moment} instructions`);
}
