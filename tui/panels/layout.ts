/**
 * Which parts of the screen have room, and how much: pure arithmetic on the terminal's size. Header and status line
 * always stand; then panels, of which at least one is shown; then the timeline. Contents are screen.ts's job.
 */
import { registerCellWidth } from './registers.ts';
import { PANELS, type PanelName, type RegisterSet } from './types.ts';

/** Nothing useful fits on less. */
export const MIN_COLUMNS = 20;
export const MIN_ROWS = 5;

/** From here on panels stand in pairs, side by side. */
const PAIR_COLUMNS = 80;
/** From here on registers stand in three columns. */
const WIDE_COLUMNS = 120;
/** Rows, titles included, that two panels above one another need. */
const STACK_ROWS = 14;
/** The timeline gives way to a panel that would have fewer rows than this. */
const PANEL_ROWS = 6;
/** More harts than this scroll with the selected one. */
const MAX_LANES = 4;
/** The timeline's ruler above the lanes and its events below. */
const RULER_AND_EVENTS = 2;

export interface Placed {
  readonly name: PanelName;
  readonly columns: number;
  /** Rows including the title. */
  readonly rows: number;
}

export interface Layout {
  /** Harts that the timeline shows; 0: there is no room for one. */
  readonly lanes: number;
  /** Rows of panels side by side, one column apart. */
  readonly panels: readonly (readonly Placed[])[];
}

export interface LayoutInput {
  readonly columns: number;
  readonly rows: number;
  readonly harts: number;
  /** The panel that has the focus is always shown. */
  readonly focus: PanelName;
  readonly registerSet: RegisterSet;
  /** Memory is shown in place of VMs, and wants more columns. */
  readonly showsMemory?: boolean;
}

/** Whether there is room for anything but the wish for a larger terminal. */
export const isTooSmall = (columns: number, rows: number): boolean => columns < MIN_COLUMNS || rows < MIN_ROWS;

/** Places timeline and panels on a screen of at least MIN_COLUMNS x MIN_ROWS. */
export function layoutOf(input: LayoutInput): Layout {
  const { rows } = input;
  const body = rows - 2;
  const lanes = [Math.min(input.harts, MAX_LANES), 1].find((n) => body - n - RULER_AND_EVENTS >= PANEL_ROWS) ?? 0;
  return { lanes, panels: panelRows(input, lanes === 0 ? body : body - lanes - RULER_AND_EVENTS) };
}

const PAIRS: readonly (readonly [PanelName, PanelName])[] = [
  [PANELS[0], PANELS[1]],
  [PANELS[2], PANELS[3]],
];

function panelRows(input: LayoutInput, rows: number): Placed[][] {
  const { columns, focus } = input;
  const focused = PAIRS.find((pair) => pair.includes(focus))!;
  const lower = Math.max(5, Math.floor(rows * 0.35));
  if (columns >= PAIR_COLUMNS) {
    if (rows < STACK_ROWS) return [pairOf(input, focused, rows)];
    return [pairOf(input, PAIRS[0]!, rows - lower), pairOf(input, PAIRS[1]!, lower)];
  }
  if (rows < STACK_ROWS) return [[{ name: focus, columns, rows }]];
  const half = Math.floor(rows / 2);
  return [[{ name: focused[0], columns, rows: rows - half }], [{ name: focused[1], columns, rows: half }]];
}

function pairOf(input: LayoutInput, [left, right]: readonly [PanelName, PanelName], rows: number): Placed[] {
  const { columns } = input;
  const most = input.showsMemory ? { columns: 100, share: 0.6 } : { columns: 48, share: 0.4 };
  const lowerLeft = Math.min(most.columns, Math.floor(columns * most.share));
  const leftColumns = left === 'vms' ? lowerLeft : columns - registerColumns(input) - 1;
  return [
    { name: left, columns: leftColumns, rows },
    { name: right, columns: columns - leftColumns - 1, rows },
  ];
}

/** CSRs have long names: on a narrow screen one of them stands in a row, else as many as of the others. */
function registerColumns({ columns, registerSet }: LayoutInput): number {
  const cells = columns >= WIDE_COLUMNS ? 3 : registerSet === 'csr' ? 1 : 2;
  return cells * (registerCellWidth(registerSet) + 1) - 1;
}
