/**
 * Input records: one MessagePack array [moment, ticks, kind, data] each. `data` is opaque to this folder.
 */
import { expectFormat } from '../malformed.ts';
import { pack, unpackAll } from '../msgpack.ts';
import type { TraceInput } from '../types.ts';

/** Bytes of one input. @throws RangeError when the position is not a pair of safe non-negative integers. */
export function encodeInput(input: TraceInput): Uint8Array {
  if (!isPosition(input.moment) || !isPosition(input.ticks)) {
    throw new RangeError(`trace input at moment ${input.moment}, ticks ${input.ticks}: not safe non-negative integers`);
  }
  return pack([input.moment, input.ticks, input.kind, input.data]);
}

/** Decodes `count` inputs. @throws Malformed */
export function decodeInputs(bytes: Uint8Array, count: number): TraceInput[] {
  return unpackAll(bytes, count).map((value) => {
    expectFormat(Array.isArray(value) && value.length === 4, 'an input of four fields');
    const [moment, ticks, kind, data] = value as unknown[];
    expectFormat(isPosition(moment) && isPosition(ticks), 'an input position of safe integers');
    expectFormat(typeof kind === 'string', 'an input kind');
    return { moment, ticks, kind, data };
  });
}

const isPosition = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
