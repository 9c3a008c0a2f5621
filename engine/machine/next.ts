/**
 * The instruction that comes next where only running shows it: behind what devices are about to do, or behind a reset.
 * Leaves the machine as it found it, and its observer unaware.
 */
import type { Machine, Ticks } from './types.ts';

/** An instruction that has not run yet. */
export interface Next {
  readonly hart: number;
  readonly pc: bigint;
}

/**
 * Runs the machine past all that acts before its next instruction, and puts it back.
 * `acting`: when the next of that is due; `peek`: the instruction, undefined where something acts before it.
 */
export function nextByRunning(machine: Machine, acting: () => Ticks, peek: () => Next | undefined): Next {
  const start = machine.snapshot();
  const { onEvent, onWatchHit } = machine;
  machine.onEvent = undefined;
  machine.onWatchHit = undefined;
  try {
    for (;;) {
      machine.run({ ticks: Math.max(machine.ticks, acting()) + 1 });
      const found = peek();
      if (found) return found;
    }
  } finally {
    machine.restore(start);
    machine.onEvent = onEvent;
    machine.onWatchHit = onWatchHit;
  }
}
