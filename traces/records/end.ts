/** End record: where and why recording stopped. 24 bytes of position and digest, then the reason in UTF-8. */
import { concat } from '../bytes.ts';
import { columns } from '../columns.ts';
import { expectFormat } from '../malformed.ts';
import type { TraceEnd } from '../types.ts';

const END = columns({ moment: 'u53', ticks: 'u53', digest: 'u64' });
/** So that the end of a run can be found behind everything else without looking at that. */
const MAX_REASON_BYTES = 1024;
export const MAX_END_BYTES: number = END.rowBytes + MAX_REASON_BYTES;

/** @throws RangeError when a value does not fit. */
export function encodeEnd(end: TraceEnd): Uint8Array {
  const reason = Buffer.from(end.reason, 'utf8');
  if (reason.length > MAX_REASON_BYTES)
    throw new RangeError(`the end of a trace has a reason of ${reason.length} bytes`);
  return concat([END.encode([end]), reason]);
}

/** @throws Malformed */
export function decodeEnd(bytes: Uint8Array): TraceEnd {
  expectFormat(bytes.length >= END.rowBytes, `at least ${END.rowBytes} bytes of end record`);
  const row = END.decode(bytes.subarray(0, END.rowBytes), 1).at(0);
  return { ...row, reason: Buffer.from(bytes.subarray(END.rowBytes)).toString('utf8') };
}
