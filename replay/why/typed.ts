/** Which of the bytes that were typed software took from the console at a position. */
import type { TraceTimeline } from '../timeline/index.ts';

/** An input of the trace, from 0, and a byte of it. */
export interface TypedByte {
  readonly index: number;
  readonly byte: number;
}

/**
 * The `nth` byte, from 0, of those that are taken in the tick that begins at `ticks`; undefined: none is. Relies on
 * bytes being taken in the order in which they were typed, and on none having been lost while others wait: those that
 * wait are the last ones then. Moves the run.
 */
export function typedByte(run: TraceTimeline, ticks: number, nth: number): TypedByte | undefined {
  const { machine, player } = run;
  run.toTicks(ticks, 'applied');
  const before = machine.consoleUnread;
  run.toTicks(ticks + 1, 'pending');
  if (machine.consoleUnread >= before || nth >= before) return undefined;
  // From the end: the last of those that waited, and so on.
  let left = before - nth;
  for (let index = player.inputsBefore(ticks + 1) - 1; index >= 0; index--) {
    const { event } = player.inputs.at(index)!;
    if (event.kind !== 'console') continue;
    if (left <= event.bytes.length) return { index, byte: event.bytes.length - left };
    left -= event.bytes.length;
  }
  return undefined;
}
