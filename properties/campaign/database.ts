/**
 * A campaign's SQLite database: created or opened again, one writer at a time, each result in a transaction of its own.
 * Relies on node:sqlite in WAL mode, so that reports can read while the campaign runs. Does not run anything; what may
 * be resumed is decided by identity.ts.
 */
import { existsSync, rmSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { invariant, UserError } from '../../engine/index.ts';
import type { Injection, InjectionResult, Mechanism } from '../injection/types.ts';
import { type CampaignIdentity, refuseOther } from './identity.ts';
import { LOCK_TABLE, releaseLock, takeLock } from './lock.ts';
import type { CampaignPlan } from './plan.ts';
import type { GoldenEnds } from './testbed.ts';
import type { CampaignCell, CampaignRow, FaultClass, OverheadRow } from './types.ts';

/** Raised when the tables change: databases of other versions are refused. */
export const SCHEMA_VERSION = 2;
/** `DJVM`, in the header of every database of ours. */
const APPLICATION_ID = 0x444a564d;
const BUSY_TIMEOUT_MS = 5000;

const SCHEMA = `
CREATE TABLE identity (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE cells (
  id INTEGER PRIMARY KEY, setup TEXT NOT NULL, fault_class TEXT NOT NULL, recovery TEXT NOT NULL,
  enhance TEXT NOT NULL, mechanism TEXT, ladder TEXT, step INTEGER, rung TEXT, size INTEGER NOT NULL, seed INTEGER NOT NULL) STRICT;
CREATE TABLE rows (
  id INTEGER PRIMARY KEY, cell INTEGER NOT NULL REFERENCES cells, n INTEGER NOT NULL,
  injection TEXT NOT NULL, result TEXT, error TEXT,
  effect TEXT GENERATED ALWAYS AS (result ->> '$.effect') VIRTUAL,
  success INTEGER GENERATED ALWAYS AS (result ->> '$.success') VIRTUAL,
  no_vmf INTEGER GENERATED ALWAYS AS (result ->> '$.noVmf') VIRTUAL,
  UNIQUE (cell, n)) STRICT;
CREATE TABLE golden (
  setup TEXT NOT NULL, seed INTEGER NOT NULL, begin_ticks INTEGER NOT NULL, end_ticks INTEGER NOT NULL,
  end_moment INTEGER NOT NULL, end_digest TEXT NOT NULL, PRIMARY KEY (setup, seed)) STRICT;
CREATE TABLE overhead (
  setup TEXT NOT NULL, undo_log INTEGER NOT NULL, seed INTEGER NOT NULL, measured TEXT NOT NULL,
  PRIMARY KEY (setup, undo_log, seed)) STRICT;
${LOCK_TABLE}
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** A row that has yet to run. */
export interface PendingRow {
  readonly id: number;
  readonly cell: number;
  readonly injection: Injection;
}

/** The database of a running campaign. Holds its lock until `close`. */
export class CampaignDatabase {
  readonly path: string;
  private readonly db: DatabaseSync;
  private readonly created: boolean;
  private readonly finishStatement: StatementSync;
  private readonly failStatement: StatementSync;

  private constructor(path: string, db: DatabaseSync, created: boolean) {
    this.path = path;
    this.db = db;
    this.created = created;
    this.finishStatement = db.prepare('UPDATE rows SET result = ?, error = NULL WHERE id = ? AND result IS NULL');
    this.failStatement = db.prepare('UPDATE rows SET error = ? WHERE id = ? AND result IS NULL');
  }

  /**
   * Creates the database, or opens one to go on with it.
   * @throws UserError when it belongs to something else, or another process works on it
   */
  static open(path: string, identity: CampaignIdentity): CampaignDatabase {
    const created = !existsSync(path);
    const db = openFile(path, false);
    try {
      if (isEmpty(db)) createTables(db);
      requireOurs(db, path);
      takeLock(db, path);
      try {
        const known = readIdentity(db);
        if (known) refuseOther(path, known, identity);
      } catch (error) {
        releaseLock(db);
        throw error;
      }
      return new CampaignDatabase(path, db, created);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** Whether its rows are planned, that is, whether this is a campaign to go on with. */
  get planned(): boolean {
    return readIdentity(this.db) !== undefined;
  }

  /** Writes everything that is known before the first row runs, in one transaction. */
  plan(
    plan: CampaignPlan,
    identity: CampaignIdentity,
    goldens: readonly GoldenEnds[],
    injections: (cell: CampaignCell, n: number) => Injection,
  ): void {
    transaction(this.db, () => {
      const golden = this.db.prepare('INSERT INTO golden VALUES (?, ?, ?, ?, ?, ?)');
      for (const { setup, seed, beginTicks, endTicks, endMoment, endDigest } of goldens) {
        golden.run(setup, seed, beginTicks, endTicks, endMoment, endDigest);
      }
      const meta = this.db.prepare('INSERT INTO identity VALUES (?, ?)');
      meta.run('identity', JSON.stringify(identity));
      const cell = this.db.prepare('INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
      const row = this.db.prepare('INSERT INTO rows (cell, n, injection) VALUES (?, ?, ?)');
      for (const planned of plan.cells) {
        const { id, setup, faultClass, mechanism, mechanismName = null, rung, size, seed } = planned;
        const { recovery, enhance } = mechanism;
        const ladder = [rung?.ladder ?? null, rung?.step ?? null, rung?.name ?? null] as const;
        cell.run(id, setup, faultClass, recovery, enhance.join(','), mechanismName, ...ladder, size, seed);
        for (let n = 0; n < size; n++) row.run(id, n, JSON.stringify(injections(planned, n)));
      }
    });
  }

  /** The golden runs that the rows were drawn in. */
  goldens(): GoldenEnds[] {
    return this.db
      .prepare('SELECT * FROM golden')
      .all()
      .map((row) => {
        const r = row as Record<'setup' | 'end_digest', string> & Record<string, number>;
        const { setup, seed, begin_ticks, end_ticks, end_moment, end_digest } = r;
        const ends = { beginTicks: begin_ticks!, endTicks: end_ticks!, endMoment: end_moment!, endDigest: end_digest };
        return { setup, seed: seed!, ...ends };
      });
  }

  /** Rows without a result, in order; among them those that ended in an internal error. */
  pending(): PendingRow[] {
    const found = this.db.prepare('SELECT id, cell, injection FROM rows WHERE result IS NULL ORDER BY id').all();
    return found.map((row) => {
      const { id, cell, injection } = row as { id: number; cell: number; injection: string };
      return { id, cell, injection: JSON.parse(injection) as Injection };
    });
  }

  /** Results that are there already, in order of row. */
  *finished(): Generator<{ readonly cell: number; readonly result: InjectionResult }> {
    for (const row of this.db.prepare('SELECT cell, result FROM rows WHERE result IS NOT NULL ORDER BY id').iterate()) {
      const { cell, result } = row as { cell: number; result: string };
      yield { cell, result: JSON.parse(result) as InjectionResult };
    }
  }

  finish(id: number, result: InjectionResult): void {
    const { changes } = this.finishStatement.run(JSON.stringify(result), id);
    invariant(changes === 1, `row ${id} was run twice, or is not there`);
  }

  /** Notes that a row ended in an internal error. */
  fail(id: number, message: string): void {
    this.failStatement.run(message, id);
  }

  hasOverhead({ setup, undoLog, seed }: Pick<OverheadRow, 'setup' | 'undoLog' | 'seed'>): boolean {
    const query = 'SELECT 1 FROM overhead WHERE setup = ? AND undo_log = ? AND seed = ?';
    return this.db.prepare(query).get(setup, Number(undoLog), seed) !== undefined;
  }

  addOverhead(row: OverheadRow): void {
    const { setup, undoLog, seed, ...measured } = row;
    const insert = this.db.prepare('INSERT INTO overhead VALUES (?, ?, ?, ?)');
    insert.run(setup, Number(undoLog), seed, JSON.stringify(measured));
  }

  /** Gives the lock back. A database that was created but never planned is removed: nothing half-written stays. */
  close(): void {
    const keep = this.planned || !this.created;
    releaseLock(this.db);
    becomeOneFile(this.db);
    this.db.close();
    if (!keep) for (const suffix of ['', '-wal', '-shm']) rmSync(this.path + suffix, { force: true });
  }
}

/** Opens a database to read it; works while a campaign writes. @throws UserError when there is none, or it is not ours */
export function readDatabase<T>(path: string, read: (source: DatabaseReader) => T): T {
  if (!existsSync(path)) throw new UserError(`${path}: no such file; \`dejavm campaign\` writes such databases`);
  const db = openFile(path, true);
  try {
    requireOurs(db, path);
    const identity = readIdentity(db);
    if (!identity) throw new UserError(`${path}: its campaign has not begun yet`);
    return read(new DatabaseReader(db, identity));
  } finally {
    db.close();
  }
}

