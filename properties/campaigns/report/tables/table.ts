/**
 * A table as data, written once and printed as terminal text, Markdown and HTML. Cells are plain text: each output
 * escapes for itself. Relies on nothing.
 */
export interface Column {
  /** May be two lines. */
  readonly label: string;
  /** Numbers stand right. */
  readonly right?: true;
  /** Commands: monospaced, never cut. */
  readonly code?: true;
  /** Long names belong here: cut later than others to fit a terminal. */
  readonly wide?: true;
}

export interface TableRow {
  readonly cells: readonly string[];
  /** Not ours: printed apart. `total`: a sum over the rows above. */
  readonly kind?: 'published' | 'total';
}

export interface Table {
  /** Anchor in HTML, key in JSON. */
  readonly id: string;
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly TableRow[];
  /** A terminal gets this many rows and the number of the others; all of them unless given. */
  readonly shown?: number;
  /** Sentences under the table: definitions, sources, the caveat. */
  readonly notes: readonly string[];
}

export const text = (label: string): Column => ({ label });
export const wide = (label: string): Column => ({ label, wide: true });
export const number = (label: string): Column => ({ label, right: true });
export const ours = (...cells: string[]): TableRow => ({ cells });
export const published = (...cells: string[]): TableRow => ({ cells, kind: 'published' });
