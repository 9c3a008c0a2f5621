/**
 * What a run showed: console, notes, crossings between VMs and hypervisor, frames, each with its position. A run that
 * starts from a snapshot of the golden run has the golden run's past: a log is a prefix of another one plus its own.
 * Relies on events coming in order of time. Plain data; judges nothing.
 */
import {
  isDetection,
  type MachineEvent,
  NOTES,
  type NoteName,
  noteName,
  type StopReason,
} from '../../../engine/index.ts';
import { type Crossing, crossingOf, type NoteAt } from '../../../replay/index.ts';

/** A frame that left the machine. */
export interface SentFrame {
  readonly ticks: number;
  readonly slot: number;
  readonly bytes: Uint8Array;
}

/** How much of each list of a log there was at some position. */
export interface LogMark {
  readonly console: number;
  readonly notes: number;
  readonly crossings: number;
  readonly frames: number;
}

export class RunLog {
  readonly console: { readonly ticks: number; readonly byte: number }[];
  readonly notes: NoteAt[];
  readonly crossings: Crossing[];
  readonly frames: SentFrame[];
  /** Whether a failure has been detected. */
  detected = false;

  constructor(past?: RunLog, mark: LogMark = past?.mark() ?? NOTHING) {
    this.console = past?.console.slice(0, mark.console) ?? [];
    this.notes = past?.notes.slice(0, mark.notes) ?? [];
    this.crossings = past?.crossings.slice(0, mark.crossings) ?? [];
    this.frames = past?.frames.slice(0, mark.frames) ?? [];
  }

  mark(): LogMark {
    const { console, notes, crossings, frames } = this;
    return {
      console: console.length,
      notes: notes.length,
      crossings: crossings.length,
      frames: frames.length,
    };
  }

  add(event: MachineEvent): void {
    if (event.kind === 'console') this.console.push({ ticks: event.ticks, byte: event.byte });
    else if (event.kind === 'net') this.frames.push({ ticks: event.ticks, slot: event.slot, bytes: event.bytes });
    else if (event.kind === 'note') {
      const { moment, ticks, hart, code, arg } = event;
      this.notes.push({ moment, ticks, hart, code, arg });
      this.detected ||= isDetection(code);
    } else {
      const crossing = crossingOf(event);
      if (crossing) this.crossings.push(crossing);
    }
  }

  /** The same with what another log has behind a position: of a run that went on as that one. */
  continuedAs(other: RunLog, from: LogMark): RunLog {
    const whole = new RunLog(this);
    // Not spread into push: there may be more of them than a call may have arguments.
    for (const byte of other.console.slice(from.console)) whole.console.push(byte);
    for (const note of other.notes.slice(from.notes)) whole.notes.push(note);
    for (const crossing of other.crossings.slice(from.crossings)) whole.crossings.push(crossing);
    for (const frame of other.frames.slice(from.frames)) whole.frames.push(frame);
    whole.detected = this.detected;
    return whole;
  }

  /** All that was printed. */
  text(): string {
    return Buffer.from(this.console.map(({ byte }) => byte))
      .toString('utf8')
      .replaceAll('\r', '');
  }

  /** The last line of the firmware or the hypervisor; undefined when they printed none. */
  lastWords(): string | undefined {
    return this.text()
      .split('\n')
      .findLast((line) => /^(?:firmware|lazarus|recovery): /.test(line));
  }

  /** The first note of a kind, at or after a virtual time. */
  note(name: NoteName, from = 0): NoteAt | undefined {
    return this.notes.find(({ code, ticks }) => code === NOTES[name].code && ticks >= from);
  }

  detections(): NoteAt[] {
    return this.notes.filter(({ code }) => isDetection(code));
  }

  /** VMIDs that have finished. */
  finished(): Set<number> {
    return new Set(this.notes.filter(({ code }) => noteName(code) === 'VM_DONE').map(({ arg }) => arg));
  }
}

/** A run that is over. */
export interface Ending {
  /** All of it: behind the position where the run was the golden run again, the golden run's. */
  readonly log: RunLog;
  readonly stop: StopReason;
  readonly converged: boolean;
  readonly moment: number;
  readonly ticks: number;
  readonly digest: bigint;
  /** Why isolation does not hold at the end. */
  readonly isolation: readonly string[];
  /** The machine's state is the golden run's at its end. */
  readonly isGolden: boolean;
  /** Of the domains that there are at the end, by VMID. */
  readonly statuses: ReadonlyMap<number, bigint>;
}

const NOTHING: LogMark = { console: 0, notes: 0, crossings: 0, frames: 0 };

/**
 * Lines that a VM printed, without its prefix. Beside an unmodified guest they come `anywhere`: in the middle of a line
 * that the guest has not ended.
 */
export function linesOfVm(text: string, name: string, anywhere = false): string[] {
  const prefix = `${name}: `;
  return text.split('\n').flatMap((line) => {
    const at = anywhere ? line.indexOf(prefix) : line.startsWith(prefix) ? 0 : -1;
    return at < 0 ? [] : [line.slice(at + prefix.length)];
  });
}

/** What the firmware, Lazarus and VMs of ours print: whole lines at once, also in the middle of a line of the guest. */
const OUR_LINES = /(?:firmware|recovery|lazarus|vm\d+): [^\n]*\n/g;
/** What Linux says about time, which a recovery takes: of the line that it stands in only this is left out. */
const LINUX_TIMES = /^\[ *\d+\.\d+\] |(?<= in )\d+ ?ms\b/g;
/** Said whenever enough time has passed. */
const LINUX_WHENEVER = /^random: crng init done$/;

/** What an unmodified guest printed, without all that is not its own: line breaks stay. */
export const consoleOfGuest = (text: string): string => text.replace(OUR_LINES, '');

/** Lines of an unmodified guest, comparable between runs that took different times. */
export function linesOfGuest(text: string): string[] {
  const lines = consoleOfGuest(text).split('\n');
  return lines.map((line) => line.replace(LINUX_TIMES, '')).filter((line) => !LINUX_WHENEVER.test(line));
}
