/** End record: where and why recording stopped. 24 bytes of position and digest, then the reason in UTF-8. */
import { concat } from '../bytes.ts';
import { columns } from '../columns.ts';
import { expectFormat } from '../malformed.ts';
import type { TraceEnd } from '../types.ts';

const END = columns({ moment: 'u53', ticks: 'u53', digest: 'u64' });

/** @throws RangeError when a value does not fit. */
export function encodeEnd(end: TraceEnd): Uint8Array {
  return concat([END.encode([end]), Buffer.from(end.reason, 'utf8')]);
}

/** @throws Malformed */
export function decodeEnd(bytes: Uint8Array): TraceEnd {
  expectFormat(bytes.length >= END.rowBytes, `at least ${END.rowBytes} bytes of end record`);
  const [row] = END.decode(bytes.subarray(0, END.rowBytes), 1);
  return { ...row!, reason: Buffer.from(bytes.subarray(END.rowBytes)).toString('utf8') };
}
