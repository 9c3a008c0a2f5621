/**
 * Up to where two runs did the same: the last position at which all harts stand alike in both. Memory may differ there
 * already, in what nobody has read yet.
 * Relies on harts that once differ mostly staying so: else it is some such position, which serves as well.
 */
import type { Machine, Ticks } from '../../engine/index.ts';
import type { SearchedRun, Slices } from '../search/index.ts';

/** The last tick, not behind `until`, at which all harts of both runs have the same registers. Moves both. */
export function* lastAlike(a: SearchedRun, b: SearchedRun, until: Ticks): Slices<Ticks> {
  let [low, high] = [0, until];
  if (alikeAt(a, b, until)) return until;
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (alikeAt(a, b, middle)) low = middle;
    else high = middle;
    yield { moment: a.machine.moment, executed: 0 };
  }
  return low;
}

function alikeAt(a: SearchedRun, b: SearchedRun, ticks: Ticks): boolean {
  a.toTicks(ticks, 'pending');
  b.toTicks(ticks, 'pending');
  return alike(a.machine, b.machine);
}

function alike(a: Machine, b: Machine): boolean {
  for (let hart = 0; hart < a.config.harts; hart++) {
    const [ofA, ofB] = [a.hart(hart), b.hart(hart)];
    if (ofA.pc !== ofB.pc || ofA.mode !== ofB.mode || ofA.vmid !== ofB.vmid || ofA.instret !== ofB.instret)
      return false;
    if (ofA.x.some((value, n) => value !== ofB.x[n])) return false;
  }
  return true;
}
