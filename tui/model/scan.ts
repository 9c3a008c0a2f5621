/**
 * Fills the lanes by running through the whole trace once with transitions observed, in slices, on a time traveller
 * of its own: the one that the user moves is never disturbed. Relies on `Machine.onEvent`, which does not influence
 * the run.
 */
import type { TimeTravel } from '../../replay/index.ts';
import { activityOf, type Lanes } from './lanes.ts';

export interface Scanner {
  readonly done: boolean;
  /** Scans up to `instructions` further. */
  advance(instructions: number): void;
}

/** @param travel used by the scanner alone from now on */
export function createScanner(travel: TimeTravel, lanes: Lanes): Scanner {
  const { machine, last } = travel;
  const stops = travel.trace.checkpoints.map((checkpoint) => checkpoint.moment);
  travel.seek(0);
  const sample = () => {
    for (let hart = 0; hart < lanes.hartCount; hart++) {
      const { mode, vmid } = machine.hart(hart);
      lanes.push(hart, machine.moment, activityOf(mode, vmid));
    }
    lanes.scannedTo = machine.moment;
  };
  sample();
  return {
    get done() {
      return lanes.scannedTo >= last.moment;
    },
    advance(instructions) {
      const begin = lanes.scannedTo;
      // A seek may jump to a checkpoint instead of running there, and what is jumped over is not observed:
      // approach each checkpoint by running.
      const stop = stops.find((moment) => moment > begin + 1) ?? last.moment;
      const target = Math.min(begin + instructions, last.moment, Math.max(stop - 1, begin + 1));
      machine.onEvent = (event) => {
        if (event.kind !== 'transition' || event.moment < begin || event.moment > target) return;
        lanes.push(event.hart, event.moment, activityOf(event.to, event.vmid));
      };
      travel.seek(target);
      machine.onEvent = undefined;
      sample();
    },
  };
}
