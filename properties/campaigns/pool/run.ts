/**
 * Runs a campaign: golden runs first, then every row that has no result yet, over a pool of workers, each result stored
 * as it comes. Stopping it at any time loses at most the rows in flight; running it again goes on. What the results are
 * does not depend on workers, order, or interruptions, since every row is a run of its own.
 */
import { UserError } from '../../../engine/index.ts';
import {
  type CampaignPlan,
  drawFault,
  type GoldenWindow,
  goldenKey,
  goldenOf,
  identityOf,
  operations,
  type PlannedCell,
  type RowContext,
  type Testbed,
} from '../plan/index.ts';
import { CampaignDatabase, damaged } from '../store/index.ts';
import { type CellTally, count, emptyTally } from '../tally.ts';
import { type CampaignRow, isOfTwo } from '../types.ts';
import { type Outcome, type OutcomeOf, Pool, type Task } from './pool.ts';

export interface CampaignOptions {
  readonly plan: CampaignPlan;
  /** The database: created, or resumed. */
  readonly path: string;
  /** Worker threads, at least 1. */
  readonly workers: number;
  /** Module that exports `testbed`; the real one unless given. */
  readonly testbed?: URL;
  /** Ids of the cells to run now; all unless given. */
  readonly only?: readonly number[];
  /** Ends the run in good order; rows in flight are dropped. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CampaignProgress) => void;
}

export interface CampaignProgress {
  readonly phase: 'golden runs' | 'overhead' | 'injections';
  /** Tasks of the phase, and how many of them are done; in `injections`: rows of this run. */
  readonly total: number;
  readonly done: number;
  /** By cell id, rows of earlier runs included. The same object all the time. */
  readonly tallies: ReadonlyMap<number, CellTally>;
}

export interface RowError {
  readonly id: number;
  readonly message: string;
}

export interface CampaignOutcome {
  readonly interrupted: boolean;
  /** Rows run now, internal errors excepted. */
  readonly ran: number;
  /** Rows of the whole campaign without a result. */
  readonly remaining: number;
  readonly errors: readonly RowError[];
  readonly tallies: ReadonlyMap<number, CellTally>;
}

const SUBJECT = new URL(import.meta.url.endsWith('.ts') ? './subject.ts' : './subject.js', import.meta.url);

