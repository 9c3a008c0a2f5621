/**
 * Numbers that a campaign draws: a counter-based generator, so that the numbers of one row depend on its key alone,
 * never on how many rows were drawn before it, by whom, or in which order. SHA-256 of key and counter, which every
 * platform computes alike. Not for anything that must be fast: a row draws a handful.
 */
import { createHash } from 'node:crypto';
import { invariant } from '../../../engine/index.ts';

export interface RowRandom {
  /** Uniform over 0 … below − 1; `below` from 1 to 2^48. */
  integer(below: number): number;
  /** Uniform over the range, both ends included. */
  between(range: readonly [low: number, high: number]): number;
  /** A uniformly chosen element of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
}

const DRAW_BYTES = 6;
const DRAW_SPAN = 2 ** (8 * DRAW_BYTES);

/** The generator of a key; equal keys give equal sequences. */
export function rowRandom(...key: readonly (string | number)[]): RowRandom {
  const prefix = JSON.stringify(key);
  let counter = 0;
  const draw = () => createHash('sha256').update(`${prefix}#${counter++}`).digest().readUIntBE(0, DRAW_BYTES);
  const integer = (below: number): number => {
    invariant(Number.isInteger(below) && below >= 1 && below <= DRAW_SPAN, `cannot draw below ${below}`);
    // Values past the last whole multiple would favour the low ones.
    const limit = DRAW_SPAN - (DRAW_SPAN % below);
    let value = draw();
    while (value >= limit) value = draw();
    return value % below;
  };
  return {
    integer,
    between: ([low, high]) => low + integer(high - low + 1),
    pick(list) {
      invariant(list.length > 0, 'cannot pick from an empty list');
      return list[integer(list.length)]!;
    },
  };
}
