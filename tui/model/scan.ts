/**
 * Fills the lanes by running through the whole trace once with transitions observed, in slices, on a machine of its
 * own: the one that the user moves is never disturbed. Relies on `Machine.onEvent`, which does not influence the run.
 */
import { type RecordedPlayer, recordingOf } from '../../replay/index.ts';
import { type Trace, TraceError } from '../../traces/index.ts';
import { activityOf, type Lanes } from '../panels/index.ts';

export interface Scanner {
  readonly done: boolean;
  /** Scans up to `instructions` further. */
  advance(instructions: number): void;
  /** Goes on to the end of the same trace, of which more has been written. */
  grow(trace: Trace): void;
}

/**
 * @param player at moment 0, used by the scanner alone from now on
 * @param lastMoment where the run ends
 */
export function createScanner(
  player: Pick<RecordedPlayer, 'machine' | 'toMoment' | 'extend'>,
  lastMoment: number,
  lanes: Lanes,
): Scanner {
  const { machine } = player;
  let last = lastMoment;
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
      return isStuck || machine.moment >= last;
    },
    advance(instructions) {
      // A trace that does not replay to its end keeps the lanes that it has; `verify` says what is wrong with it.
      isStuck = !reaches(player, Math.min(machine.moment + instructions, last));
      lanes.scannedTo = machine.moment;
    },
    grow(trace) {
      player.extend(recordingOf(trace));
      last = trace.last.moment;
    },
  };
}

function reaches(player: Pick<RecordedPlayer, 'toMoment'>, moment: number): boolean {
  try {
    return player.toMoment(moment);
  } catch (error) {
    // The file has been damaged since it was opened.
    if (error instanceof TraceError) return false;
    throw error;
  }
}
