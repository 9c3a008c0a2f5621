/**
 * Fills the lanes by running through the whole trace once with transitions observed, in slices, on a machine of its
 * own: the one that the user moves is never disturbed. Relies on `Machine.onEvent`, which does not influence the run.
 */
import type { Player } from '../../replay/index.ts';
import { activityOf, type Lanes } from '../panels/index.ts';

export interface Scanner {
  readonly done: boolean;
  /** Scans up to `instructions` further. */
  advance(instructions: number): void;
}

/**
 * @param player at moment 0, used by the scanner alone from now on
 * @param lastMoment where the run ends
 */
export function createScanner(player: Pick<Player, 'machine' | 'toMoment'>, lastMoment: number, lanes: Lanes): Scanner {
  const { machine } = player;
  let isStuck = false;
  machine.onEvent = (event) => {
    if (event.kind === 'transition') lanes.push(event.hart, event.moment, activityOf(event.to, event.vmid));
  };
  for (let hart = 0; hart < lanes.hartCount; hart++) {
    const { mode, vmid } = machine.hart(hart);
    lanes.push(hart, machine.moment, activityOf(mode, vmid));
  }
  return {
    get done() {
      return isStuck || machine.moment >= lastMoment;
    },
    advance(instructions) {
      // A trace that does not replay to its end keeps the lanes that it has; `verify` says what is wrong with it.
      isStuck = !player.toMoment(Math.min(machine.moment + instructions, lastMoment));
      lanes.scannedTo = machine.moment;
    },
  };
}
