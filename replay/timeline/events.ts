/**
 * The events of a run, from its trace: injected faults, console input, pokes, and the notes that software inside
 * wrote (detection, recovery phases, resumption). Relies on the engine's table of notes; executes nothing.
 */
import { type NoteName, noteName, noteText, RESET_NOTE } from '../../engine/index.ts';
import type { Trace, TraceInput, TraceNote } from '../../traces/index.ts';
import { endText, type Position } from '../base/index.ts';

/** Something that happened in a run, as its trace says: right before the next instruction of its position. */
export interface RunEvent extends Position {
  readonly kind: 'fault' | 'detected' | 'resumed' | 'failed' | 'recovery' | 'note' | 'progress' | 'input' | 'end';
  /** One letter that stands for it in a picture. */
  readonly glyph: string;
  readonly text: string;
  /** Running on stops here: faults, detections, resumptions, the end. */
  readonly stop: boolean;
}

type Shape = Pick<RunEvent, 'kind' | 'glyph' | 'stop'>;

const SHAPES: Record<NoteName, Shape> = {
  FIRMWARE_UP: { kind: 'note', glyph: 'm', stop: false },
  HYPERVISOR_UP: { kind: 'note', glyph: 'u', stop: false },
  VM_PROGRESS: { kind: 'progress', glyph: '·', stop: false },
  VM_DONE: { kind: 'note', glyph: 'v', stop: false },
  DETECTED_TRAP: { kind: 'detected', glyph: 'D', stop: true },
  DETECTED_HANG: { kind: 'detected', glyph: 'D', stop: true },
  FROZEN: { kind: 'recovery', glyph: 'z', stop: false },
  REBOOTED: { kind: 'recovery', glyph: 'b', stop: false },
  RESET: { kind: 'recovery', glyph: 'b', stop: false },
  REINTEGRATED: { kind: 'recovery', glyph: 'a', stop: false },
  FRAMES_FREED: { kind: 'recovery', glyph: 'x', stop: false },
  FIXUP: { kind: 'recovery', glyph: 'x', stop: false },
  RESUMED: { kind: 'resumed', glyph: 'R', stop: true },
  RECOVERY_FAILED: { kind: 'failed', glyph: 'X', stop: true },
};
const RESET: Shape = { kind: 'note', glyph: 'B', stop: true };
const UNDECLARED: Shape = { kind: 'note', glyph: 'n', stop: false };

/** Events that are listed, drawn and jumped to: far more than anybody looks through. */
const MAX_EVENTS = 20_000;

/**
 * The events of a run in order of their moments, inputs before notes; the end of the run is one too. Of more than
 * 20,000 the first ones, and the end: a guest can write notes without end.
 */
export function eventsOf(trace: Trace): RunEvent[] {
  const events: RunEvent[] = [];
  let listed = 0;
  for (const event of eachEvent(trace)) {
    if (event.kind !== 'end' && ++listed > MAX_EVENTS) break;
    events.push(event);
  }
  return events.some(({ kind }) => kind === 'end') ? events : [...events, endEvent(trace)];
}

/** The same without a bound, one after another. */
export function* eachEvent(trace: Trace): Generator<RunEvent> {
  const { inputs, notes, last } = trace;
  let hasEnded = false;
  for (let [i, n] = [0, 0]; i < inputs.length || n < notes.length; ) {
    const [input, note] = [inputs.at(i), notes.at(n)];
    const isInput = input && !(note && note.moment < input.moment);
    const event = isInput ? inputEvent(input) : noteEvent(note!);
    // A killed recorder may have written inputs behind the last position that anything vouches for.
    if (event.moment > last.moment && !hasEnded) {
      yield endEvent(trace);
      hasEnded = true;
    }
    yield event;
    if (isInput) i++;
    else n++;
  }
  if (!hasEnded) yield endEvent(trace);
}

function endEvent({ end, last }: Trace): RunEvent {
  const text = end ? `end of the run: ${endText(end)}` : 'the recording was cut off here';
  return { ...last, kind: 'end', glyph: 'E', text, stop: true };
}

function noteEvent({ moment, ticks, code, arg }: TraceNote): RunEvent {
  const name = noteName(code);
  const undeclared = code === RESET_NOTE ? RESET : UNDECLARED;
  return { ...(name ? SHAPES[name] : undeclared), moment, ticks, text: noteText(code, arg) };
}

function inputEvent(input: TraceInput): RunEvent {
  const { moment, ticks } = input;
  if (input.kind === 'fault') {
    return { moment, ticks, kind: 'fault', glyph: 'F', text: `fault: ${describeFault(input.data)}`, stop: true };
  }
  const glyph = input.kind === 'poke' ? 'p' : 'i';
  return { moment, ticks, kind: 'input', glyph, text: `${input.kind} input`, stop: input.kind === 'poke' };
}

/** Traces know no machine, so an input's data is opaque to them: read it without trusting it. */
function describeFault(data: unknown): string {
  const outer = (data ?? {}) as Record<string, unknown>;
  const fault = (typeof outer.fault === 'object' && outer.fault !== null ? outer.fault : outer) as Record<
    string,
    unknown
  >;
  const rest = Object.entries(fault)
    .filter(([key]) => key !== 'model')
    .map(
      ([key, value]) =>
        `${key} ${key === 'paddr' && typeof value === 'number' ? `0x${value.toString(16)}` : String(value)}`,
    );
  return [String(fault.model ?? 'unknown model'), ...rest].join(', ');
}
