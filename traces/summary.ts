/**
 * What a listing says of a trace: header and end, at the cost of a few blocks however large the file is. The end of a
 * finished trace stands right before the index, whose place the footer tells; that it does is known from the chain of
 * checks. A trace for which that cannot be said (cut off, damaged) is opened.
 */
import { BLOCK_HEADER_BYTES, bodyIsIntact, decodeBlockHeader, decodeBody, parseBlockHeader } from './block.ts';
import { TraceError } from './errors.ts';
import { Malformed } from './malformed.ts';
import { decodePreamble, PREAMBLE_BYTES } from './preamble.ts';
import { openTrace } from './reader.ts';
import { decodeEnd, MAX_END_BYTES } from './records/end.ts';
import { decodeHeader, MAX_HEADER_BYTES } from './records/header.ts';
import { decodeFooter, FOOTER_BYTES } from './records/index-record.ts';
import { KIND } from './records/kinds.ts';
import { type ByteSource, fileSource } from './source.ts';
import type { Trace, TraceEnd, TraceHeader } from './types.ts';
import { contentOf, recordAt } from './walk.ts';

/** As in an open trace. What the end claims is not compared with anything. */
export type TraceSummary = Pick<Trace, 'header' | 'end' | 'last' | 'damage' | 'sizeBytes'>;

/** @throws TraceError as `openTrace` */
export function readTraceSummary(path: string): TraceSummary {
  const source = fileSource(path);
  const found = source.batch(() => {
    const header = headerOf(source);
    const end = header && endOf(source);
    return end && { header, end };
  });
  if (!found) return openTrace(path);
  const { header, end } = found;
  const { moment, ticks } = end;
  return { header, end, last: { moment, ticks }, damage: undefined, sizeBytes: source.sizeBytes };
}

/** undefined when it is damaged. @throws TraceError for what is no trace of this version at all */
function headerOf(source: ByteSource): TraceHeader | undefined {
  const preamble = decodePreamble(source.path, source.read(0, PREAMBLE_BYTES));
  return unlessDamaged(() => {
    const record = recordAt(source, { sequence: 0, offset: PREAMBLE_BYTES, previousCheck: preamble.check });
    const fits = record.kind === KIND.HEADER && record.rawBytes <= MAX_HEADER_BYTES;
    return fits ? decodeHeader(contentOf(source, record), preamble) : undefined;
  });
}

function endOf(source: ByteSource): TraceEnd | undefined {
  const footer = decodeFooter(source.read(source.sizeBytes - FOOTER_BYTES, FOOTER_BYTES));
  if (!footer || footer.offset > source.sizeBytes - FOOTER_BYTES - BLOCK_HEADER_BYTES) return undefined;
  const from = Math.max(0, footer.offset - BLOCK_HEADER_BYTES - MAX_END_BYTES);
  const bytes = source.read(from, footer.offset - from + BLOCK_HEADER_BYTES);
  const indexAt = footer.offset - from;
  for (let at = indexAt - BLOCK_HEADER_BYTES; at >= 0; at--) {
    const header = parseBlockHeader(bytes.subarray(at));
    const stored = at + BLOCK_HEADER_BYTES;
    if (header?.kind !== KIND.END || header.rawBytes > MAX_END_BYTES || stored + header.storedBytes !== indexAt)
      continue;
    // The index is chained to the block before it: to this one, if this is one.
    const index = decodeBlockHeader(bytes.subarray(indexAt), footer.sequence, header.check);
    if ('fault' in index || index.kind !== KIND.INDEX) continue;
    const content = bytes.subarray(stored, indexAt);
    return bodyIsIntact(header, content) ? unlessDamaged(() => decodeEnd(decodeBody(header, content))) : undefined;
  }
  return undefined;
}

function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed || (error instanceof TraceError && error.kind === 'damaged')) return undefined;
    throw error;
  }
}
