/**
 * The whole screen as data: which panels, where, how large, with what lines. The views draw exactly this.
 * Relies on panels.ts and timeline.ts; the smallest screen is 80 x 24.
 */
import { clip, consoleLines, disassemblyLines, headerLine, helpLines, statusLine, vmLines } from './panels.ts';
import { registerCellWidth, registerLines } from './registers.ts';
import { timelineLines } from './timeline.ts';
import type { Line, PanelName, Session } from './types.ts';

export const MIN_COLUMNS = 80;
export const MIN_ROWS = 24;

export interface Panel {
  readonly name: PanelName | 'help';
  readonly title: string;
  readonly width: number;
  /** Rows including the title. */
  readonly height: number;
  readonly focused: boolean;
  readonly lines: readonly Line[];
}

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly header: Line;
  readonly timeline: readonly Line[];
  /** Rows of panels side by side, one column apart. */
  readonly panels: readonly (readonly Panel[])[];
  readonly status: Line;
}

/** What the session looks like now. Costs one look at the machine; executes nothing. */
export function screenOf(session: Session): Screen {
  const { columns, rows, helpPage } = session.state;
  const frame = { columns, rows, header: headerLine(session), status: statusLine(session) };
  if (helpPage !== undefined) return { ...frame, timeline: [], panels: [[helpPanel(columns, rows, helpPage)]] };
  const timeline = timelineLines(session).map((line) => clip(line, columns));
  return { ...frame, timeline, panels: panelRows(session, rows - 2 - timeline.length) };
}

/** Lines of the key table that fit under header and title and above the status line. */
const helpHeight = (rows: number): number => rows - 3;

/** How many pages the key table has on a screen of so many rows. */
export function helpPageCount(rows: number): number {
  return Math.ceil(helpLines(MIN_COLUMNS).length / helpHeight(rows));
}

function helpPanel(columns: number, rows: number, page: number): Panel {
  const height = helpHeight(rows);
  const pages = helpPageCount(rows);
  const title = pages > 1 ? `keys, page ${page + 1} of ${pages}; any key goes on, q closes` : 'keys; any key closes';
  const lines = helpLines(columns).slice(page * height, (page + 1) * height);
  return { name: 'help', title, width: columns, height: height + 1, focused: true, lines };
}

/** Registers stand in two columns, on wide screens in three. */
const WIDE_COLUMNS = 120;

function panelRows(session: Session, height: number): Panel[][] {
  const { columns } = session.state;
  const lowerHeight = Math.max(5, Math.floor(height * 0.35));
  const upperHeight = height - lowerHeight;
  const cell = registerCellWidth(session.state.registerSet) + 1;
  const registerWidth = (columns >= WIDE_COLUMNS ? 3 : session.state.registerSet === 'csr' ? 1 : 2) * cell - 1;
  const codeWidth = columns - registerWidth - 1;
  const vmWidth = Math.min(48, Math.floor(columns * 0.4));
  const consoleWidth = columns - vmWidth - 1;
  const registers = registerLines(session.travel.machine, session.state, registerWidth);
  const upper = [
    panel(session, 'disassembly', codeWidth, upperHeight, disassemblyLines(session, codeWidth, upperHeight - 1)),
    panel(session, 'registers', registerWidth, upperHeight, scrolled(session, 'registers', registers, upperHeight - 1)),
  ];
  const lower = [
    panel(session, 'vms', vmWidth, lowerHeight, scrolled(session, 'vms', vmLines(session, vmWidth), lowerHeight - 1)),
    panel(session, 'console', consoleWidth, lowerHeight, consoleLines(session, consoleWidth, lowerHeight - 1)),
  ];
  return [upper, lower];
}

function scrolled(session: Session, name: PanelName, lines: readonly Line[], height: number): readonly Line[] {
  const first = Math.min(session.state.scroll[name], Math.max(0, lines.length - height));
  return lines.slice(first, first + height);
}

function panel(session: Session, name: PanelName, width: number, height: number, lines: readonly Line[]): Panel {
  const focused = session.state.panel === name;
  return { name, title: titleOf(session, name), width, height, focused, lines };
}

const SET_TITLES = { integer: 'registers', csr: 'CSRs', float: 'f registers' } as const;

function titleOf(session: Session, name: PanelName): string {
  const { hart, registerSet } = session.state;
  if (name === 'disassembly') return `code, hart ${hart}`;
  if (name === 'registers') return `${SET_TITLES[registerSet]}, hart ${hart}`;
  return name === 'vms' ? 'VMs' : 'console';
}
