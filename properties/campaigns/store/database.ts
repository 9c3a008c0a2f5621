/**
 * A campaign's SQLite database as its campaign uses it: created or opened again, one writer at a time, each result in a
 * transaction of its own. In WAL mode, so that reports can read while the campaign runs. Does not run anything; what
 * may be resumed is decided by identity.ts.
 */
import { rmSync } from 'node:fs';
import { invariant } from '../../../engine/index.ts';
import type { Injection, InjectionResult } from '../injection/index.ts';
import {
  type CampaignIdentity,
  type CampaignPlan,
  type GoldenEnds,
  type OverheadChoice,
  refuseOther,
} from '../plan/index.ts';
import type { CampaignCell, OverheadRow } from '../types.ts';
import { releaseLock, takeLock } from './lock.ts';
import { DatabaseReader } from './reader.ts';
import { COMPANIONS, createPrivately, damaged, SqliteFile } from './sqlite.ts';
import { createTables, requireOurs } from './tables.ts';
import { checksColumn } from './values.ts';

/**
 * How much finished work a power cut can cost. Waiting for the disk after each row would cost a campaign of short rows
 * a quarter of its speed where the disk is busy (README.md), and what is lost is run again, to the same result.
 */
const SYNC_EVERY_MS = 1000;

/** The database of a running campaign. Holds its lock until `close`. */
export class CampaignDatabase {
  readonly path: string;
  /** Reads what is stored. */
  readonly reader: DatabaseReader;
  private readonly file: SqliteFile;
  private readonly created: boolean;
  private readonly nowMs: () => number;
  private syncedMs: number;

  private constructor(file: SqliteFile, created: boolean, nowMs: () => number) {
    this.path = file.path;
    this.file = file;
    this.created = created;
    this.nowMs = nowMs;
    this.syncedMs = nowMs();
    this.reader = new DatabaseReader(file);
  }

