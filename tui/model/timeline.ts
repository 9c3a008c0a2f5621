/**
 * The timeline as text: a ruler with the present moment, one lane per hart lettered by what it did, and a row of
 * events. Relies on lanes.ts for activity; letters say everything that colours say.
 */
import { grouped } from '../format.ts';
import { ACTIVITY, VM_BASE } from './lanes.ts';
import { type Line, type RunEvent, type Session, type Span, span, type Tone } from './types.ts';

/** ">hart 0 " and the like. */
const LABEL_WIDTH = 8;

export const timelineWidth = (columns: number): number => columns - LABEL_WIDTH;

/** More harts than this scroll with the selected one. */
export const MAX_LANES = 4;

/** Ruler, lanes, events. */
export function timelineLines(session: Session): Line[] {
  const width = timelineWidth(session.state.columns);
  const hartCount = session.travel.machine.config.harts;
  const shown = Math.min(hartCount, MAX_LANES);
  const first = Math.min(Math.max(0, session.state.hart - shown + 1), hartCount - shown);
  const lanes = Array.from({ length: shown }, (_, i) => laneLine(session, first + i, width));
  return [rulerLine(session, width), ...lanes, eventLine(session, width)];
}

const LETTERS: Record<number, Span> = {
  [ACTIVITY.unknown]: span(' ', 'dim'),
  [ACTIVITY.U]: span('u', 'modeU'),
  [ACTIVITY.S]: span('s', 'modeS'),
  [ACTIVITY.HS]: span('H', 'modeH'),
  [ACTIVITY.M]: span('M', 'modeM'),
};
const VM_TONES: readonly Tone[] = ['vm4', 'vm1', 'vm2', 'vm3'];

/** The letter of an activity: M machine mode, H hypervisor, 1… the VM with that VMID, s and u without a hypervisor. */
export function activitySpan(activity: number): Span {
  if (activity < VM_BASE) return LETTERS[activity] ?? LETTERS[ACTIVITY.unknown]!;
  const vmid = activity - VM_BASE;
  return span(vmid < 10 ? String(vmid) : '+', VM_TONES[vmid % VM_TONES.length]!);
}

function laneLine(session: Session, hart: number, width: number): Line {
  const { from, to } = session.state;
  const mark = hart === session.state.hart ? '>' : ' ';
  const label = span(`${mark}hart ${hart}`.padEnd(LABEL_WIDTH), mark === '>' ? 'focus' : 'plain');
  return [label, ...merged(session.lanes.cells(hart, from, to, width).map(activitySpan))];
}

function rulerLine(session: Session, width: number): Line {
  const { from, to } = session.state;
  const left = grouped(from);
  const right = grouped(to);
  const cells = [...`${left}${'·'.repeat(Math.max(0, width - left.length - right.length))}${right}`].slice(0, width);
  const here = cellOf(session.travel.moment, from, to, width);
  const before = cells.slice(0, here).join('');
  const after = cells.slice(here + 1).join('');
  return [span('moment'.padEnd(LABEL_WIDTH)), span(before, 'dim'), span('V', 'current'), span(after, 'dim')];
}

/** When several events fall into one cell, the first kind listed here is shown. */
const PRECEDENCE: readonly RunEvent['kind'][] = [
  'fault',
  'detected',
  'resumed',
  'failed',
  'recovery',
  'input',
  'end',
  'note',
  'progress',
];
export const EVENT_TONES: Record<RunEvent['kind'], Tone> = {
  fault: 'fault',
  detected: 'detected',
  resumed: 'resumed',
  failed: 'fault',
  recovery: 'event',
  note: 'dim',
  progress: 'dim',
  input: 'event',
  end: 'strong',
};

function eventLine(session: Session, width: number): Line {
  const { from, to } = session.state;
  const cells: Span[] = Array.from({ length: width }, () => span(' ', 'dim'));
  const inRange = (moment: number) => moment >= from && moment <= to;
  for (const { moment } of session.travel.trace.checkpoints) {
    if (inRange(moment)) cells[cellOf(moment, from, to, width)] = span('.', 'dim');
  }
  const rank = (event: RunEvent) => PRECEDENCE.indexOf(event.kind);
  for (const event of [...session.events].sort((a, b) => rank(b) - rank(a))) {
    if (inRange(event.moment))
      cells[cellOf(event.moment, from, to, width)] = span(event.glyph, EVENT_TONES[event.kind]);
  }
  return [span('events'.padEnd(LABEL_WIDTH)), ...merged(cells)];
}

/** The cell of a moment; the right end belongs to the last one. */
export function cellOf(moment: number, from: number, to: number, width: number): number {
  return Math.min(width - 1, Math.max(0, Math.floor(((moment - from) / (to - from)) * width)));
}

/** Joins neighbours of one tone: fewer pieces to draw. */
function merged(cells: readonly Span[]): Span[] {
  const out: Span[] = [];
  for (const cell of cells) {
    const last = out.at(-1);
    if (last?.tone === cell.tone) out[out.length - 1] = span(last.text + cell.text, cell.tone);
    else out.push(cell);
  }
  return out;
}
