/**
 * Reads a campaign's database, while it runs or afterwards: what is there is checked, column by column, before it is
 * given out, and cells, rows and golden runs must belong together. Writes nothing.
 */
import { type FileFormatError, UserError } from '../../../engine/index.ts';
import type { InjectionResult } from '../injection/index.ts';
import { type CampaignIdentity, type GoldenEnds, goldenKey, goldenOf, seedMistake } from '../plan/index.ts';
import type { CampaignCell, CampaignRow, OverheadRow } from '../types.ts';
import { damaged, SqliteFile } from './sqlite.ts';
import { requireOurs } from './tables.ts';
import * as values from './values.ts';

/**
 * Opens a database to read it; works while a campaign writes.
 * @throws UserError when there is none, or its campaign has not begun, FileFormatError when it is damaged or not a
 * campaign's
 */
export function readDatabase<T>(path: string, read: (source: DatabaseReader, identity: CampaignIdentity) => T): T {
  const file = SqliteFile.open(path, 'read');
  try {
    // One transaction: a campaign that writes meanwhile cannot make the tables contradict each other.
    return file.transaction('DEFERRED', () => {
      requireOurs(file);
      const reader = new DatabaseReader(file);
      const identity = reader.identity();
      if (!identity) throw new UserError(`${path}: its campaign has not begun yet`);
      reader.requireWhole();
      return read(reader, identity);
    });
  } finally {
    file.close();
  }
}

const ROW_COLUMNS = 'id, cell, n, injection, result, error';

/** What a database holds. Every method throws FileFormatError naming what is not as a campaign writes it. */
export class DatabaseReader {
  private readonly file: SqliteFile;

  constructor(file: SqliteFile) {
    this.file = file;
  }

  /** What the results belong to; undefined before the campaign is planned. */
  identity(): CampaignIdentity | undefined {
    const row = this.file.get("SELECT value FROM identity WHERE name = 'identity'") as { value: string } | undefined;
    if (row) return this.checked(values.identity, this.json(row.value, 'its identity'), 'its identity');
    const something = 'SELECT 1 FROM golden UNION ALL SELECT 1 FROM cells UNION ALL SELECT 1 FROM overhead';
    if (this.file.get(something) !== undefined) throw this.damaged('what its results belong to is not there');
    return undefined;
  }

  /** The lines of the plan, numbered from 1. */
  cells(): CampaignCell[] {
    return this.file.all('SELECT * FROM cells ORDER BY id').map((row, i) => {
      const cell = this.checked(values.cell, cellOf(row as CellColumns), `cell ${i + 1}`);
      if (cell.id !== i + 1) throw this.damaged(`cell ${i + 1} is not there`);
      return cell;
    });
  }

  /** Every row, in order. */
  *rows(): Generator<CampaignRow> {
    for (const row of this.file.iterate(`SELECT ${ROW_COLUMNS} FROM rows ORDER BY id`)) {
      yield this.rowOf(row as RowColumns);
    }
  }

  row(id: number): CampaignRow | undefined {
    const found = this.file.get(`SELECT ${ROW_COLUMNS} FROM rows WHERE id = ?`, id);
    return found === undefined ? undefined : this.rowOf(found as RowColumns);
  }

  rowCount(): number {
    return (this.file.get('SELECT count(*) AS rows FROM rows') as { rows: number }).rows;
  }

  /** The golden runs that the rows were drawn in. */
  goldens(): GoldenEnds[] {
    return this.file.all('SELECT * FROM golden').map((row) => {
      const { setup, seed, checks, begin_ticks, end_ticks, end_moment, end_digest } = row as Record<string, unknown>;
      const ends = { beginTicks: begin_ticks, endTicks: end_ticks, endMoment: end_moment, endDigest: end_digest };
      return this.checked(
        values.golden,
        { setup, seed, ...values.checksOf(`${checks}`), ...ends },
        `the golden run of '${setup}'`,
      );
    });
  }

