/**
 * Input records: one MessagePack array [moment, ticks, kind, data] each. `data` is opaque to this folder.
 */
import { MAX_BLOCK_BYTES } from '../block.ts';
import { inOrder } from '../columns.ts';
import { expectFormat } from '../malformed.ts';
import { pack, unpackAll } from '../msgpack.ts';
import type { Position, TraceInput } from '../types.ts';

/** MessagePack values of one input: a fault has about ten. */
const MAX_VALUES = 2 ** 16;
/** Of a record of inputs: a writer begins a new one when it has a block's bytes, and each value takes one. */
const MAX_VALUES_TOGETHER = MAX_BLOCK_BYTES + MAX_VALUES;

/** Of one input: a frame has 64 KiB at most, and what is typed comes in small portions. */
export const MAX_INPUT_BYTES: number = 1 << 24;
/** Of a record of inputs. */
export const MAX_INPUTS_BYTES: number = MAX_BLOCK_BYTES + MAX_INPUT_BYTES;

/** Bytes of one input. @throws RangeError when its position or data is not what a trace can hold. */
export function encodeInput(input: TraceInput): Uint8Array {
  if (!isPosition(input.moment) || !isPosition(input.ticks)) {
    throw new RangeError(`trace input at moment ${input.moment}, ticks ${input.ticks}: not safe non-negative integers`);
  }
  const bytes = pack([input.moment, input.ticks, input.kind, input.data], MAX_VALUES);
  if (bytes.length > MAX_INPUT_BYTES) throw new RangeError(`a trace input of ${bytes.length} bytes, at most 16 MiB`);
  return bytes;
}

/** Decodes `count` inputs, whose positions never go back. @throws Malformed */
export function decodeInputs(bytes: Uint8Array, count: number): TraceInput[] {
  let before: Position = { moment: 0, ticks: 0 };
  return unpackAll(bytes, count, MAX_VALUES_TOGETHER).map((value) => {
    expectFormat(Array.isArray(value) && value.length === 4, 'an input of four fields');
    const [moment, ticks, kind, data] = value as unknown[];
    expectFormat(isPosition(moment) && isPosition(ticks), 'an input position of safe integers');
    expectFormat(typeof kind === 'string', 'an input kind');
    const input = { moment, ticks, kind, data };
    expectFormat(inOrder(before, input), 'positions that never go back');
    before = input;
    return input;
  });
}

const isPosition = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
