/**
 * When a value changed that nobody wrote: the exact position, by looking at the machine between two steps.
 * Relies on the location holding its new value from some position between them on.
 */
import type { Ticks } from '../../engine/index.ts';
import type { Position } from '../base/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import type { Location } from './flow.ts';
import { valueNow } from './producer.ts';
import type { RunSteps, StepNumber } from './steps.ts';

/**
 * The first position behind a step, and not behind `until`, at which a location has its new value: right before its
 * inputs. Moves the run.
 */
export function changeOf(
  a: RunSteps,
  location: Location,
  after: bigint,
  written: StepNumber | undefined,
  until: Ticks,
): Position {
  const from = written === undefined ? a.run.first.ticks : a.get(written).ticks + 1;
  return firstWith(a, from, until, (machine) => valueNow(machine, location) === after);
}

/** The same for a pc that is not where the step before leads. */
export function pcChangeOf(a: RunSteps, hart: number, after: bigint, written: StepNumber, found: StepNumber): Position {
  return firstWith(a, a.get(written).ticks + 1, a.get(found).ticks, (machine) => machine.hart(hart).pc === after);
}

/** Relies on the condition holding from somewhere in [from, to] on. */
function firstWith(
  { run }: RunSteps,
  from: number,
  to: number,
  holds: (machine: RunSteps['run']['machine']) => boolean,
): Position {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    run.toTicks(middle, 'applied');
    if (holds(run.machine)) high = middle;
    else low = middle + 1;
  }
  run.toTicks(low, 'pending');
  const { moment, ticks } = run.machine;
  return { moment, ticks };
}

/** Kinds of the trace's inputs at a position. */
export function inputsAt({ player }: TraceTimeline, { ticks }: Position): string[] {
  const kinds: string[] = [];
  for (let n = player.inputsBefore(ticks); n < player.inputsBefore(ticks + 1); n++)
    kinds.push(player.inputs.at(n)!.event.kind);
  return kinds;
}
