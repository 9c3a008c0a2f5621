/**
 * A SQLite file that somebody else may have written, damaged or put something else in the place of: looked at before
 * SQLite touches it, read with SQLite's own limits on, and every error of SQLite's told as ours. Knows no tables.
 */
import { closeSync, openSync, type Stats, statSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { FileFormatError, UserError } from '../../../engine/index.ts';
import { errnoOf, PRIVATE_FILE, systemReason } from '../../../traces/index.ts';

/** What SQLite keeps beside a file while it is used: its log, an index to it, and the journal of other modes. */
export const COMPANIONS = ['-wal', '-shm', '-journal'] as const;
/** How long another process's transaction is waited for. */
const BUSY_TIMEOUT_MS = 5000;
/** Longest text that is read: a plan, or the result of a row, is never as long. */
const MAX_VALUE_BYTES = 4 * 2 ** 20;

/** The result code for errors without one of their own. */
const SQLITE_ERROR = 1;
/** Primary result codes (sqlite.org/rescode.html) that speak of the file's content. */
const DAMAGE: Readonly<Record<number, string>> = {
  11: 'is damaged',
  18: `is damaged: a value in it is longer than ${MAX_VALUE_BYTES} bytes`,
  24: 'is damaged',
  26: 'is not a SQLite database',
};

/** Those that speak of what is around the file. */
const SURROUNDINGS: Readonly<Record<number, string>> = {
  3: 'no permission',
  5: 'another process has locked it; try again when that one is done',
  6: 'another process has locked it; try again when that one is done',
  7: 'not enough memory',
  8: 'it, or its folder, may not be written',
  10: 'the disk reports an error, or is full for you',
  13: 'the disk is full',
  14: 'it, or a file beside it, may not be opened or made there',
  15: 'the locking of its file system does not work',
};

/** SQLite is loaded by whoever opens a database; a library user who opens none does not pay for it. */
export const openDatabase = (...how: ConstructorParameters<typeof DatabaseSync>): DatabaseSync =>
  new (process.getBuiltinModule('node:sqlite').DatabaseSync)(...how);

/**
 * An open file. Every method throws FileFormatError for damage, UserError for a disk that is full, locked or read-only.
 */
export class SqliteFile {
  readonly path: string;
  private readonly db: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  private constructor(path: string, db: DatabaseSync) {
    this.path = path;
    this.db = db;
  }

  /** Opens a file that is there. What the tables hold is not looked at. */
  static open(path: string, access: 'read' | 'write'): SqliteFile {
    requireRegularFiles(path, access);
    return told(path, () => {
      const db = openDatabase(path, {
        readOnly: access === 'read',
        timeout: BUSY_TIMEOUT_MS,
        limits: { length: MAX_VALUE_BYTES },
      });
      try {
        // Nothing that a schema of another's says is run, and cells are looked at before they are believed.
        db.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;');
        requireSchema(path, db);
        return new SqliteFile(path, db);
      } catch (error) {
        db.close();
        throw error;
      }
    });
  }

  exec(sql: string): void {
    told(this.path, () => this.db.exec(sql));
  }

  /** Rows that were changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return told(this.path, () => Number(this.statement(sql).run(...values).changes));
  }

  get(sql: string, ...values: SQLInputValue[]): unknown {
    return told(this.path, () => this.statement(sql).get(...values));
  }

  all(sql: string, ...values: SQLInputValue[]): unknown[] {
    return told(this.path, () => this.statement(sql).all(...values));
  }

  /** Rows one by one; the file is read as it was when the first was asked for. */
  *iterate(sql: string): Generator<unknown> {
    // A statement of its own: one that is iterated must not be used for anything else meanwhile.
    const rows = told(this.path, () => this.db.prepare(sql).iterate());
    try {
      for (;;) {
        const next = told(this.path, () => rows.next());
        if (next.done) return;
        yield next.value;
      }
    } finally {
      rows.return?.();
    }
  }

  /** `work` in one transaction: all of it is stored, or nothing. */
  transaction<T>(kind: 'DEFERRED' | 'IMMEDIATE', work: () => T): T {
    this.exec(`BEGIN ${kind}`);
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk has rolled it back already.
      if (this.db.isTransaction) this.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.db.close();
  }

  private statement(sql: string): StatementSync {
    const known = this.statements.get(sql) ?? this.db.prepare(sql);
    this.statements.set(sql, known);
    return known;
  }
}

/**
 * Makes the file, readable for its owner only, unless it is there; what SQLite puts beside it gets the same mode.
 * @returns whether it was made now
 * @throws UserError when it cannot be, FileFormatError when its log is there without it
 */
export function createPrivately(path: string): boolean {
  if (statOf(path) === undefined) refuseOrphanedLog(path);
  try {
    closeSync(openSync(path, 'wx', PRIVATE_FILE));
    return true;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EEXIST') return false;
    const why = code === 'ENOENT' || code === 'ENOTDIR' ? 'there is no such folder' : systemReason(error);
    throw new UserError(`${path}: cannot be made: ${why}; give another file with -o`);
  }
}

/** Anything but files would be waited for, or never end: a FIFO, a device, a folder. */
function requireRegularFiles(path: string, access: 'read' | 'write'): void {
  const stat = statOf(path);
  if (!stat) {
    refuseOrphanedLog(path);
    throw new UserError(`${path}: no such file; \`dejavm campaign\` writes such databases`);
  }
  if (stat.isDirectory()) throw new FileFormatError(path, "is a folder; expected a campaign's database");
  if (!stat.isFile()) throw new FileFormatError(path, "is not a regular file; expected a campaign's database");
  for (const suffix of COMPANIONS) {
    if (statOf(path + suffix)?.isFile() === false) {
      throw new FileFormatError(path, `${path}${suffix} is not a regular file; SQLite keeps its log under that name`);
    }
  }
  if (stat.size > 0) return;
  refuseOrphanedLog(path);
  if (access === 'read') throw new FileFormatError(path, "is empty; expected a campaign's database");
}

/** SQLite would throw away a log whose database is missing or empty, and with it the rows that are in it alone. */
function refuseOrphanedLog(path: string): void {
  const log = `${path}-wal`;
  if (!statOf(log)?.size) return;
  throw new FileFormatError(
    path,
    `is missing or empty, but its log ${log} is there and may hold rows: put the database back beside it, or remove the log`,
  );
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new UserError(`${path}: cannot be looked at: ${systemReason(error)}`);
  }
}

