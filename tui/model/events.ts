/**
 * The events of a run, from its trace: injected faults, console input, pokes, and the notes that software inside
 * wrote (detection, recovery phases, resumption). Relies on the engine's table of notes; executes nothing.
 */
import { type NoteName, noteName } from '../../engine/index.ts';
import type { Trace, TraceInput, TraceNote } from '../../traces/index.ts';
import { grouped, hex } from '../format.ts';
import type { RunEvent } from './types.ts';

type Shape = Pick<RunEvent, 'kind' | 'glyph' | 'stop'> & { readonly says: (arg: number) => string };

const SHAPES: Record<NoteName, Shape> = {
  FIRMWARE_UP: { kind: 'note', glyph: 'm', stop: false, says: (harts) => `firmware up on ${harts} harts` },
  HYPERVISOR_UP: { kind: 'note', glyph: 'u', stop: false, says: (n) => `hypervisor instance ${n} up` },
  VM_PROGRESS: { kind: 'progress', glyph: '·', stop: false, says: (vmid) => `VM ${vmid} made progress` },
  VM_DONE: { kind: 'note', glyph: 'v', stop: false, says: (vmid) => `VM ${vmid} finished` },
  DETECTED_TRAP: {
    kind: 'detected',
    glyph: 'D',
    stop: true,
    says: (cause) => `detected: unexpected trap ${hex(cause)}`,
  },
  DETECTED_HANG: { kind: 'detected', glyph: 'D', stop: true, says: (hart) => `detected: hart ${hart} hangs` },
  FROZEN: { kind: 'recovery', glyph: 'z', stop: false, says: (harts) => `${harts} harts frozen` },
  REBOOTED: { kind: 'recovery', glyph: 'b', stop: false, says: (n) => `hypervisor rebooted in place, instance ${n}` },
  REINTEGRATED: { kind: 'recovery', glyph: 'a', stop: false, says: (n) => `${n} domains re-integrated` },
  FIXUP: { kind: 'recovery', glyph: 'x', stop: false, says: (bit) => `fix-up ${bit} ran` },
  RESUMED: { kind: 'resumed', glyph: 'R', stop: true, says: (ms) => `VMs resumed after ${ms} ms of recovery` },
  RECOVERY_FAILED: { kind: 'failed', glyph: 'X', stop: true, says: (reason) => `recovery failed, reason ${reason}` },
};

/** All events of a run in order of their moments; the end of the run is one too. */
export function eventsOf(trace: Trace): RunEvent[] {
  const events = [...trace.inputs.map(inputEvent), ...trace.notes.map(noteEvent)];
  const text = trace.end ? `end of the run: ${trace.end.reason}` : 'the recording was cut off here';
  events.push({ moment: trace.last.moment, kind: 'end', glyph: 'E', text, stop: true });
  // Array.prototype.sort is stable: what shares a moment stays in the order in which it was recorded.
  return events.sort((a, b) => a.moment - b.moment);
}

function noteEvent(note: TraceNote): RunEvent {
  const name = noteName(note.code);
  if (name === undefined) {
    const text = `note ${hex(note.code)}, argument ${note.arg}`;
    return { moment: note.moment, kind: 'note', glyph: 'n', text, stop: false };
  }
  const { says, ...shape } = SHAPES[name];
  return { ...shape, moment: note.moment, text: says(note.arg) };
}

function inputEvent(input: TraceInput): RunEvent {
  const { moment } = input;
  if (input.kind === 'fault') {
    return { moment, kind: 'fault', glyph: 'F', text: `fault: ${describeFault(input.data)}`, stop: true };
  }
  const glyph = input.kind === 'poke' ? 'p' : 'i';
  return { moment, kind: 'input', glyph, text: `${input.kind} input`, stop: input.kind === 'poke' };
}

/** Traces know no machine, so an input's data is opaque to them: read it without trusting it. */
export function describeFault(data: unknown): string {
  const outer = (data ?? {}) as Record<string, unknown>;
  const fault = (typeof outer.fault === 'object' && outer.fault !== null ? outer.fault : outer) as Record<
    string,
    unknown
  >;
  const rest = Object.entries(fault)
    .filter(([key]) => key !== 'model')
    .map(([key, value]) => `${key} ${key === 'paddr' && typeof value === 'number' ? hex(value) : String(value)}`);
  return [String(fault.model ?? 'unknown model'), ...rest].join(', ');
}

/** "detected: hart 1 hangs at 8,123,456". */
export const atMoment = (event: RunEvent): string => `${event.text} at ${grouped(event.moment)}`;