  /**
   * Creates the database, or opens one to go on with it.
   * @param nowMs host time, for how often the disk is waited for
   * @throws UserError when it belongs to another campaign, or another process works on it; FileFormatError when it is
   * damaged or none of ours
   */
  static open(
    path: string,
    identity: CampaignIdentity,
    plan: Pick<CampaignPlan, 'cells'>,
    nowMs: () => number = performance.now.bind(performance),
  ): CampaignDatabase {
    const created = createPrivately(path);
    const file = SqliteFile.open(path, 'write');
    try {
      // What is committed survives a kill at once, and a power cut from the next `sync` on.
      file.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      createTables(file);
      requireOurs(file);
      takeLock(file);
      try {
        const database = new CampaignDatabase(file, created, nowMs);
        const known = database.reader.identity();
        if (known) {
          refuseOther(path, known, identity);
          requirePlanned(path, database.reader.requireWhole(), plan);
        }
        return database;
      } catch (error) {
        releaseLock(file);
        throw error;
      }
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Whether its rows are planned, that is, whether this is a campaign to go on with. */
  get planned(): boolean {
    return this.reader.identity() !== undefined;
  }

  /** Writes everything that is known before the first row runs, in one transaction. */
  plan(
    plan: CampaignPlan,
    identity: CampaignIdentity,
    goldens: readonly GoldenEnds[],
    injections: (cell: CampaignCell, n: number) => Injection,
  ): void {
    const { file } = this;
    file.transaction('IMMEDIATE', () => {
      for (const { setup, seed, checks, beginTicks, endTicks, endMoment, endDigest } of goldens) {
        const ends = [beginTicks, endTicks, endMoment, endDigest] as const;
        file.run('INSERT INTO golden VALUES (?, ?, ?, ?, ?, ?, ?)', setup, seed, checksColumn(checks), ...ends);
      }
      file.run('INSERT INTO identity VALUES (?, ?)', 'identity', JSON.stringify(identity));
      for (const planned of plan.cells) {
        const { id, setup, faultClass, mechanism, mechanismName = null, rung, size, seed } = planned;
        const { evaluation = null, variant = null } = planned;
        const { recovery, enhance, checks } = mechanism;
        const how = [recovery, enhance.join(','), checksColumn(checks), mechanismName] as const;
        const ladder = [rung?.ladder ?? null, rung?.step ?? null, rung?.name ?? null] as const;
        const drawn = [size, seed, evaluation, variant] as const;
        file.run(`INSERT INTO cells VALUES (${'?, '.repeat(13)}?)`, id, setup, faultClass, ...how, ...ladder, ...drawn);
        for (let n = 0; n < size; n++) {
          const injection = JSON.stringify(injections(planned, n));
          file.run('INSERT INTO rows (cell, n, injection) VALUES (?, ?, ?)', id, n, injection);
        }
      }
    });
    this.sync();
  }

  /** Stores what became of a row. */
  finish(id: number, result: InjectionResult): void {
    const store = 'UPDATE rows SET result = ?, error = NULL WHERE id = ? AND result IS NULL';
    const changes = this.file.run(store, JSON.stringify(result), id);
    invariant(changes === 1, `row ${id} was run twice, or is not there`);
    if (this.nowMs() - this.syncedMs >= SYNC_EVERY_MS) this.sync();
  }

  /** Notes that a row ended in an internal error. */
  fail(id: number, message: string): void {
    this.file.run('UPDATE rows SET error = ? WHERE id = ? AND result IS NULL', message, id);
  }

  hasOverhead({ setup, undoLog, checks, seed }: OverheadChoice): boolean {
    const query = 'SELECT 1 FROM overhead WHERE setup = ? AND undo_log = ? AND checks = ? AND seed = ?';
    return this.file.get(query, setup, Number(undoLog), checksColumn(checks), seed) !== undefined;
  }

  addOverhead({ setup, undoLog, checks, seed, ...measured }: OverheadRow): void {
    const insert = 'INSERT INTO overhead VALUES (?, ?, ?, ?, ?)';
    this.file.run(insert, setup, Number(undoLog), checksColumn(checks), seed, JSON.stringify(measured));
  }

  /** Waits until the disk has all that was stored. Readers are not waited for. */
  private sync(): void {
    this.file.get('PRAGMA wal_checkpoint(PASSIVE)');
    this.syncedMs = this.nowMs();
  }

  /** Gives the lock back. A database that was created but never planned is removed: nothing half-written stays. */
  close(): void {
    let keep = !this.created;
    try {
      keep ||= this.planned;
      releaseLock(this.file);
      becomeOneFile(this.file);
    } catch {
      // The disk is full, or worse: who closes knows by now. The lock is recognised as a gone process's.
      keep = true;
    }
    this.file.close();
    if (!keep) for (const suffix of ['', ...COMPANIONS]) rmSync(this.path + suffix, { force: true });
  }
}

/** The cells that are stored must be those of the plan; that the plan is the same was seen by its hash. */
function requirePlanned(path: string, stored: readonly CampaignCell[], { cells }: Pick<CampaignPlan, 'cells'>): void {
  const planned = cells.map(({ options: _options, ...cell }) => cell);
  const text = (cell: CampaignCell | undefined) =>
    JSON.stringify(cell, (_key, value) => (isRecord(value) ? Object.fromEntries(Object.entries(value).sort()) : value));
  const differing = planned.findIndex((cell, i) => text(cell) !== text(stored[i]));
  if (differing >= 0 || stored.length !== planned.length) {
    throw damaged(path, `cell ${differing < 0 ? planned.length + 1 : differing + 1} is not the plan's`);
  }
}

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Out of WAL mode, so that readers leave no files beside it and it can be read where nothing may be written. */
function becomeOneFile(file: SqliteFile): void {
  try {
    file.exec('PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE');
  } catch {
    // Somebody reads it just now: it stays in WAL mode, which costs two small files.
  }
}