  overhead(): OverheadRow[] {
    const found = this.file.all('SELECT * FROM overhead ORDER BY setup, undo_log, checks, seed');
    return found.map((row) => {
      const { setup, undo_log, checks, seed, measured } = row as Record<'setup' | 'checks' | 'measured', string> &
        Record<'undo_log' | 'seed', number>;
      const what = `the overhead of '${setup}'`;
      const numbers = this.json(measured, what) as object;
      const undoLog = [false, true][undo_log];
      return this.checked(values.overhead, { ...numbers, setup, undoLog, ...values.checksOf(checks), seed }, what);
    });
  }

  /**
   * Every cell has its rows, numbered from 0, and the golden run that they were drawn in; and what are said to be
   * evaluation seeds are those of the images. @returns the cells
   */
  requireWhole(): CampaignCell[] {
    const cells = this.cells();
    const goldens = new Set(this.goldens().map(goldenKey));
    const grouped = this.file.all(
      'SELECT cell, count(*) AS rows, min(n) AS first, max(n) AS last FROM rows GROUP BY cell',
    );
    const ofCell = new Map(
      (grouped as Record<'cell' | 'rows' | 'first' | 'last', number>[]).map((of) => [of.cell, of]),
    );
    for (const { id, setup, seed, size, mechanism } of cells) {
      const { rows = 0, first = 0, last = 0 } = ofCell.get(id) ?? {};
      if (rows !== size || first !== 0 || last !== size - 1) {
        throw this.damaged(`cell ${id} has ${rows} rows, expected ${size}, numbered from 0`);
      }
      if (!goldens.has(goldenKey(goldenOf({ setup, seed, mechanism }))))
        throw this.damaged(`the golden run of '${setup}', seed ${seed}, is not there`);
    }
    const mistake = seedMistake(cells, this.identity() ?? { images: {}, imagesOf: {} });
    if (mistake !== undefined) throw this.damaged(mistake);
    return cells;
  }

  private rowOf({ id, cell, n, injection, result, error }: RowColumns): CampaignRow {
    const what = `row ${id}`;
    return {
      id,
      cell,
      index: n,
      injection: this.checked(values.injection, this.json(injection, what), `the injection of ${what}`),
      ...(result !== null && { result: this.resultOf(result, what) }),
      ...(error !== null && { error }),
    };
  }

  private resultOf(text: string, what: string): InjectionResult {
    return this.checked(values.result, this.json(text, what), `the result of ${what}`);
  }

  private json(text: string, what: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw this.damaged(`${what} is not JSON: ${(error as Error).message}`);
    }
  }

  /** The value itself, not zod's copy of it: what is compared as text later keeps its order. */
  private checked<T>(schema: Schema<T>, value: unknown, what: string): T {
    const outcome = schema.safeParse(value);
    if (outcome.success) return value as T;
    const [issue] = outcome.error.issues;
    const at = issue?.path.length ? ` at '${issue.path.join('.')}'` : '';
    throw this.damaged(`${what} is not one${at}: ${issue?.message}`);
  }

  private damaged(why: string): FileFormatError {
    return damaged(this.file.path, why);
  }
}

/** A zod schema of whatever kind. */
interface Schema<T> {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: T }
    | {
        readonly success: false;
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
        };
      };
}

type CellColumns = Record<'setup' | 'fault_class' | 'recovery' | 'enhance' | 'checks', string> &
  Record<'mechanism' | 'ladder' | 'rung' | 'variant', string | null> &
  Record<'id' | 'size' | 'seed' | 'step', number> & { readonly evaluation: number | null };

function cellOf(row: CellColumns) {
  const { id, setup, fault_class, recovery, enhance, checks, mechanism, ladder, step, rung, size, seed } = row;
  const { evaluation, variant } = row;
  return {
    id,
    setup,
    faultClass: fault_class,
    mechanism: { recovery, enhance: enhance === '' ? [] : enhance.split(','), ...values.checksOf(checks) },
    ...(mechanism !== null && { mechanismName: mechanism }),
    ...(ladder !== null && { rung: { ladder, step, name: rung } }),
    size,
    seed,
    ...(evaluation !== null && { evaluation }),
    ...(variant !== null && { variant }),
  };
}

interface RowColumns extends Record<'id' | 'cell' | 'n', number> {
  readonly injection: string;
  readonly result: string | null;
  readonly error: string | null;
}