const ROW_COLUMNS = 'id, cell, n, injection, result, error';

export class DatabaseReader {
  readonly identity: CampaignIdentity;
  private readonly db: DatabaseSync;

  constructor(db: DatabaseSync, identity: CampaignIdentity) {
    this.db = db;
    this.identity = identity;
  }

  cells(): CampaignCell[] {
    return this.db.prepare('SELECT * FROM cells ORDER BY id').all().map(cellOf);
  }

  *rows(): Generator<CampaignRow> {
    for (const row of this.db.prepare(`SELECT ${ROW_COLUMNS} FROM rows ORDER BY id`).iterate()) yield rowOf(row);
  }

  row(id: number): CampaignRow | undefined {
    const found = this.db.prepare(`SELECT ${ROW_COLUMNS} FROM rows WHERE id = ?`).get(id);
    return found && rowOf(found);
  }

  rowCount(): number {
    const { rows } = this.db.prepare('SELECT count(*) AS rows FROM rows').get() as { rows: number };
    return rows;
  }

  overhead(): OverheadRow[] {
    const found = this.db.prepare('SELECT * FROM overhead ORDER BY setup, undo_log, seed').all();
    return found.map((row) => {
      const { setup, undo_log, seed, measured } = row as Record<'setup' | 'measured', string> &
        Record<'undo_log' | 'seed', number>;
      const { hypervisorInstructions, totalInstructions, vmExits } = JSON.parse(measured) as OverheadRow;
      return { setup, undoLog: undo_log === 1, seed, hypervisorInstructions, totalInstructions, vmExits };
    });
  }
}

