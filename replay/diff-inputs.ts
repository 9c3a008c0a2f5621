/**
 * Which inputs only one of two runs has.
 * Relies on inputs being in order of position, as a trace holds them. Compares content, not effects: a poke that
 * writes what is there already differs here and changes nothing in the machine.
 */
import { isDeepStrictEqual } from 'node:util';
import { formatFault, type InputEvent } from '../engine/index.ts';
import type { Position } from './types.ts';

/** An input with its decoded event. */
export interface TimedInput extends Position {
  readonly event: InputEvent;
}

/** All inputs of one position, where the two runs disagree about them. */
export interface InputDifference extends Position {
  /** What A applies there and B does not, and the other way round; in order. Both may be empty when only order differs. */
  readonly onlyA: readonly InputEvent[];
  readonly onlyB: readonly InputEvent[];
}

/** Positions at which the runs' inputs differ, first one first. */
export function differingInputs(a: readonly TimedInput[], b: readonly TimedInput[]): InputDifference[] {
  const found: InputDifference[] = [];
  let [atA, atB] = [0, 0];
  while (atA < a.length || atB < b.length) {
    const ticks = Math.min(a[atA]?.ticks ?? Infinity, b[atB]?.ticks ?? Infinity);
    const hereA = eventsAt(a, atA, ticks);
    const hereB = eventsAt(b, atB, ticks);
    const { moment } = hereA.length > 0 ? a[atA]! : b[atB]!;
    atA += hereA.length;
    atB += hereB.length;
    if (isDeepStrictEqual(hereA, hereB)) continue;
    found.push({ moment, ticks, onlyA: without(hereA, hereB), onlyB: without(hereB, hereA) });
  }
  return found;
}

/** An input for people: `fault failstop,hart=0`, `poke 0x8020_1000 = 01`, `console "ls\n"`. */
export function describeEvent(event: InputEvent): string {
  switch (event.kind) {
    case 'fault':
      return `fault ${formatFault(event.fault)}`;
    case 'console':
      return `console ${JSON.stringify(new TextDecoder().decode(event.bytes))}`;
    case 'net':
      return `frame for virtio slot ${event.slot}, ${event.bytes.length} bytes`;
    case 'poke':
      return `poke 0x${event.paddr.toString(16)} = ${Buffer.from(event.bytes).toString('hex')}`;
  }
}

function eventsAt(inputs: readonly TimedInput[], from: number, ticks: number): InputEvent[] {
  const events: InputEvent[] = [];
  for (let n = from; inputs[n]?.ticks === ticks; n++) events.push(inputs[n]!.event);
  return events;
}

function without(events: readonly InputEvent[], others: readonly InputEvent[]): InputEvent[] {
  const left = [...others];
  return events.filter((event) => {
    const at = left.findIndex((other) => isDeepStrictEqual(event, other));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