/** Reads what the file says of its tables. A statement this plain fails for no other reason than the file. */
function requireSchema(path: string, db: DatabaseSync): void {
  try {
    db.prepare('SELECT 1 FROM sqlite_schema').get();
  } catch (error) {
    const { errcode, message } = error as { errcode?: number; message: string };
    if (errcode !== SQLITE_ERROR) throw error;
    throw new FileFormatError(path, `is not a database that this SQLite reads (SQLite: ${message})`, { cause: error });
  }
}

/** Runs `work`; SQLite's errors become ours. */
function told<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translated(path, error);
  }
}

function translated(path: string, error: unknown): unknown {
  const { code, errcode = 0, message } = error as { code?: string; errcode?: number; message: string };
  // SQLite's integers have 64 bits; ours are all exact as numbers.
  if (code === 'ERR_OUT_OF_RANGE') return damaged(path, 'a number in it is larger than any that dejavm writes', error);
  if (code !== 'ERR_SQLITE_ERROR') return error;
  const primary = errcode & 0xff;
  const damage = DAMAGE[primary];
  if (damage !== undefined) return new FileFormatError(path, `${damage} (SQLite: ${message})`, { cause: error });
  const reason = SURROUNDINGS[primary];
  return reason === undefined
    ? error
    : new UserError(`${path}: cannot be used: ${reason} (SQLite: ${message})`, { cause: error });
}

/** What to say of a database whose content is not what a campaign writes. */
export function damaged(path: string, why: string, cause?: unknown): FileFormatError {
  const mend = 'take a copy that is whole, or run the campaign again into another file with -o';
  return new FileFormatError(path, `is damaged, or was changed by another program: ${why}; ${mend}`, { cause });
}
