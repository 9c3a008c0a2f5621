/**
 * What each panel shows of its lines, and how far it scrolls: no further than it has lines. Relies on layout.ts for the
 * panel's size and on panels.ts and registers.ts for its lines.
 */

import {
  consoleLines,
  disassemblyLines,
  type Layout,
  type Line,
  layoutOf,
  MIN_COLUMNS,
  MIN_ROWS,
  memoryLines,
  type Placed,
  registerLines,
  type Session,
  scrolledCode,
  vmLines,
} from '../panels/index.ts';

/** The session's layout; what is too small to be drawn is laid out as the smallest screen. */
export const layoutHere = ({ state, travel }: Session): Layout =>
  layoutOf({
    columns: Math.max(MIN_COLUMNS, state.columns),
    rows: Math.max(MIN_ROWS, state.rows),
    harts: travel.machine.config.harts,
    focus: state.panel,
    registerSet: state.registerSet,
    showsMemory: state.memory !== undefined,
  });

/** Narrower consoles leave out the moments. */
const MOMENTS_FROM_COLUMNS = 60;

/** What a panel shows of its lines, uncut; `inFull` adds what a narrow panel leaves out. */
export function contentsOf(session: Session, { name, columns, rows }: Placed, inFull = false): readonly Line[] {
  const height = rows - 1;
  if (name === 'disassembly') return disassemblyLines(session, height);
  if (name === 'console') return consoleLines(session, height, inFull || columns >= MOMENTS_FROM_COLUMNS);
  const lines =
    name === 'vms' ? lowerLeftLines(session, columns) : registerLines(session.travel.machine, session.state, columns);
  const first = Math.min(session.state.scroll[name], Math.max(0, lines.length - height));
  return lines.slice(first, first + height);
}

/** VMs, or the memory that was asked for. */
const lowerLeftLines = (session: Session, columns: number): Line[] =>
  session.state.memory === undefined ? vmLines(session) : memoryLines(session, columns);

/** Lines of text that the panel with the focus shows at a time. */
export function focusHeight(session: Session): number {
  return focusPlace(session).rows - 1;
}

/** The offset to which scrolling the panel with the focus by so many lines leads: no further than it has lines. */
export function scrolledBy(session: Session, lines: number): number {
  const { panel, scroll } = session.state;
  const wished = scroll[panel] + lines;
  const { columns, rows } = focusPlace(session);
  if (panel === 'disassembly') return scrolledCode(session, rows - 1, wished);
  const all = {
    registers: () => registerLines(session.travel.machine, session.state, columns),
    vms: () => lowerLeftLines(session, columns),
    console: () => session.travel.consoleLines(),
  }[panel]();
  return Math.min(Math.max(0, wished), Math.max(0, all.length - (rows - 1)));
}

/** The focus keeps a place of its own also while a screen that is too small for it, or an overlay, hides it. */
function focusPlace(session: Session): Placed {
  const { panel } = session.state;
  return layoutHere(session)
    .panels.flat()
    .find((placed) => placed.name === panel)!;
}