/**
 * Runs what of a campaign has not run yet.
 * @throws UserError when the database is another campaign's or in use, FileFormatError when it is damaged
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignOutcome> {
  const { plan, path, testbed = SUBJECT, workers } = options;
  const database = CampaignDatabase.open(path, identityOf(plan), plan);
  const pool = new Pool(testbed, workers);
  try {
    return await new Run(options, database, pool, testbed).run();
  } finally {
    await pool.close();
    database.close();
  }
}

class Run {
  private readonly plan: CampaignPlan;
  private readonly options: CampaignOptions;
  private readonly database: CampaignDatabase;
  private readonly pool: Pool;
  private readonly testbed: URL;
  private readonly signal: AbortSignal;
  private readonly tallies: ReadonlyMap<number, CellTally>;

  constructor(options: CampaignOptions, database: CampaignDatabase, pool: Pool, testbed: URL) {
    this.options = options;
    this.plan = options.plan;
    this.database = database;
    this.pool = pool;
    this.testbed = testbed;
    this.signal = options.signal ?? new AbortController().signal;
    this.tallies = new Map(this.plan.cells.map(({ id, size }) => [id, emptyTally(size)]));
  }

  async run(): Promise<CampaignOutcome> {
    const { database } = this;
    const goesOn = database.planned;
    if (!goesOn) await this.writePlan();
    if (!database.planned) return this.outcome(0, []);
    const pending: CampaignRow[] = [];
    for (const row of database.reader.rows()) {
      if (row.result) count(this.tallies.get(row.cell)!, row.result);
      else pending.push(row);
    }
    const outcome = await this.runRows(pending, goesOn);
    // Last: it takes longer than the first rows, which people wait for.
    await this.measureOverhead();
    return { ...outcome, interrupted: this.signal.aborted };
  }

  /** Golden runs say where the rows' faults fall; then everything is stored at once. */
  private async writePlan(): Promise<void> {
    const items = distinct(this.plan.cells.map(goldenOf), goldenKey).map((choice) => {
      return { task: { kind: 'window', ...choice } } as const;
    });
    const windows = new Map<string, GoldenWindow>();
    await this.runTasks('golden runs', items, ({ task }, outcome) => {
      const { memory, ...window } = valueFrom(outcome, `golden run of set-up ${task.setup}`);
      const isMapped = memory && this.plan.cells.some((cell) => cell.setup === task.setup && drawsMemory(cell));
      // The maps are large; of many seeds, only those are kept that rows are drawn by.
      windows.set(goldenKey(task), isMapped ? { ...window, memory } : window);
    });
    if (this.signal.aborted) return;
    const { testbed } = (await import(this.testbed.href)) as { readonly testbed: Testbed };
    this.database.plan(this.plan, identityOf(this.plan), [...windows.values()], (cell, n) => {
      const window = windows.get(goldenKey(goldenOf(cell)))!;
      return testbed.place(drawFault(cell, (cell as PlannedCell).options, n), window);
    });
  }

  private async measureOverhead(): Promise<void> {
    const items = this.plan.overhead
      .flatMap(({ setup, seed, checks }) => operations(checks).map((operation) => ({ setup, seed, ...operation })))
      .filter((run) => !this.database.hasOverhead(run))
      .map((run) => ({ task: { kind: 'overhead', ...run } }) as const);
    await this.runTasks('overhead', items, ({ task }, outcome) => {
      this.database.addOverhead(valueFrom(outcome, `overhead of set-up ${task.setup}`));
    });
  }

  /** @param fromFile whether the rows were drawn by an earlier process */
  private async runRows(pending: readonly CampaignRow[], fromFile: boolean): Promise<CampaignOutcome> {
    const goldens = new Map(this.database.reader.goldens().map((golden) => [goldenKey(golden), golden]));
    const contexts = new Map(
      this.plan.cells.map((cell) => {
        return [cell.id, { mechanism: cell.mechanism, golden: goldens.get(goldenKey(goldenOf(cell)))! }];
      }),
    );
    const only = this.options.only && new Set(this.options.only);
    const chosen = pending.filter(({ cell }) => !only || only.has(cell));
    const items = byGoldenRun(chosen, ({ cell }) => contexts.get(cell)!).map((row) => {
      return { row, task: { kind: 'row', ...contexts.get(row.cell)!, injection: row.injection } as const };
    });
    const errors: RowError[] = [];
    let ran = 0;
    await this.runTasks('injections', items, ({ row }, outcome) => {
      const tally = this.tallies.get(row.cell)!;
      if ('value' in outcome) {
        this.database.finish(row.id, outcome.value);
        count(tally, outcome.value);
        ran++;
      } else {
        if (fromFile) this.refuseImpossible(row, outcome.error);
        this.database.fail(row.id, outcome.error.message);
        tally.errors++;
        errors.push({ id: row.id, message: outcome.error.message });
      }
    });
    return this.outcome(ran, errors);
  }

  /** An injection that cannot be, or was drawn in another golden run, is no error of ours: nothing draws such. */
  private refuseImpossible(
    { id }: CampaignRow,
    { name, message }: { readonly name: string; readonly message: string },
  ) {
    if (name !== 'UserError' && name !== 'OtherGoldenRun') return;
    throw damaged(this.database.path, `row ${id} cannot be run: ${message}`);
  }

  private async runTasks<T extends { readonly task: Task }>(
    phase: CampaignProgress['phase'],
    items: readonly T[],
    onOutcome: (item: T, outcome: OutcomeOf<T['task']>) => void,
  ): Promise<void> {
    const { tallies } = this;
    let done = 0;
    const progress = () => this.options.onProgress?.({ phase, total: items.length, done, tallies });
    if (items.length > 0) progress();
    const take = (item: T, outcome: OutcomeOf<T['task']>) => {
      onOutcome(item, outcome);
      done++;
      progress();
    };
    await this.pool.run(items, take, this.signal);
  }

  private outcome(ran: number, errors: readonly RowError[]): CampaignOutcome {
    const { tallies } = this;
    const remaining = [...tallies.values()].reduce((sum, { size, done }) => sum + size - done, 0);
    const sorted = [...errors].sort((a, b) => a.id - b.id);
    return { interrupted: this.signal.aborted, ran, remaining, errors: sorted, tallies };
  }
}

/** The value of a task without which the campaign cannot go on. @throws UserError or Error as the worker's was */
function valueFrom<V>(outcome: Outcome<V>, what: string): V {
  if ('value' in outcome) return outcome.value;
  const { name, message } = outcome.error;
  throw name === 'UserError' ? new UserError(`${what}: ${message}`) : new Error(`${what}: ${message}`);
}

/** Whether some fault of a cell's rows can be one of memory, which the memory of its golden run places. */
const drawsMemory = ({ faultClass, options: { two } }: PlannedCell): boolean =>
  faultClass === 'memory' || (isOfTwo(faultClass) && [...two.first, ...two.second].includes('memory'));

/**
 * Rows in the order that lets workers keep what they have: all of a set-up and seed, which are one boot, in a row, and
 * of these all of a mechanism, which are one golden run; else as they stand.
 */
export function byGoldenRun<T>(rows: readonly T[], contextOf: (row: T) => RowContext): T[] {
  const boots = Map.groupBy(rows, (row) => {
    const { golden } = contextOf(row);
    return `${golden.setup} ${golden.seed}`;
  });
  return [...boots.values()].flatMap((booted) => {
    return [...Map.groupBy(booted, (row) => JSON.stringify(contextOf(row).mechanism)).values()].flat();
  });
}

function distinct<T>(items: readonly T[], key: (item: T) => string): T[] {
  return [...new Map([...items].reverse().map((item) => [key(item), item])).values()].reverse();
}
