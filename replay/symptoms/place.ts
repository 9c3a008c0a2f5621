/**
 * Who did it: goes right before something that a trace has a record of (a byte of the console, a note), and sees which
 * instruction stores to a device then. Moves the timeline.
 */
import type { MachineEvent } from '../../engine/index.ts';
import type { Position } from '../base/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import type { SymptomPlace } from './types.ts';

/**
 * The place right before a record: it stands behind what happened, which took one tick. Without a hart where no
 * instruction did it, but a device at its own time.
 * @throws TraceError when the trace does not replay
 */
export function placeBefore(run: TraceTimeline, record: Position): SymptomPlace {
  const { machine } = run;
  run.toTicks(Math.max(0, record.ticks - 1), 'applied');
  const { moment, ticks } = machine;
  const { onEvent, observed } = machine;
  let store: Extract<MachineEvent, { kind: 'access' }> | undefined;
  machine.observed = { transitions: 'none', accesses: true, csrWrites: false };
  machine.onEvent = (event) => {
    if (event.kind === 'access' && event.access === 'store') store = event;
  };
  try {
    run.forwardToTicks(record.ticks, 'pending');
  } finally {
    machine.onEvent = onEvent;
    machine.observed = observed;
  }
  if (!store) return { moment, ticks };
  const { hart, pc, mode, vmid } = store;
  return { moment, ticks, hart, pc, mode, vmid };
}

/** The end of a run. */
export const endPlace = ({ trace: { last } }: TraceTimeline): SymptomPlace => ({
  moment: last.moment,
  ticks: last.ticks,
});
