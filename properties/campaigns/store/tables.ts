/**
 * The tables of a campaign's database, and the check that a file has them: exactly these, undamaged, with nothing that
 * acts by itself. What stands in them is looked at when it is read (values.ts, reader.ts).
 */
import { FileFormatError } from '../../../engine/index.ts';
import { LOCK_TABLE } from './lock.ts';
import { damaged, openDatabase, type SqliteFile } from './sqlite.ts';

/** Raised when the tables change: databases of other versions are refused. */
export const SCHEMA_VERSION = 3;
/** `DJVM`, in the header of every database of ours. */
const APPLICATION_ID = 0x444a564d;

const SCHEMA = `
CREATE TABLE identity (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE cells (
  id INTEGER PRIMARY KEY, setup TEXT NOT NULL, fault_class TEXT NOT NULL, recovery TEXT NOT NULL,
  enhance TEXT NOT NULL, checks TEXT NOT NULL, mechanism TEXT, ladder TEXT, step INTEGER, rung TEXT,
  size INTEGER NOT NULL, seed INTEGER NOT NULL, evaluation INTEGER, variant TEXT) STRICT;
CREATE TABLE rows (
  id INTEGER PRIMARY KEY, cell INTEGER NOT NULL REFERENCES cells, n INTEGER NOT NULL,
  injection TEXT NOT NULL, result TEXT, error TEXT,
  effect TEXT GENERATED ALWAYS AS (result ->> '$.effect') VIRTUAL,
  success INTEGER GENERATED ALWAYS AS (result ->> '$.success') VIRTUAL,
  no_vmf INTEGER GENERATED ALWAYS AS (result ->> '$.noVmf') VIRTUAL,
  UNIQUE (cell, n)) STRICT;
CREATE TABLE golden (
  setup TEXT NOT NULL, seed INTEGER NOT NULL, checks TEXT NOT NULL, begin_ticks INTEGER NOT NULL,
  end_ticks INTEGER NOT NULL, end_moment INTEGER NOT NULL, end_digest TEXT NOT NULL,
  PRIMARY KEY (setup, seed, checks)) STRICT;
CREATE TABLE overhead (
  setup TEXT NOT NULL, undo_log INTEGER NOT NULL, checks TEXT NOT NULL, seed INTEGER NOT NULL, measured TEXT NOT NULL,
  PRIMARY KEY (setup, undo_log, checks, seed)) STRICT;
${LOCK_TABLE}
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Makes the tables where there are none. Two campaigns may do it at once: the second one finds them. */
export function createTables(file: SqliteFile): void {
  const isFresh = () => file.get('SELECT 1 FROM sqlite_schema') === undefined && pragma(file, 'application_id') === 0;
  if (!isFresh()) return;
  file.transaction('IMMEDIATE', () => {
    if (isFresh()) file.exec(SCHEMA);
  });
}

/**
 * @throws FileFormatError for another program's database, another version's, tables that are not ours, or damage that
 * SQLite's own check finds
 */
export function requireOurs(file: SqliteFile): void {
  const { path } = file;
  if (pragma(file, 'application_id') !== APPLICATION_ID) {
    throw new FileFormatError(path, "is a SQLite database, but not a campaign's; give another file");
  }
  const version = pragma(file, 'user_version');
  if (version !== SCHEMA_VERSION) {
    const relation = version > SCHEMA_VERSION ? 'a newer' : 'an older';
    const remedy = 'use that version, or run the campaign again into another file with -o';
    throw new FileFormatError(
      path,
      `was written by ${relation} version of dejavm: its tables are version ${version}, expected ${SCHEMA_VERSION}; ${remedy}`,
    );
  }
  const changed = schemaDifference(schemaOf((sql) => file.all(sql)));
  if (changed !== undefined) throw damaged(path, changed);
  const finding = quickCheck(file);
  if (finding !== undefined) throw damaged(path, finding);
  const orphan = file.get('PRAGMA foreign_key_check(rows)') as { rowid: number } | undefined;
  if (orphan) throw damaged(path, `row ${orphan.rowid} belongs to a cell that is not there`);
}

/**
 * The first thing that SQLite's own check finds, undefined if nothing. It computes columns, and stumbles over what is
 * no JSON.
 */
function quickCheck(file: SqliteFile): string | undefined {
  try {
    const { quick_check: finding } = file.get('PRAGMA quick_check(1)') as { quick_check: string };
    return finding === 'ok' ? undefined : finding.replace(/\s+/g, ' ');
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_SQLITE_ERROR') throw error;
    return (error as Error).message;
  }
}

function pragma(file: SqliteFile, name: 'application_id' | 'user_version'): number {
  return (file.get(`PRAGMA ${name}`) as Record<string, number>)[name] ?? 0;
}

interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly table: string;
  /** White space made equal; empty for indexes that SQLite made itself. */
  readonly sql: string;
}

function schemaOf(all: (sql: string) => unknown[]): SchemaObject[] {
  const found = all('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name');
  return found.map((row) => {
    const { type, name, tbl_name, sql } = row as Record<'type' | 'name' | 'tbl_name', string> & { sql: string | null };
    return { type, name, table: tbl_name, sql: (sql ?? '').replace(/\s+/g, ' ') };
  });
}

let expectedSchema: readonly SchemaObject[] | undefined;

function expected(): readonly SchemaObject[] {
  if (!expectedSchema) {
    const db = openDatabase(':memory:');
    db.exec(SCHEMA);
    expectedSchema = schemaOf((sql) => db.prepare(sql).all());
    db.close();
  }
  return expectedSchema;
}

/**
 * In what tables differ from ours; undefined when in nothing. Somebody's own tables and views beside them do no harm;
 * a trigger, or anything hung on a table of ours, would act when we read or write.
 */
function schemaDifference(found: readonly SchemaObject[]): string | undefined {
  for (const { type, name, table, sql } of expected()) {
    const same = found.find((object) => object.type === type && object.name === name);
    if (!same) return `it has no ${type} '${name}'`;
    if (same.table !== table || same.sql !== sql) return `its ${type} '${name}' is another one`;
  }
  const ours = new Set(expected().map(({ name }) => name));
  const foreign = found.find(
    ({ type, name, table }) => !ours.has(name) && (type === 'trigger' || expected().some((of) => of.name === table)),
  );
  return foreign && `it has a ${foreign.type} '${foreign.name}' that no campaign makes`;
}