function openFile(path: string, readOnly: boolean): DatabaseSync {
  try {
    const db = new DatabaseSync(path, { readOnly, timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
    try {
      db.prepare('PRAGMA schema_version').get();
      if (!readOnly) db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw new UserError(`${path}: cannot be ${readOnly ? 'read' : 'used'} as a campaign's database: ${textOf(error)}`);
  }
}

/** SQLite's words are its own; the commonest ones in ours. */
function textOf(error: unknown): string {
  const { message } = error as Error;
  if (message === 'unable to open database file') return 'no such folder, or it may not be written';
  if (message === 'file is not a database') return 'it is something else; give another file with -o';
  return message;
}

function isEmpty(db: DatabaseSync): boolean {
  const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number };
  return tables === 0;
}

/** Two campaigns may create it at once: the second one finds the tables. */
function createTables(db: DatabaseSync): void {
  transaction(db, () => {
    if (isEmpty(db)) db.exec(SCHEMA);
  });
}

function requireOurs(db: DatabaseSync, path: string): void {
  const { application_id } = db.prepare('PRAGMA application_id').get() as { application_id: number };
  if (application_id !== APPLICATION_ID) {
    throw new UserError(`${path} is a SQLite database, but not a campaign's: give another file with -o`);
  }
  const { user_version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (user_version === SCHEMA_VERSION) return;
  throw new UserError(
    `${path} was written by another version of dejavm: its tables are version ${user_version}, expected ${SCHEMA_VERSION}; ` +
      'use that version, or run the campaign again into another file with -o',
  );
}

function readIdentity(db: DatabaseSync): CampaignIdentity | undefined {
  const row = db.prepare("SELECT value FROM identity WHERE name = 'identity'").get() as { value: string } | undefined;
  return row && (JSON.parse(row.value) as CampaignIdentity);
}

/** Out of WAL mode, so that readers leave no files beside it and it can be read where nothing may be written. */
function becomeOneFile(db: DatabaseSync): void {
  try {
    db.exec('PRAGMA journal_mode = DELETE');
  } catch {
    // Somebody reads it just now: it stays in WAL mode, which costs two small files.
  }
}

function transaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

function cellOf(row: unknown): CampaignCell {
  const r = row as Record<'setup' | 'fault_class' | 'recovery' | 'enhance' | 'mechanism' | 'ladder' | 'rung', string> &
    Record<'id' | 'size' | 'seed' | 'step', number>;
  const enhance = r.enhance === '' ? [] : r.enhance.split(',');
  return {
    id: r.id,
    setup: r.setup,
    faultClass: r.fault_class as FaultClass,
    mechanism: { recovery: r.recovery as Mechanism['recovery'], enhance },
    ...(r.mechanism !== null && { mechanismName: r.mechanism }),
    ...(r.ladder !== null && { rung: { ladder: r.ladder, step: r.step, name: r.rung } }),
    size: r.size,
    seed: r.seed,
  };
}

function rowOf(row: unknown): CampaignRow {
  const r = row as {
    id: number;
    cell: number;
    n: number;
    injection: string;
    result: string | null;
    error: string | null;
  };
  return {
    id: r.id,
    cell: r.cell,
    index: r.n,
    injection: JSON.parse(r.injection) as Injection,
    ...(r.result !== null && { result: JSON.parse(r.result) as InjectionResult }),
    ...(r.error !== null && { error: r.error }),
  };
}
