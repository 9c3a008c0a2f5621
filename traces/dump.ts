/**
 * A trace's records as they are, of all kinds in one order: by virtual time, and at one position as the writer writes
 * them, so that a dump of a part of a run is a part of the dump. Relies on the lists of records that the reader makes,
 * whose fields are those that the writer takes. Without contents of images, checkpoints and pages.
 */
import { firstFrom } from './records-list.ts';
import type {
  Position,
  RecordList,
  Trace,
  TraceConsole,
  TraceDigest,
  TraceEnd,
  TraceHeader,
  TraceInput,
  TraceNote,
  TraceVmDigest,
} from './types.ts';

/** A record and the kind of list that it stands in. */
export type DumpedRecord =
  | ({ readonly record: 'header' } & TraceHeader)
  | ({ readonly record: 'inputs' } & TraceInput)
  | ({ readonly record: 'console' } & TraceConsole)
  | ({ readonly record: 'notes' } & TraceNote)
  | ({ readonly record: 'digests' } & TraceDigest)
  | ({ readonly record: 'vm-digests' } & TraceVmDigest)
  | ({ readonly record: 'checkpoints' } & TraceDigest)
  | ({ readonly record: 'end' } & TraceEnd);

export type DumpedKind = DumpedRecord['record'];

/** Kinds in the order in which they stand at one position. */
const LISTS: Readonly<Record<DumpedKind, (trace: Trace) => RecordList<Position> | undefined>> = {
  // No position: in front of everything.
  header: () => undefined,
  inputs: (trace) => trace.inputs,
  console: (trace) => trace.console,
  notes: (trace) => trace.notes,
  digests: (trace) => trace.digests,
  'vm-digests': (trace) => trace.vmDigests,
  checkpoints: (trace) => trace.checkpoints,
  end: ({ end }) => (end ? ([end] as unknown as RecordList<TraceEnd>) : undefined),
};

export const DUMPED_KINDS = Object.keys(LISTS) as readonly DumpedKind[];

/**
 * The records of some kinds at the moments from `from` to `to`, one after another; the header stands before them.
 * @throws TraceError where the file is damaged
 */
export function* dumpRecords(
  trace: Trace,
  kinds: readonly DumpedKind[] = DUMPED_KINDS,
  from = 0,
  to: number = Number.MAX_SAFE_INTEGER,
): Generator<DumpedRecord> {
  if (kinds.includes('header')) yield { record: 'header', ...trace.header };
  const streams = DUMPED_KINDS.filter((kind) => kinds.includes(kind)).flatMap((record) => {
    const list = LISTS[record](trace);
    return list ? [{ record, list, n: firstFrom(list, 'moment', from) }] : [];
  });
  for (;;) {
    let first: { readonly stream: (typeof streams)[number]; readonly item: Position } | undefined;
    for (const stream of streams) {
      const item = stream.list.at(stream.n);
      if (item && item.moment <= to && !(first && first.item.ticks <= item.ticks)) first = { stream, item };
    }
    if (!first) return;
    first.stream.n++;
    yield { record: first.stream.record, ...first.item } as DumpedRecord;
  }
}
