/**
 * Which inputs only one of two runs has.
 * Relies on inputs being in order of position, as a trace holds them. Compares content, not effects: a poke that
 * writes what is there already differs here and changes nothing in the machine.
 */
import { isDeepStrictEqual } from 'node:util';
import { formatFault, type InputEvent, UserError } from '../../engine/index.ts';
import { firstFrom, type RecordList } from '../../traces/index.ts';
import type { Position } from '../base/index.ts';

/** An input with its decoded event. */
export interface TimedInput extends Position {
  readonly event: InputEvent;
}

/** All inputs of one position, where the two runs disagree about them. */
export interface InputDifference extends Position {
  /**
   * What A applies there and B does not, and the other way round; in order. Both may be empty when only order differs.
   */
  readonly onlyA: readonly InputEvent[];
  readonly onlyB: readonly InputEvent[];
}

/** Positions at which the runs' inputs differ, in order, from a virtual time on. Reads no further than it is asked. */
export function* differingInputs(
  a: RecordList<TimedInput>,
  b: RecordList<TimedInput>,
  from = 0,
): Generator<InputDifference> {
  let [atA, atB] = [firstFrom(a, 'ticks', from), firstFrom(b, 'ticks', from)];
  while (atA < a.length || atB < b.length) {
    const [nextA, nextB] = [a.at(atA), b.at(atB)];
    const ticks = Math.min(nextA?.ticks ?? Infinity, nextB?.ticks ?? Infinity);
    const { moment } = nextA?.ticks === ticks ? nextA : nextB!;
    const hereA = eventsAt(a, atA, ticks);
    const hereB = eventsAt(b, atB, ticks);
    atA += hereA.length;
    atB += hereB.length;
    if (isDeepStrictEqual(hereA, hereB)) continue;
    yield { moment, ticks, onlyA: without(hereA, hereB), onlyB: without(hereB, hereA) };
  }
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

/** Inputs at one position: a plan has a few, and somebody who types or sends is asked once at each. */
const MAX_AT_ONCE = 10_000;

function eventsAt(inputs: RecordList<TimedInput>, from: number, ticks: number): InputEvent[] {
  const events: InputEvent[] = [];
  for (let n = from; n < inputs.length; n++) {
    const input = inputs.at(n)!;
    if (input.ticks !== ticks) break;
    if (events.length === MAX_AT_ONCE) throw new UserError(`more than ${MAX_AT_ONCE} inputs at tick ${ticks}`);
    events.push(input.event);
  }
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
