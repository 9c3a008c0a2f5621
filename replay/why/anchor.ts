/**
 * Up to where two runs did the same: the last position at which all harts stand alike in both. Memory may differ there
 * already, in what nobody has read yet.
 * Relies on harts that once differ mostly staying so: else it is some such position, which serves as well.
 */
import { type Machine, type Ticks, UserError } from '../../engine/index.ts';
import type { SearchedRun, Slices } from '../search/index.ts';

/**
 * The last tick, not behind `until`, at which all harts of both runs have the same registers. Moves both.
 * @throws UserError when there is none: one of the traces is a cut from later on
 */
export function* lastAlike(a: SearchedRun, b: SearchedRun, until: Ticks): Slices<Ticks> {
  const start = Math.max(a.first.ticks, b.first.ticks);
  if (alikeAt(a, b, until)) return until;
  if (start > 0 && !alikeAt(a, b, start)) {
    throw new UserError(`the runs parted before tick ${start}, where one of the traces begins: it has nothing of that`);
  }
  let [low, high] = [start, until];
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
