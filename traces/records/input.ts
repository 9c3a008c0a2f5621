/**
 * Input records: one MessagePack array [moment, ticks, kind, data] each. `data` is opaque to this folder.
 */
import { MAX_BLOCK_BYTES } from '../block.ts';
import { expectFormat } from '../malformed.ts';
import { pack, unpackAll } from '../msgpack.ts';
import type { TraceInput } from '../types.ts';

/** MessagePack values of one input: a fault has about ten. */
const MAX_VALUES = 2 ** 16;
/** Of a record of inputs: a writer begins a new one when it has a block's bytes, and each value takes one. */
const MAX_VALUES_TOGETHER = MAX_BLOCK_BYTES + MAX_VALUES;

/** Bytes of one input. @throws RangeError when its position or data is not what a trace can hold. */
export function encodeInput(input: TraceInput): Uint8Array {
  if (!isPosition(input.moment) || !isPosition(input.ticks)) {
    throw new RangeError(`trace input at moment ${input.moment}, ticks ${input.ticks}: not safe non-negative integers`);
  }
  return pack([input.moment, input.ticks, input.kind, input.data], MAX_VALUES);
}

/** Decodes `count` inputs. @throws Malformed */
export function decodeInputs(bytes: Uint8Array, count: number): TraceInput[] {
  return unpackAll(bytes, count, MAX_VALUES_TOGETHER).map((value) => {
    expectFormat(Array.isArray(value) && value.length === 4, 'an input of four fields');
    const [moment, ticks, kind, data] = value as unknown[];
    expectFormat(isPosition(moment) && isPosition(ticks), 'an input position of safe integers');
    expectFormat(typeof kind === 'string', 'an input kind');
    return { moment, ticks, kind, data };
  });
}

const isPosition = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
