/**
 * Binary search for the first difference between two re-executed runs, to the exact tick.
 * Relies on the runs being equal at the lower end and different at the upper one, and on no differing input lying
 * between them; then states that differ stay different. Positions probed are remembered as snapshots.
 */

import type { Position } from '../base/index.ts';
import type { Pair } from './bisect-pair.ts';

/** Leaves both runs at the last equal position and returns the first different one. */
export function searchBetween(pair: Pair, equalAt: Position, differsAt: Position): Position {
  const moments = byMoment(pair, equalAt, differsAt);
  const first = byTick(pair, moments.equalAt, moments.differsAt);
  pair.a.toTicks(first.equalAt.ticks, 'applied');
  pair.b.toTicks(first.equalAt.ticks, 'applied');
  return first.differsAt;
}

interface Bracket {
  readonly equalAt: Position;
  readonly differsAt: Position;
}

function byMoment(pair: Pair, equalAt: Position, differsAt: Position): Bracket {
  let [low, high] = [equalAt, differsAt];
  while (high.moment - low.moment > 1) {
    const middle = low.moment + Math.floor((high.moment - low.moment) / 2);
    pair.a.toMoment(middle);
    pair.b.toMoment(middle);
    [low, high] = probe(pair, low, high);
  }
  return { equalAt: low, differsAt: high };
}

/** Inside one moment there may be traps, and waiting: many ticks. */
function byTick(pair: Pair, equalAt: Position, differsAt: Position): Bracket {
  let [low, high] = [equalAt, differsAt];
  while (high.ticks - low.ticks > 1) {
    const middle = low.ticks + Math.floor((high.ticks - low.ticks) / 2);
    pair.a.toTicks(middle, 'applied');
    pair.b.toTicks(middle, 'applied');
    [low, high] = probe(pair, low, high);
  }
  return { equalAt: low, differsAt: high };
}

function probe(pair: Pair, low: Position, high: Position): [Position, Position] {
  const { moment, ticks } = pair.a.machine;
  const here = { moment, ticks };
  if (!pair.equal()) return [low, here];
  return [here, high];
}
