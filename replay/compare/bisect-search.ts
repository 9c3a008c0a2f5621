/**
 * Binary search for the first difference between two re-executed runs, to the exact tick.
 * Relies on the runs being equal at the lower end and different at the upper one, and on no differing input lying
 * between them; then states that differ stay different. Positions probed are remembered as snapshots.
 */

import type { Position } from '../base/index.ts';
import type { Pair } from './bisect-pair.ts';

/**
 * Leaves both runs at the last equal position and returns the first different one. By virtual time, not by moment:
 * inside one moment there may be traps, and waiting, so many ticks.
 */
export function searchBetween(pair: Pair, equalAt: Position, differsAt: Position): Position {
  let [low, high] = [equalAt, differsAt];
  const goTo = (ticks: number) => {
    pair.a.toTicks(ticks, 'applied');
    pair.b.toTicks(ticks, 'applied');
  };
  while (high.ticks - low.ticks > 1) {
    goTo(low.ticks + Math.floor((high.ticks - low.ticks) / 2));
    const { moment, ticks } = pair.a.machine;
    if (pair.equal()) low = { moment, ticks };
    else high = { moment, ticks };
  }
  goTo(low.ticks);
  return high;
}
