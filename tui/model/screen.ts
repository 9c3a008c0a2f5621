/**
 * The whole screen as data: which lines stand where. The views draw exactly this. Relies on scroll.ts, timeline.ts and
 * bars.ts for contents; what does not fit is cut here, and the overlay `whole` shows it.
 */

import {
  clip,
  headerLine,
  isTooSmall,
  type Line,
  MIN_COLUMNS,
  MIN_ROWS,
  type Overlay,
  type PanelName,
  type Placed,
  type Session,
  span,
  statusLine,
  timelineLines,
  whereLines,
  wrap,
} from '../panels/index.ts';
import { helpLines } from './help.ts';
import { contentsOf, layoutHere } from './scroll.ts';
import { stopText } from './stop-text.ts';

export interface Panel {
  readonly name: PanelName | Overlay['kind'];
  readonly width: number;
  /** Rows including the title. */
  readonly height: number;
  readonly title: Line;
  readonly lines: readonly Line[];
}

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Full-width lines at the top: where we are, and the timeline. */
  readonly top: readonly Line[];
  /** Rows of panels side by side, one column apart. */
  readonly panels: readonly (readonly Panel[])[];
  /** Full-width lines at the bottom. */
  readonly bottom: readonly Line[];
}

/** What the session looks like now. Costs one look at the machine; executes nothing. */
export function screenOf(session: Session): Screen {
  const { columns, rows, overlay } = session.state;
  if (isTooSmall(columns, rows)) {
    const text = `expected ${MIN_COLUMNS}x${MIN_ROWS} or more, got ${columns}x${rows}`;
    return { columns, rows, top: wrap([span(text)], columns).slice(0, rows), panels: [], bottom: [] };
  }
  const header = headerLine(session);
  const bottom = [statusLine(session)];
  if (overlay) return { columns, rows, top: [header], panels: [[overlayPanel(session, overlay)]], bottom };
  const layout = layoutHere(session);
  const timeline = layout.lanes === 0 ? [] : timelineLines(session, layout.lanes);
  const panels = layout.panels.map((row) => row.map((placed) => panelOf(session, placed)));
  return { columns, rows, top: [header, ...timeline], panels, bottom };
}

/** A screen of before, with the line of what is going on. */
export const whileWorking = (session: Session, before: Screen): Screen => ({
  ...before,
  bottom: [statusLine(session)],
});

function panelOf(session: Session, placed: Placed): Panel {
  const { name, columns, rows } = placed;
  const lines = contentsOf(session, placed).map((line) => clip(line, columns));
  return { name, width: columns, height: rows, title: titleLine(session, name, columns), lines };
}

const SET_TITLES = { integer: 'registers', csr: 'CSRs', float: 'f registers' } as const;

function titleText(session: Session, name: PanelName): string {
  const { hart, registerSet } = session.state;
  if (name === 'disassembly') return `code, hart ${hart}`;
  if (name === 'registers') return `${SET_TITLES[registerSet]}, hart ${hart}`;
  if (name === 'console') return 'console';
  return session.state.memory === undefined ? 'VMs' : `memory ${session.state.memory}`;
}

function titleLine(session: Session, name: PanelName, columns: number): Line {
  return ruled(titleText(session, name), columns, session.state.panel === name);
}

function ruled(title: string, columns: number, focused: boolean): Line {
  const mark = focused ? '=' : '-';
  return clip([span(`${mark} ${title} `.padEnd(columns, mark), focused ? 'focus' : 'title')], columns);
}

/** Rows of an overlay under header and title and above the status line. */
const pageRows = (rows: number): number => rows - 3;

function overlayRows(session: Session, kind: Overlay['kind']): Line[] {
  const lines = OVERLAY_LINES[kind](session);
  return lines.flatMap((line) => wrap(line, session.state.columns));
}

/** Everything that the screen shows, with nothing cut off. */
function wholeLines(session: Session): Line[] {
  const panels = layoutHere(session).panels.flat();
  return [
    ...whereLines(session),
    ...panels.flatMap((placed) => [
      [span(`- ${titleText(session, placed.name)}`, 'title')],
      ...contentsOf(session, placed, true),
    ]),
  ];
}

const pagesFor = (lines: number, rows: number): number => Math.max(1, Math.ceil(lines / pageRows(rows)));

/** How many pages an overlay has on the present screen. */
export function pageCount(session: Session, kind: Overlay['kind']): number {
  const { columns, rows } = session.state;
  return isTooSmall(columns, rows) ? 1 : pagesFor(overlayRows(session, kind).length, rows);
}

const OVERLAY_TITLES: Record<Overlay['kind'], string> = {
  help: 'keys',
  whole: 'in full',
  stops: 'breakpoints and watchpoints',
  stack: 'stack',
};

const OVERLAY_LINES: Record<Overlay['kind'], (session: Session) => Line[]> = {
  help: helpLines,
  whole: wholeLines,
  stops: ({ debug: { stops } }) =>
    stops.all.length === 0 ? [[span('none is set')]] : stops.all.map((one) => [span(stopText(one))]),
  stack: ({ state }) => state.stack.map((line) => [span(line)]),
};

function overlayPanel(session: Session, { kind, page }: Overlay): Panel {
  const { columns, rows } = session.state;
  const lines = overlayRows(session, kind);
  const pages = pagesFor(lines.length, rows);
  // The terminal may have grown since this page was turned to.
  const shown = Math.min(page, pages - 1);
  const keys = shown + 1 < pages ? 'any key: next, q closes' : 'any key closes';
  const title = ruled(`${OVERLAY_TITLES[kind]}${pages > 1 ? ` ${shown + 1}/${pages}` : ''}; ${keys}`, columns, true);
  const height = pageRows(rows);
  return {
    name: kind,
    width: columns,
    height: height + 1,
    title,
    lines: lines.slice(shown * height, (shown + 1) * height),
  };
}
