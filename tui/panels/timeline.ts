/**
 * The timeline as text: a ruler with the present moment, one lane per hart lettered by what it did, and a row of
 * events. Relies on lanes.ts for activity; letters say everything that colours say.
 */
import { grouped } from '../base/index.ts';
import { ACTIVITY, VM_BASE } from './lanes.ts';
import { span } from './text.ts';
import type { Line, Session, SessionEvent, Span, Tone } from './types.ts';

/** ">hart 0 " and the like. */
const LABEL_WIDTH = 8;

export const timelineWidth = (columns: number): number => columns - LABEL_WIDTH;

/** Ruler, lanes, events. With fewer lanes than harts, they scroll with the selected hart. */
export function timelineLines(session: Session, shown: number): Line[] {
  const width = timelineWidth(session.state.columns);
  const hartCount = session.travel.machine.config.harts;
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

/** The first and the last moment at the ends, where there is room for them beside the mark of the present one. */
function rulerLine(session: Session, width: number): Line {
  const { from, to } = session.state;
  const here = cellOf(session.travel.moment, from, to, width);
  const numberOrDots = (text: string, room: number) => (text.length < room ? text : '');
  const left = numberOrDots(grouped(from), here);
  const isOpen = session.state.isGrowing && to >= session.travel.last.moment;
  const right = numberOrDots(`${grouped(to)}${isOpen ? '+' : ''}`, width - here - 1);
  const before = left + '·'.repeat(here - left.length);
  const after = '·'.repeat(width - here - 1 - right.length) + right;
  return [span('moment'.padEnd(LABEL_WIDTH)), span(before, 'dim'), span('V', 'current'), span(after, 'dim')];
}

/** When several events fall into one cell, the first kind listed here is shown. */
const PRECEDENCE: readonly SessionEvent['kind'][] = [
  'fault',
  'detected',
  'resumed',
  'failed',
  'bookmark',
  'recovery',
  'input',
  'end',
  'note',
  'progress',
];
export const EVENT_TONES: Record<SessionEvent['kind'], Tone> = {
  fault: 'fault',
  detected: 'detected',
  resumed: 'resumed',
  failed: 'fault',
  bookmark: 'focus',
  recovery: 'event',
  note: 'dim',
  progress: 'dim',
  input: 'event',
  end: 'strong',
};

/** Cells of the row of events, by what they depend on: a run has many events, and most frames show the same range. */
const drawn = new WeakMap<readonly SessionEvent[], { readonly key: string; readonly cells: readonly Span[] }>();

function eventLine(session: Session, width: number): Line {
  const { from, to } = session.state;
  const key = `${from} ${to} ${width}`;
  let row = drawn.get(session.events);
  if (row?.key !== key) {
    row = { key, cells: merged(eventCells(session, from, to, width)) };
    drawn.set(session.events, row);
  }
  return [span('events'.padEnd(LABEL_WIDTH)), ...row.cells];
}

function eventCells(session: Session, from: number, to: number, width: number): Span[] {
  const cells: Span[] = Array.from({ length: width }, () => span(' ', 'dim'));
  const ranks: number[] = Array.from({ length: width }, () => PRECEDENCE.length);
  const inRange = (moment: number) => moment >= from && moment <= to;
  for (const { moment } of session.travel.trace.checkpoints) {
    if (inRange(moment)) cells[cellOf(moment, from, to, width)] = span('.', 'dim');
  }
  for (const { moment, kind, glyph } of session.events) {
    if (!inRange(moment)) continue;
    const cell = cellOf(moment, from, to, width);
    const rank = PRECEDENCE.indexOf(kind);
    // Of several events of one kind, the last.
    if (rank > ranks[cell]!) continue;
    ranks[cell] = rank;
    cells[cell] = span(glyph, EVENT_TONES[kind]);
  }
  return cells;
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
