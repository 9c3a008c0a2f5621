/** The door of `traces`: the `.djvm` file. Bytes in, records out; knows no machine. Format: README.md. */
export {
  addBookmark,
  type Bookmark,
  type Bookmarks,
  type BookmarkText,
  copyBookmarks,
  deleteBookmark,
  readBookmarks,
} from './bookmarks/index.ts';
export { isBeingWritten } from './claim.ts';
export { DUMPED_KINDS, type DumpedKind, type DumpedRecord, dumpRecords } from './dump.ts';
export { TraceError, type TraceErrorKind, TraceWriteError, type TraceWriteErrorKind } from './errors.ts';
export { FORMAT_MAJOR, FORMAT_MINOR } from './preamble.ts';
export { PRIVATE_FILE, PRIVATE_FOLDER } from './private.ts';
export { isRunning, type ProcessName, thisProcess } from './process-name.ts';
export { type OpenOptions, openTrace, openTraceBytes } from './reader.ts';
export { MAX_DIGEST_GAP, type TraceHeaderFields } from './records/header.ts';
export { convertRecords, firstFrom } from './records-list.ts';
export type { TracePlace, TraceSink } from './sink.ts';
export { fileSource } from './source.ts';
export { readTraceSummary, type TraceSummary } from './summary.ts';
export { errnoOf, systemReason } from './system-errors.ts';
export type {
  FullCheckpoint,
  Position as TracePosition,
  RecordList,
  Trace,
  TraceCheckpoint,
  TraceConsole,
  TraceCut,
  TraceDamage,
  TraceDevice,
  TraceDigest,
  TraceEnd,
  TraceHeader,
  TraceImage,
  TraceInput,
  TraceNote,
  TracePage,
  TraceVmDigest,
  TraceWriter,
} from './types.ts';
export { createTraceWriter, type ImageContent, traceWriterOn } from './writer.ts';
